import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, isSpent, withCrash } from '../../machines/supervision/backoff.ts';

const policy = { intensity: 3, periodMs: 10_000, minBackoffMs: 100, maxBackoffMs: 5_000 };

/** So many crashes, close to each other. */
const series = (count: number) => Array.from({ length: count }, (_, at) => at);

test('the budget is spent by the crash after the last one it allows', () => {
  let crashes: readonly number[] = [];
  for (const at of [0, 1, 2]) crashes = withCrash(crashes, at, policy);
  expect(isSpent(crashes, policy)).toBe(false);
  expect(isSpent(withCrash(crashes, 3, policy), policy)).toBe(true);
});

test('crashes older than the period are forgotten', () => {
  const crashes = withCrash([0, 1, 2], 10_002, policy);
  expect(crashes).toEqual([10_002]);
});

test('a delay is never below the floor, never above the ceiling, and grows with the crashes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, r) => {
        const delay = backoffMs(series(n), policy, () => r);
        expect(delay).toBeGreaterThanOrEqual(policy.minBackoffMs);
        expect(delay).toBeLessThanOrEqual(policy.maxBackoffMs);
        expect(backoffMs(series(n + 1), policy, () => r)).toBeGreaterThanOrEqual(delay);
      },
    ),
  );
});

test('a fall after a calm time begins a new series, and counts for the budget all the same', () => {
  const calm = { ...policy, intensity: 4, calmMs: 1_000 };
  const delay = (crashes: readonly number[]) => backoffMs(crashes, calm, () => 1);
  expect(delay([0, 10, 20])).toBe(400);
  expect(delay([0, 10, 20, 1_020])).toBe(100);
  expect(delay([0, 10, 20, 1_020, 1_030])).toBe(200);
  expect(backoffMs([0, 10, 20, 1_020], policy, () => 1)).toBe(800);
  expect(isSpent([0, 10, 20, 1_020, 1_030], calm)).toBe(true);
});
