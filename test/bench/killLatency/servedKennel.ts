import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
/** A busy machine is slow to begin hundreds of recordings. */
const RECORDING_WITHIN_MS = 240_000;
const LOOK_EVERY_MS = 1_000;
const AT_ONCE = 10;

/** `kennel serve` in a process of its own, on a port of its own. */
export async function servedKennel(directory: string) {
  const dataDir = join(directory, 'data');
  const log = openSync(join(directory, 'serve.log'), 'a');
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0'], {
    cwd: directory,
    stdio: ['ignore', log, 'pipe'],
    env: {
      ...process.env,
      KENNEL_DATA_DIR: dataDir,
      KENNEL_CAPACITY_CPU_SHARE: '1',
      KENNEL_CAPACITY_MEMORY_SHARE: '1',
      KENNEL_CAPACITY_DISK_RESERVE_MIB: '0',
    },
  });
  const { stderr } = child;
  if (stderr === null) throw new Error('a pipe that was asked for is not there');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    stderr.on('data', () => {
      const address = /listens at (\S+)/.exec(said)?.[1];
      if (address !== undefined && said.includes('ready')) resolve(`${address}/api/v1`);
    });
    child.once('exit', () => reject(new Error(`the service has ended: ${said}`)));
  });
  const ids = async (state: string): Promise<string[]> => {
    const found: string[] = [];
    let next: string | null = `${url}/jobs?state=${state}&limit=100`;
    while (next !== null) {
      const answer = await fetch(new URL(next, url));
      const page = (await answer.json()) as {
        readonly jobs: readonly { readonly id: string }[];
        readonly next_page_url: string | null;
      };
      found.push(...page.jobs.map(({ id }) => id));
      next = page.next_page_url;
    }
    return found;
  };
  return {
    url,
    dataDir,
    /** Submits all of them, and waits until they record, or until no more do. The ids of those that record. */
    record: async (urls: readonly string[]): Promise<string[]> => {
      const left = [...urls];
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let link = left.shift(); link !== undefined; link = left.shift())
            await submit(url, link);
        }),
      );
      const until = performance.now() + RECORDING_WITHIN_MS;
      let recording: string[] = [];
      while (recording.length < urls.length && performance.now() < until) {
        await pause(LOOK_EVERY_MS);
        recording = await ids('recording');
      }
      return recording;
    },
    stop: async () => {
      const gone = once(child, 'exit');
      if (child.exitCode === null && child.kill('SIGTERM')) await gone;
    },
  };
}

async function submit(url: string, link: string): Promise<void> {
  const answer = await fetch(`${url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: link, durationSeconds: 3_600 }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}
