import { expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { Janitor } from '../../../src/jobs/janitor.ts';

const clock = { ...systemClock, now: () => 1_000, setTimeout: queueMicrotask };

test('a chore is repeated until nothing is left, and one that fails keeps no other from being done', async () => {
  const rows = [2_000, 2_000, 7];
  const lines: [string, unknown][] = [];
  const janitor = new Janitor({
    chores: [
      { what: 'broken', remove: () => Promise.reject(new Error('away')) },
      { what: 'events', remove: async (now, limit) => Math.min(limit, rows.shift() ?? now) },
    ],
    clock,
    log: (level, _, fields) => lines.push([level, fields]),
  });
  await janitor.clear(new AbortController().signal);
  expect(lines).toEqual([
    ['warn', { what: 'broken', error: 'away' }],
    ['info', { what: 'events', removed: 4_007 }],
  ]);
  expect(rows).toEqual([]);
});

test('it stops at once, whatever it waits for', async () => {
  const janitor = new Janitor({ chores: [], clock: systemClock, log: () => undefined });
  await janitor.start();
  await janitor.stop();
});
