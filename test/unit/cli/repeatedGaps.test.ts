import { expect, it } from 'vitest';
import { RepeatedGaps } from '../../../src/cli/run/repeatedGaps.ts';
import type { KennelEvent } from '../../../src/jobs/events.ts';

type SegmentLost = Extract<KennelEvent, { type: 'segment.lost' }>;

const lost = (msn: number, more: Partial<SegmentLost> = {}): SegmentLost => ({
  type: 'segment.lost',
  v: 1,
  at: '2026-11-21T00:00:00.000Z',
  jobId: 'job-1',
  track: 'main',
  epoch: 0,
  msn,
  count: 1,
  durationMs: 1_000,
  cause: 'invalid',
  detail: '10.0.0.9:80 is no public address (1 try)',
  ...more,
});

it('tells of the first segment lost for a reason at once, and then only when they have doubled', () => {
  const gaps = new RepeatedGaps();
  const told = Array.from({ length: 300 }, (_, msn) => gaps.take(lost(msn)))
    .filter(({ isTold }) => isTold)
    .map(({ count }) => count);
  expect(told).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
});

it('tells of every new reason, and of every track', () => {
  const gaps = new RepeatedGaps();
  for (let msn = 0; msn < 3; msn++) gaps.take(lost(msn));
  const others = [{ cause: 'http.404' }, { detail: 'another' }, { track: 'audio-en' }] as const;
  for (const other of others) {
    expect(gaps.take(lost(9, other))).toEqual({ count: 1, isTold: true });
  }
  expect(gaps.take(lost(9, { count: 50 }))).toEqual({ count: 53, isTold: true });
});
