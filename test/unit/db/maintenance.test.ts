import type { PGlite } from '@electric-sql/pglite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { maintain } from '../../../src/db/pglite/maintenance.ts';

const MIB = 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A database that only has a log: what grows it, and what it is told to do. */
const setup = () => {
  let written = 1;
  const done: string[] = [];
  const database = {
    query: async (_statement: string, since?: [string]) => ({
      rows: [{ lsn: `${written}`, bytes: written - Number(since?.[0] ?? 0) }],
    }),
    exec: async (statement: string) => {
      done.push(statement);
    },
  };
  // The two methods that it uses, with log positions that are plain numbers.
  const maintenance = maintain(database as unknown as PGlite, () => expect.unreachable());
  const grow = (bytes: number) => {
    written += bytes;
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { maintenance, done, grow, pass };
};

test('an idle database is left alone', async () => {
  const { maintenance, done, pass } = setup();
  await pass(2 * 3_600_000);
  expect(done).toEqual([]);
  maintenance.stop();
});

test('a little log is checkpointed after a minute, a lot at the next look', async () => {
  const { maintenance, done, grow, pass } = setup();
  await pass(10_000);
  grow(1_000);
  await pass(30_000);
  expect(done).toEqual([]);
  await pass(30_000);
  expect(done).toEqual(['checkpoint']);
  grow(33 * MIB);
  await pass(10_000);
  expect(done).toEqual(['checkpoint', 'checkpoint']);
  maintenance.stop();
});

test('rows are vacuumed by the hour, and after much writing', async () => {
  const { maintenance, done, grow, pass } = setup();
  await pass(10_000);
  grow(129 * MIB);
  await pass(10_000);
  expect(done).toEqual(['vacuum (analyze)', 'checkpoint']);
  grow(2 * MIB);
  await pass(3_600_000);
  expect(done.filter((statement) => statement.startsWith('vacuum'))).toHaveLength(2);
  maintenance.stop();
});

test('a stopped maintenance does nothing more', async () => {
  const { maintenance, done, grow, pass } = setup();
  await pass(10_000);
  maintenance.stop();
  grow(500 * MIB);
  await pass(3_600_000);
  expect(done).toEqual([]);
});
