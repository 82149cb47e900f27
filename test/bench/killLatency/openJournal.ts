import { globSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 1;

/** What has just begun has no journal yet. */
const OPEN_WITHIN_MS = 5_000;

/** Where a host has the journal of a job open; undefined when none has. It closes it when the recorder has ended. */
export async function openJournal(
  dataDir: string,
  jobId: string,
): Promise<OpenJournal | undefined> {
  const until = performance.now() + OPEN_WITHIN_MS;
  while (performance.now() < until) {
    const journal = findJournal(dataDir, jobId);
    if (journal) return journal;
    await pause(100);
  }
  return undefined;
}

interface OpenJournal {
  closed(): Promise<number>;
}

function findJournal(dataDir: string, jobId: string): OpenJournal | undefined {
  const hosts = globSync(join(dataDir, 'run', '*.json')).map(
    (file) => JSON.parse(readFileSync(file, 'utf8')) as { readonly pid: number },
  );
  const wanted = join(dataDir, 'recordings', jobId, 'journal');
  for (const { pid } of hosts)
    for (const link of globSync(`/proc/${pid}/fd/*`)) {
      const target = targetOf(link);
      if (!target?.startsWith(wanted)) continue;
      return {
        /** When it was closed, milliseconds since the epoch, a millisecond or two late. */
        closed: async () => {
          while (targetOf(link) === target) await pause(LOOK_EVERY_MS);
          return Date.now();
        },
      };
    }
  return undefined;
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
