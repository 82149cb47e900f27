import { existsSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { v7 } from 'uuid';
import { LEGAL_MOVES } from '../../machines/index.ts';
import type { Move } from '../../machines/ports.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { pgliteDirectory, SPEC } from '../support/database.ts';
import { startPostgres } from '../support/postgres.ts';

/** `node test/bench/transitions.ts [seconds]`: transitions that are on disk, per second, by writers at the same time. */

const SECONDS = Number(process.argv[2] ?? 3);
/** What a busy node needs is a hundredth of it; the rest is room for other nodes. */
const GOAL_PER_SECOND = 5_000;

interface Result {
  readonly database: string;
  readonly writers: number;
  readonly 'transitions/s': number;
  readonly 'p50 ms': number;
  readonly 'p99 ms': number;
}

const forth: Move = { from: 'recording', to: 'retrying', cause: 'x', evidence: {}, attempt: 1 };
const back: Move = { ...forth, from: 'retrying', to: 'recording' };

async function measure(database: Database, writers: number): Promise<Result> {
  const store = jobStore(database, { clock: systemClock });
  const live = new AbortController().signal;
  const latencies: number[] = [];
  const logs = await Promise.all(
    Array.from({ length: writers }, async () => {
      const id = v7();
      await store.create({ id, spec: SPEC });
      const { log } = await store.open(id, live);
      await log.commit({ ...forth, from: 'pending', to: 'recording' });
      return log;
    }),
  );
  const start = performance.now();
  const end = start + SECONDS * 1_000;
  await Promise.all(
    logs.map(async (log) => {
      for (let turn = 0; performance.now() < end; turn++) {
        const before = performance.now();
        await log.commit(turn % 2 === 0 ? forth : back);
        latencies.push(performance.now() - before);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1_000;
  latencies.sort((one, other) => one - other);
  const at = (share: number) =>
    Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  return {
    database: database.kind,
    writers,
    'transitions/s': Math.round(latencies.length / seconds),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
  };
}

async function onPglite(): Promise<Result[]> {
  const directory = pgliteDirectory();
  const database = await openDatabase({ directory, legalMoves: LEGAL_MOVES });
  try {
    return [await measure(database, 1), await measure(database, 8)];
  } finally {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function onPostgres(): Promise<Result[]> {
  const server = await startPostgres();
  if ('missing' in server) return [];
  try {
    const url = await server.createDatabase();
    const database = await openDatabase({
      url,
      directory: '/nonexistent',
      legalMoves: LEGAL_MOVES,
    });
    try {
      const results = [await measure(database, 1), await measure(database, 8)];
      return [...results, ...(await pgbench(await server.createDatabase()))];
    } finally {
      await database.close();
    }
  } finally {
    await server.stop();
  }
}

/** What the server can do at all: `simple-update` is one update, one select and one insert in a transaction. */
async function pgbench(url: string): Promise<Result[]> {
  const program = [...globSync('/usr/lib/postgresql/*/bin/pgbench'), ...onPath()].at(0);
  if (program === undefined) return [];
  await execa(program, ['-i', '-q', '-s', '10', url]);
  const mode = ['-b', 'simple-update', '-M', 'prepared', '-n', '-c', '8', '-T', String(SECONDS)];
  const { stdout } = await execa(program, [...mode, url]);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  return [
    {
      database: 'pgbench simple-update',
      writers: 8,
      'transitions/s': Math.round(number(/tps = ([\d.]+)/)),
      'p50 ms': number(/latency average = ([\d.]+)/),
      'p99 ms': Number.NaN,
    },
  ];
}

const onPath = (): string[] =>
  (process.env['PATH'] ?? '')
    .split(':')
    .map((directory) => join(directory, 'pgbench'))
    .filter((path) => existsSync(path));

const results = [...(await onPglite()), ...(await onPostgres())];
const perSecond = (database: string) =>
  results.findLast((result) => result.database === database)?.['transitions/s'] ?? 0;
const show = (line: string) => process.stdout.write(`${line}\n`);
for (const result of results) {
  const { database, writers } = result;
  const latency = `p50 ${result['p50 ms']} ms, p99 ${result['p99 ms']} ms`;
  show(
    `${database.padEnd(22)} c=${writers} ${String(result['transitions/s']).padStart(7)}/s  ${latency}`,
  );
}
const [ours, bare] = [perSecond('postgres'), perSecond('pgbench simple-update')];
if (bare > 0) show(`postgres / pgbench at c=8: ${(ours / bare).toFixed(2)}`);
if (ours > 0)
  show(
    `goal on Postgres at c=8: ${GOAL_PER_SECOND}/s, ${ours >= GOAL_PER_SECOND ? 'met' : 'missed'}`,
  );
