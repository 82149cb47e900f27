import { expect, test } from 'vitest';
import type { JobState } from '../../../machines/vocabulary.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type DrainPolicy, drained } from '../../../src/jobs/drain.ts';

/** Drains on a clock that jumps from timer to timer; `states` tells what stands at a time. */
async function drain(
  policy: DrainPolicy,
  states: (elapsedMs: number) => readonly JobState[],
  { limitMs = 60_000, abortAtMs = Number.POSITIVE_INFINITY } = {},
) {
  let elapsed = 0;
  const ending = new AbortController();
  const clock: Clock = {
    now: () => elapsed,
    elapsed: () => elapsed,
    setTimeout: (callback, delayMs) => {
      elapsed += delayMs;
      if (elapsed >= abortAtMs) ending.abort();
      queueMicrotask(callback);
    },
    clearTimeout: () => undefined,
  };
  const why = await drained({
    policy: () => ({ policy, limitMs }),
    jobs: () => states(elapsed),
    signal: ending.signal,
    clock,
    log: () => undefined,
  });
  return { why, elapsed };
}

test('checkpoint waits for nothing but files that are being made, and for those not long', async () => {
  expect(await drain('checkpoint', () => ['recording'])).toEqual({ why: 'limit', elapsed: 0 });
  const muxing = await drain('checkpoint', (at) => (at < 3_000 ? ['muxing', 'recording'] : []));
  expect(muxing).toEqual({ why: 'idle', elapsed: 3_000 });
  expect(await drain('checkpoint', () => ['uploading'])).toEqual({ why: 'limit', elapsed: 10_000 });
});

test('finish waits until the last job has ended, at most for its limit', async () => {
  const ended = await drain('finish', (at) => (at < 30_000 ? ['recording'] : []));
  expect(ended).toEqual({ why: 'idle', elapsed: 30_000 });
  expect(await drain('finish', () => ['recording'])).toEqual({ why: 'limit', elapsed: 60_000 });
  const muxing = await drain('finish', (at) => [at < 65_000 ? 'muxing' : 'recording']);
  expect(muxing).toEqual({ why: 'limit', elapsed: 65_000 });
});

test('a second signal ends the wait at once', async () => {
  const { why, elapsed } = await drain('finish', () => ['recording'], { abortAtMs: 1_000 });
  expect(why).toBe('at once');
  expect(elapsed).toBe(1_000);
});
