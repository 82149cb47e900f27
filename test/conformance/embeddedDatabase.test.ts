import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { v7 } from 'uuid';
import { afterEach, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { sql } from '../../src/db/drizzle.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { jobs } from '../../src/db/schema.ts';
import { pgliteDirectory, SPEC } from '../support/database.ts';

/** What only the embedded database does: its lock, its first start, its thread. */

const root = join(import.meta.dirname, '../..');
const opened: Database[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const setup = async () => {
  const directory = pgliteDirectory();
  directories.push(directory);
  const open = async () => {
    const database = await openDatabase({ directory, legalMoves: LEGAL_MOVES });
    opened.push(database);
    return database;
  };
  return { directory, open };
};

const addJob = async (database: Database) => {
  const id = v7();
  await jobStore(database, { clock: systemClock }).create({ id, spec: SPEC });
  return id;
};

test('another process is told who has the directory, and nothing else on standard error', async () => {
  const { directory, open } = await setup();
  await open();
  const script = `
    const { openDatabase } = await import(${JSON.stringify(join(root, 'src/db/database.ts'))});
    await openDatabase({ directory: ${JSON.stringify(directory)}, legalMoves: [] })
      .catch((error) => console.log(error.code + ' ' + error.message));`;
  const node = ['--input-type=module', '--eval', script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, node);
  expect(stdout).toBe(
    `data.locked another Kennel uses ${directory}/pgdata; stop it, choose another data directory, ` +
      'or set DATABASE_URL so that both can share a Postgres\n',
  );
  expect(stderr).toBe('');
});

test('the lock is free again after a close', async () => {
  const { open } = await setup();
  const first = await open();
  const id = await addJob(first);
  await expect(open()).rejects.toMatchObject({ code: 'data.locked' });
  await first.close();
  await first.close();
  const second = await open();
  await expect(jobStore(second, { clock: systemClock }).get(id)).resolves.toMatchObject({ id });
});

test('a failed transaction leaves nothing behind, and the next one works', async () => {
  const { open } = await setup();
  const { db } = await open();
  const now = { spec: SPEC, sourceUrl: '', output: '', createdAt: 1, updatedAt: 1, runAt: 1 };
  const half = db.transaction(async (transaction) => {
    await transaction.insert(jobs).values({ id: v7(), ...now });
    throw new Error('changed my mind');
  });
  await expect(half).rejects.toThrow('changed my mind');
  const aborted = db.transaction(async (transaction) => {
    await transaction.insert(jobs).values({ id: v7(), ...now });
    await transaction.execute(sql`select 1 / 0`).catch(() => undefined);
  });
  await expect(aborted).rejects.toThrow();
  await db.transaction((transaction) => transaction.insert(jobs).values({ id: v7(), ...now }));
  await expect(db.$count(jobs)).resolves.toBe(1);
});

test('a panic of the database is an outage: what waits is written once it has started again', async () => {
  const { directory, open } = await setup();
  const database = await open();
  const id = await addJob(database);
  const pauses: (() => void)[] = [];
  const paused = Promise.withResolvers<void>();
  const store = jobStore(database, {
    clock: {
      ...systemClock,
      // The deadline of a try is never reached here; only the pause after a failed one is short.
      setTimeout: (callback, delayMs) => {
        if (delayMs > 5_000) return undefined;
        pauses.push(callback);
        return paused.resolve();
      },
      clearTimeout: () => undefined,
    },
  });
  const { log } = await store.open(id, new AbortController().signal);
  const wal = join(directory, 'pgdata/pg_wal');
  renameSync(wal, `${wal}.away`);
  const panic = database.db.execute(sql`select pg_switch_wal()`);
  const hurt = expect(panic.then(() => database.db.execute(sql`checkpoint`))).rejects.toThrow();
  const move = log.commit({
    from: 'pending',
    to: 'recording',
    cause: 'recorder.started',
    evidence: {},
    attempt: 1,
  });
  await hurt;
  await paused.promise;
  if (existsSync(wal)) rmSync(wal, { recursive: true });
  renameSync(`${wal}.away`, wal);
  for (const end of pauses) end();
  await move;
  expect(await store.get(id)).toMatchObject({ state: 'recording', version: 1 });
});

test('a first start that was interrupted is moved aside, not deleted and not trusted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-pglite-'));
  directories.push(directory);
  mkdirSync(join(directory, 'pgdata'));
  writeFileSync(join(directory, 'pgdata/PG_VERSION'), '18\n');
  const database = await openDatabase({ directory, legalMoves: LEGAL_MOVES });
  opened.push(database);
  await addJob(database);
  const aside = readdirSync(directory).filter((name) => name.startsWith('pgdata.incomplete-'));
  expect(aside).toHaveLength(1);
});
