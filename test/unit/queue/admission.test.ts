import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Overload } from '../../../src/capacity/capacity.ts';
import { admission, endOf, isHolding } from '../../../src/queue/admission.ts';
import { nextTry } from '../../../src/queue/retry.ts';

const MINUTE = 60_000;
const OVERLOAD: Overload = {
  resource: 'memory',
  explanation: 'Too much.',
  limit: 10,
  expected: 8,
  needed: 3,
};
const JOB = { id: 'small', mayWait: true };
const ask = { job: JOB, overload: undefined, passed: undefined, now: 0 };
const passedFor = (ms: number, fitsAt?: number) => ({
  now: ms,
  passed: {
    jobId: 'large',
    since: 0,
    overload: { ...OVERLOAD, ...(fitsAt !== undefined && { fitsAt }) },
  },
});

test('what fits is admitted; what does not waits if it may, and is rejected if not', () => {
  expect(admission(ask)).toEqual({ verdict: 'admit' });
  const wait = { verdict: 'wait', why: 'memory', overload: OVERLOAD };
  expect(admission({ ...ask, overload: OVERLOAD })).toEqual(wait);
  const job = { ...JOB, mayWait: false };
  expect(admission({ ...ask, job, overload: OVERLOAD })).toEqual({ ...wait, verdict: 'reject' });
});

test('what needs more than the node has is rejected at once; space on a disk may come', () => {
  const overload = { ...OVERLOAD, needed: 11 };
  expect(admission({ ...ask, overload })).toMatchObject({ verdict: 'reject', why: 'never' });
  const space = { ...overload, resource: 'disk.space' } as const;
  expect(admission({ ...ask, overload: space })).toMatchObject({ verdict: 'wait' });
});

test('what fits the node but not beside its neighbours of now is not too large: they may go', () => {
  const overload = { ...OVERLOAD, resource: 'cpu', limit: 0.05, needed: 0.08, whole: 1.6 } as const;
  expect(admission({ ...ask, overload })).toMatchObject({ verdict: 'wait', why: 'cpu' });
  const tooLarge = { ...overload, needed: 1.7 };
  expect(admission({ ...ask, overload: tooLarge })).toMatchObject({ why: 'never' });
});

test('a large job is passed for ten minutes; then room is kept, but not for what ends before it is needed', () => {
  expect(admission({ ...ask, ...passedFor(10 * MINUTE - 1) })).toEqual({ verdict: 'admit' });
  expect(admission({ ...ask, ...passedFor(10 * MINUTE) })).toMatchObject({
    verdict: 'wait',
    why: 'held',
    overload: { explanation: expect.stringContaining('large') },
  });
  expect(admission({ ...ask, job: { ...JOB, id: 'large' }, ...passedFor(10 * MINUTE) })).toEqual({
    verdict: 'admit',
  });
  const short = { ...JOB, durationMs: 5 * MINUTE };
  expect(admission({ ...ask, job: short, ...passedFor(10 * MINUTE, 15 * MINUTE) })).toEqual({
    verdict: 'admit',
  });
  expect(
    admission({ ...ask, job: short, ...passedFor(10 * MINUTE, 15 * MINUTE - 1) }),
  ).toMatchObject({ why: 'held' });
});

test('a phase of holding is never longer than the phase of passing before it, and outlasts any recording some day', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 * 60 }), (minutes) => {
      let isFair = true;
      let longest = 0;
      let passing = 0;
      let holding = 0;
      for (let minute = 0; longest < minutes; minute++) {
        if (isHolding(minute * MINUTE)) holding++;
        else {
          if (holding > 0) passing = 0;
          holding = 0;
          passing++;
        }
        isFair &&= holding <= passing;
        longest = Math.max(longest, holding);
      }
      expect(isFair).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('a job ends after its duration, or at its end, whatever comes first', () => {
  expect(endOf({}, 5)).toBeUndefined();
  expect(endOf({ durationMs: 10 }, 5)).toBe(15);
  expect(endOf({ durationMs: 10, endAt: 12 }, 5)).toBe(12);
});

const FAILED = {
  id: 'rex',
  tenantId: 'a',
  tries: 1,
  retry: { attempts: 3, delayMs: MINUTE },
  endedAt: 0,
  verdict: 'source.unavailable',
};

test('tries follow each other with pauses that double, up to an hour', () => {
  const at = (tries: number) => {
    const retry = { attempts: 20, delayMs: MINUTE };
    const answer = nextTry({ ...FAILED, tries, retry }, 0);
    return answer.isTried ? answer.at / MINUTE : answer.why;
  };
  expect([1, 2, 3, 6, 7, 20, 21].map(at)).toEqual([1, 2, 4, 32, 60, 60, 'spent']);
});

test.each([
  ['source.unavailable', true],
  ['recorder.spent', true],
  ['bigDog.spent', true],
  ['recording.empty', true],
  ['disk.full', true],
  ['recorder.crashed', true],
  ['source.login', false],
  ['address.refused', false],
  ['source.encrypted', false],
  ['mux.failed', false],
  ['upload.spent', false],
])('after %s, another try: %s', (verdict, isTried) => {
  expect(nextTry({ ...FAILED, verdict }, 0).isTried).toBe(isTried);
});

test('what failed long ago, or would have ended before another try, is left', () => {
  expect(nextTry(FAILED, 25 * 60 * MINUTE)).toEqual({ isTried: false, why: 'late' });
  expect(nextTry({ ...FAILED, endAt: MINUTE }, 0)).toEqual({ isTried: false, why: 'over' });
  expect(nextTry({ ...FAILED, endAt: MINUTE + 1 }, 0)).toEqual({ isTried: true, at: MINUTE });
  expect(nextTry(FAILED, 5 * MINUTE)).toEqual({ isTried: true, at: 5 * MINUTE });
});
