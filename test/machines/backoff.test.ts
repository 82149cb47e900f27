import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, isSpent, withCrash } from '../../machines/supervision/backoff.ts';

const policy = { intensity: 3, periodMs: 10_000, minBackoffMs: 100, maxBackoffMs: 5_000 };

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
        const delay = backoffMs(n, policy, () => r);
        expect(delay).toBeGreaterThanOrEqual(policy.minBackoffMs);
        expect(delay).toBeLessThanOrEqual(policy.maxBackoffMs);
        expect(backoffMs(n + 1, policy, () => r)).toBeGreaterThanOrEqual(delay);
      },
    ),
  );
});
