import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { kennelHome } from '../../support/kennel.ts';
import type { ProcessTable } from './procfs.ts';
import type { Part, Subject, Taken } from './subject.ts';

export interface KennelSubjectOptions {
  readonly url: string;
  /** Of an empty database. Absent: the embedded one. */
  readonly databaseUrl?: string;
  /** Whether the Postgres server is a child of this process, so that its cost can be told. */
  readonly isServerOurs: boolean;
  /** Joins the segments at the end. Absent: the embedded muxer does. */
  readonly ffmpeg: string | undefined;
}

/**
 * The real command line: `kennel record URL`. A home whose embedded database exists already is used, as for every user but
 * one who starts Kennel for the first time ever.
 */
export function kennelSubject(options: KennelSubjectOptions): Subject {
  const { url, databaseUrl, ffmpeg } = options;
  const home = kennelHome();
  const running = home.start(['record', url, '-o', home.file('out.mp4')], {
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    ...(ffmpeg !== undefined && { KENNEL_FFMPEG: ffmpeg }),
  });
  const name = databaseUrl === undefined ? 'kennel, embedded database' : 'kennel, PostgreSQL';
  const supervisor = databaseUrl === undefined ? 'supervisor + database' : 'supervisor';
  const { pid = 0 } = running.child;
  // Hosts are detached from the supervisor, and are found even should they outlive it.
  const hosts = (table: ProcessTable) => table.treesOf(home.hostPids());
  const whole = (table: ProcessTable) => table.treesOf([pid, ...home.hostPids()]);
  const parts: Part[] = [
    { name, role: 'whole', pids: whole },
    { name: 'recorder host', role: 'part', pids: hosts },
    {
      name: supervisor,
      role: 'part',
      pids: (table) => {
        const engine = new Set(hosts(table));
        return whole(table).filter((one) => !engine.has(one));
      },
    },
  ];
  if (databaseUrl !== undefined && options.isServerOurs)
    parts.push({
      name: 'PostgreSQL server',
      role: 'beside',
      pids: (table) => table.treesOf(table.childrenNamed(process.pid, 'postgres')),
    });
  return {
    name,
    parts,
    taken: journalReader(() => home.recordings()[0]),
    stop: () => void running.child.kill('SIGINT'),
    ended: running.ended.then(({ code, stdout, stderr }) => ({
      exitCode: code,
      said: (stdout || stderr).trim().split('\n', 1)[0] ?? '',
    })),
    remove: () => {
      for (const left of home.processes()) process.kill(left, 'SIGKILL');
      home.remove();
    },
  };
}

/** Reads on in the journal, which counts what is durable, where the last call left off. */
function journalReader(directoryNow: () => string | undefined): () => Promise<Taken> {
  const ledger = new Ledger({ segmentsKept: 0 });
  let from = 0;
  return async () => {
    const directory = directoryNow();
    if (directory !== undefined) {
      const { records, offset } = await readJournal(directory, from);
      from = offset;
      for (const record of records) ledger.apply(record);
    }
    return { bytes: ledger.bytes, segments: ledger.stored };
  };
}
