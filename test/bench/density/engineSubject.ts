import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { hostPool } from '../../../src/hosts/hostPool.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import type { ProcessTable } from '../record/procfs.ts';
import type { Ended, Subject, Taken } from '../record/subject.ts';
import { ownNode } from './ownNode.ts';
import { keptSentence, recordingsKept } from './recordingsKept.ts';

export interface EngineSubjectOptions {
  readonly name: string;
  /** Its own, and removed with it. */
  readonly directory: string;
  readonly urls: readonly string[];
  readonly certificateFile: string | undefined;
  readonly hosts?: number | undefined;
  /** The host's entry file. */
  readonly entry: string;
  /** Where each host writes a CPU profile at its end. */
  readonly profileDirectory?: string | undefined;
  taken(): Promise<Taken>;
}

/** Recorder hosts alone, as they are: whoever gives them orders is this bench, and is not counted. */
export async function engineSubject(options: EngineSubjectOptions): Promise<Subject> {
  const { name, urls, hosts, entry, taken } = options;
  const directory = join(options.directory, name);
  mkdirSync(directory, { recursive: true });
  const runDirectory = join(directory, 'run');
  const recordings = join(directory, 'recordings');
  const ended = Promise.withResolvers<Ended>();
  const pool = hostPool({
    runDirectory,
    logDirectory: join(directory, 'log'),
    clock: systemClock,
    log: () => undefined,
    execPath: ownNode(directory),
    ...(hosts !== undefined && { hosts }),
    entry,
    environment: environmentOf(options),
  });
  await pool.start();
  const failures: string[] = [];
  pool.driver.subscribe({
    started: () => undefined,
    exited: (_, { kind, why }) => void failures.push(`${kind} ${why}`),
  });
  for (const [index, url] of urls.entries()) {
    const spec = jobSpec({ url, output: join(directory, 'out') });
    const id = `stream-${index}`;
    pool.driver.start({ id, attempt: 1, spec }, join(recordings, id));
  }
  const pids = (table: ProcessTable) => table.treesOf(hostPids(runDirectory));
  const finish = async (): Promise<Ended> => {
    const failed = failures.length;
    await pool.stop();
    const said = keptSentence(await recordingsKept(recordings));
    return { exitCode: failed, said: `${said}; ${failed} recorders ended by themselves` };
  };
  return {
    name,
    parts: [{ name, role: 'whole', pids }],
    taken,
    stop: () => void finish().then(ended.resolve, ended.reject),
    ended: ended.promise,
    remove: () => {
      for (const pid of hostPids(runDirectory)) process.kill(pid, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function environmentOf({ certificateFile, profileDirectory }: EngineSubjectOptions) {
  return {
    ...(certificateFile !== undefined && { NODE_EXTRA_CA_CERTS: certificateFile }),
    ...(profileDirectory !== undefined && {
      NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDirectory}`,
    }),
  };
}

/** The process ids of the living hosts of a run directory. */
export function hostPids(runDirectory: string): number[] {
  return globSync(join(runDirectory, '*.json')).flatMap((file) => {
    try {
      return [Number(JSON.parse(readFileSync(file, 'utf8')).pid)];
    } catch {
      return []; // it is being written, or was just removed
    }
  });
}
