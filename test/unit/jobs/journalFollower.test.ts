import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EventFeed, type KennelEvent } from '../../../src/jobs/events.ts';
import { JournalFollower, type SegmentIndex } from '../../../src/jobs/journalFollower.ts';
import { openJournal } from '../../../src/ledger/journal.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const segment = (msn: number): LedgerRecord => ({
  t: 'segment',
  track: 'main',
  epoch: 0,
  msn,
  at: 1_700_000_000_000 + msn,
  durationMs: 2_000,
  bytes: 100,
  checksum: 'a'.repeat(64),
  file: `media/main/e0000/${msn}.ts`,
  container: 'ts',
  discontinuity: 0,
});

/** A clock that is moved by hand; nothing runs by itself, since the tests look when they want to. */
const handClock = () => {
  let elapsed = 100;
  const clock: Clock = {
    now: () => 1_700_000_000_000 + elapsed,
    elapsed: () => elapsed,
    setTimeout: () => 0,
    clearTimeout: () => undefined,
  };
  const pass = (ms: number) => {
    elapsed += ms;
  };
  return { clock, pass };
};

const setup = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-follower-'));
  directories.push(directory);
  const journal = await openJournal(directory, { clock: systemClock });
  const { clock, pass } = handClock();
  const feed = new EventFeed();
  const told: KennelEvent[] = [];
  feed.subscribe((event) => void told.push(event));
  const asked: string[] = [];
  const indexed: LedgerRecord[] = [];
  const state = { position: 0, isAway: false };
  const index: SegmentIndex = {
    position: async () => {
      asked.push('position');
      if (state.isAway) throw new Error('away');
      return state.position;
    },
    apply: async ({ records, fromOffset, toOffset }) => {
      asked.push('apply');
      if (state.isAway) throw new Error('away');
      if (fromOffset === state.position) {
        indexed.push(...records);
        state.position = toOffset;
      }
      return state.position;
    },
  };
  const parts = { jobId: 'job', directory, index, feed, clock, log: () => undefined };
  const follower = new JournalFollower(parts);
  const numbers = () => indexed.flatMap((record) => (record.t === 'segment' ? [record.msn] : []));
  const stored = () =>
    told.flatMap((event) => (event.type === 'segment.stored' ? [event.msn] : []));
  const lookAfter = async (ms: number) => {
    pass(ms);
    await follower.look();
  };
  /** Waits until the index has these segments: whoever looks does not wait for the index. */
  const indexHas = (msns: readonly number[]) => expect.poll(numbers).toEqual(msns);
  return { directory, journal, follower, state, asked, numbers, indexHas, stored, lookAfter };
};

test('segments are told at the next look, and indexed some seconds later, several at once', async () => {
  const { journal, follower, numbers, indexHas, stored, asked, lookAfter } = await setup();
  await journal.append([segment(1)]);
  await follower.start();
  await indexHas([1]);
  asked.length = 0;
  for (const msn of [2, 3, 4]) {
    await journal.append([segment(msn)]);
    await lookAfter(500);
  }
  expect([stored(), numbers(), asked]).toEqual([[2, 3, 4], [1], []]);
  await lookAfter(5_000);
  await indexHas([1, 2, 3, 4]);
  expect(asked).toEqual(['apply']);
  await journal.close();
});

test('the index is complete once the follower has stopped', async () => {
  const { journal, follower, numbers } = await setup();
  await follower.start();
  await journal.append([segment(1), segment(2)]);
  await follower.stop();
  expect(numbers()).toEqual([1, 2]);
  await journal.close();
});

test('a journal in which nothing was written asks nothing of the index', async () => {
  const { journal, follower, asked, indexHas, lookAfter } = await setup();
  await journal.append([segment(1)]);
  await follower.start();
  await indexHas([1]);
  asked.length = 0;
  for (let look = 0; look < 5; look++) await lookAfter(5_000);
  expect(asked).toEqual([]);
  await journal.close();
});

test('an index that was away gets everything once when it is back', async () => {
  const { journal, follower, state, asked, indexHas, lookAfter } = await setup();
  await journal.append([segment(1)]);
  await follower.start();
  await indexHas([1]);
  state.isAway = true;
  for (const msn of [2, 3]) {
    await journal.append([segment(msn)]);
    const before = asked.length;
    await lookAfter(5_000);
    await expect.poll(() => asked.length).toBe(before + 1);
  }
  state.isAway = false;
  await journal.append([segment(4)]);
  await lookAfter(5_000);
  await indexHas([1, 2, 3, 4]);
  await journal.close();
});

test('an index that somebody else brought forward is asked where it is', async () => {
  const { journal, follower, state, asked, indexHas, lookAfter } = await setup();
  await journal.append([segment(1)]);
  await follower.start();
  await indexHas([1]);
  await journal.append([segment(2)]);
  state.position = journal.bytes;
  await lookAfter(5_000);
  await expect.poll(() => asked.at(-1)).toBe('apply');
  await journal.append([segment(3)]);
  await lookAfter(5_000);
  await indexHas([1, 3]);
  await journal.close();
});

test('lines that the writer took back are forgotten, and the journal is told on from there', async () => {
  const { directory, journal, follower, lookAfter } = await setup();
  await journal.append([segment(1)]);
  const { bytes } = journal;
  await journal.append([segment(2)]);
  await follower.start();
  expect(follower.ledger.stored).toBe(2);
  await journal.close();
  truncateSync(join(directory, 'journal.ndjson'), bytes);
  await lookAfter(500);
  await lookAfter(500);
  expect(follower.ledger.stored).toBe(1);
});
