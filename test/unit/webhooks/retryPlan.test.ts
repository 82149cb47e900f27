import { expect, test } from 'vitest';
import { pauseAfterMs, retryAfterMs, TRIES_MAX } from '../../../src/webhooks/retryPlan.ts';

const HOUR = 3_600_000;

test('pauses are those of Standard Webhooks, and after the last there is none', () => {
  const pauses = Array.from({ length: TRIES_MAX }, (_, index) =>
    pauseAfterMs(index + 1, { random: 0 }),
  );
  const seconds = pauses.map((ms) => ms && ms / 1_000);
  const hours = [2, 5, 10, 14, 20, 24].map((count) => count * 3_600);
  expect(seconds).toEqual([5, 300, 1_800, ...hours, undefined]);
});

test('a delivery is tried for more than a day', () => {
  let sum = 0;
  for (let tries = 1; tries < TRIES_MAX; tries++) sum += pauseAfterMs(tries, { random: 0 }) ?? 0;
  expect(sum).toBeGreaterThan(24 * HOUR);
});

test('jitter only lengthens, by a fifth at most', () => {
  expect(pauseAfterMs(1, { random: 1 })).toBe(6_000);
  expect(pauseAfterMs(1, { random: 0.5 })).toBe(5_500);
});

test('what the receiver asks for is waited for, but never less than planned nor more than a day', () => {
  expect(pauseAfterMs(1, { random: 0, retryAfterMs: 60_000 })).toBe(60_000);
  expect(pauseAfterMs(3, { random: 0, retryAfterMs: 60_000 })).toBe(HOUR / 2);
  expect(pauseAfterMs(1, { random: 0, retryAfterMs: 99 * HOUR })).toBe(24 * HOUR);
});

test('Retry-After is seconds or a date, and nothing else', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs(new Date(now + 30_000).toUTCString(), now)).toBe(30_000);
  expect(retryAfterMs(new Date(now - 30_000).toUTCString(), now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});
