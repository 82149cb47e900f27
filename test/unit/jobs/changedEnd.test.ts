import { expect, test } from 'vitest';
import { changedEnd } from '../../../src/jobs/changedEnd.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';

const NOW = 1_000_000;
const spec = (end: { durationMs?: number; endAt?: number }) => ({
  ...jobSpec({ url: 'https://example.org/live.m3u8' }),
  ...end,
});
const changed = (
  end: { durationMs?: number; endAt?: number },
  by: Parameters<typeof changedEnd>[1],
  startedAt?: number,
) => changedEnd({ spec: spec(end), startedAt }, by, NOW);

test('longer means so much later than it was, of both ends', () => {
  expect(changed({ durationMs: 60_000 }, { moreMs: 30_000 })).toEqual({ durationMs: 90_000 });
  const both = { durationMs: 60_000, endAt: NOW + 5_000 };
  expect(changed(both, { moreMs: 1_000 })).toEqual({ durationMs: 61_000, endAt: NOW + 6_000 });
});

test('a new duration or end takes the place of both', () => {
  const both = { durationMs: 60_000, endAt: NOW + 5_000 };
  expect(changed(both, { durationMs: 9_000 })).toEqual({ durationMs: 9_000 });
  expect(changed(both, { endAt: NOW + 1 })).toEqual({ endAt: NOW + 1 });
});

test('a recording without an end cannot be made longer', () => {
  expect(() => changed({}, { moreMs: 1 })).toThrow(/no end that could be moved/);
  expect(changed({}, { durationMs: 5_000 })).toEqual({ durationMs: 5_000 });
});

test('an end that is over is refused, and says how to end a job now', () => {
  expect(() => changed({}, { endAt: NOW })).toThrow(/stop it/);
  expect(() => changed({}, { durationMs: 5_000 }, NOW - 6_000)).toThrow(/stop it/);
  expect(() => changed({}, { durationMs: -1 })).toThrow(/longer than nothing/);
});
