import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyDatabase } from '../../support/database.ts';
import type { ProcessTable } from '../record/procfs.ts';
import type { Ended, Part, Subject, Taken } from '../record/subject.ts';
import type { BuiltKennel } from './builtKennel.ts';
import { hostPids } from './engineSubject.ts';
import { ownNode } from './ownNode.ts';
import { keptSentence, recordingsKept } from './recordingsKept.ts';

export interface KennelSubjectOptions {
  readonly name: string;
  readonly built: BuiltKennel;
  /** Its own, and removed with it. */
  readonly directory: string;
  readonly urls: readonly string[];
  readonly certificateFile: string | undefined;
  readonly hosts?: number | undefined;
  /** Of an empty database. Absent: the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** Whether the Postgres server is a child of this process, so that its cost can be told. */
  readonly isServerOurs: boolean;
  /** Where the supervisor writes a CPU profile at its end. */
  readonly profileDirectory?: string | undefined;
  taken(): Promise<Taken>;
}

/** The whole of Kennel in one node with many jobs: tree, database, leash, hosts, journals. */
export function kennelSubject(options: KennelSubjectOptions): Subject {
  const { name, databaseUrl, isServerOurs, taken } = options;
  const directory = join(options.directory, name);
  const dataDir = join(directory, 'data');
  mkdirSync(join(directory, 'out'), { recursive: true });
  copyDatabase(dataDir);
  const list = join(directory, 'list.txt');
  writeFileSync(list, options.urls.join('\n'));
  const child = start(options, { directory, dataDir, list });
  const { pid = 0 } = child;
  const runDirectory = join(dataDir, 'run');
  const hosts = (table: ProcessTable) => table.treesOf(hostPids(runDirectory));
  const isOwnServer = databaseUrl !== undefined && isServerOurs;
  const server = (table: ProcessTable) =>
    isOwnServer ? table.treesOf(table.childrenNamed(process.pid, 'postgres')) : [];
  const node = (table: ProcessTable) => table.treesOf([pid, ...hostPids(runDirectory)]);
  const parts: Part[] = [
    { name, role: 'whole', pids: (table) => [...node(table), ...server(table)] },
    { name: 'recorder hosts', role: 'part', pids: hosts },
    {
      name: databaseUrl === undefined ? 'supervisor + database' : 'supervisor',
      role: 'part',
      pids: (table) => {
        const engine = new Set(hosts(table));
        return node(table).filter((one) => !engine.has(one));
      },
    },
  ];
  if (isOwnServer) parts.push({ name: 'PostgreSQL server', role: 'part', pids: server });
  const ended = endOf(child, { directory, dataDir });
  // Where another subject fails, nobody asks how this one ended.
  ended.catch(() => undefined);
  return {
    name,
    parts,
    taken,
    stop: () => void child.kill('SIGINT'),
    ended,
    remove: () => {
      for (const left of [pid, ...hostPids(runDirectory)]) kill(left);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Places {
  readonly directory: string;
  readonly dataDir: string;
}

function start(options: KennelSubjectOptions, places: Places & { readonly list: string }) {
  const { certificateFile, databaseUrl, hosts, profileDirectory } = options;
  const { directory, dataDir, list } = places;
  const profile = profileDirectory ? ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`] : [];
  const said = openSync(join(directory, 'said.txt'), 'w');
  try {
    return spawn(
      ownNode(directory),
      [...profile, options.built.write('kennelNode', directory), list, join(directory, 'out')],
      {
        cwd: directory,
        stdio: ['ignore', said, said],
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: directory,
          KENNEL_DATA_DIR: dataDir,
          ...(hosts !== undefined && { KENNEL_HOSTS: String(hosts) }),
          ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
          ...(certificateFile !== undefined && { NODE_EXTRA_CA_CERTS: certificateFile }),
        },
      },
    );
  } finally {
    closeSync(said);
  }
}

async function endOf(child: ChildProcess, { directory, dataDir }: Places): Promise<Ended> {
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const kept = keptSentence(await recordingsKept(join(dataDir, 'recordings')));
  const words = readFileSync(join(directory, 'said.txt'), 'utf8').trim();
  return { exitCode, said: words === '' ? kept : `${kept}; it said ${words.slice(0, 500)}` };
}

function kill(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
