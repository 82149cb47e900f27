import { expect, test } from 'vitest';
import type { Run } from '../../../src/media/joinedRun.ts';
import { isBroken } from '../../../src/media/runs.ts';
import { runsOf } from '../../../src/media/runsOf.ts';
import { ledgerOf, recordsOf, type Stretch } from './recording.ts';

const runsFor = (stretches: readonly Stretch[], parameters?: (file: string) => string): Run[] =>
  runsOf(ledgerOf(recordsOf(stretches)), {
    ...(parameters && { parametersOf: ({ file }) => parameters(file.split('/')[0] ?? '') }),
    // Every set begins at zero.
    measuredOf: ({ file }) => ({ startSeconds: Number(/\d+/.exec(file)?.[0] ?? 0) }),
  }).map(({ run }) => run);

/** Counts of segments, timeline by timeline. */
const shape = (runs: readonly Run[]): number[][] =>
  runs.map((run) => run.timelines.map(({ segments }) => segments.length));

test('an unbroken recording is one run of one timeline', () => {
  const runs = runsFor([{ set: 'ts', from: 0, to: 9 }]);
  expect(shape(runs)).toEqual([[10]]);
  expect(runs.some(isBroken)).toBe(false);
});

test('a gap is a hole in a timeline, not the end of it', () => {
  const [run] = runsFor([{ set: 'ts', from: 0, to: 9, lost: [3, 4, 7] }]);
  expect(run?.timelines).toMatchObject([{ holes: 2 }]);
  expect(run && isBroken(run)).toBe(true);
});

test('a discontinuity and an epoch each begin a timeline in the same run', () => {
  const runs = runsFor([
    { set: 'ts', from: 0, to: 1 },
    { set: 'ts', from: 20, to: 22, discontinuity: 1 },
    { set: 'ts', from: 40, to: 40, epoch: 1 },
  ]);
  expect(shape(runs)).toEqual([[2, 3, 1]]);
});

test('what comes from another link begins a timeline, and so does what follows it', () => {
  const [run] = runsFor([
    { set: 'ts', from: 0, to: 2 },
    { set: 'ts', from: 3, to: 4, source: 1 },
    { set: 'ts', from: 5, to: 5 },
  ]);
  expect(run && shape([run])).toEqual([[3, 2, 1]]);
});

test('what goes on from a mirror without a seam is one timeline', () => {
  const records = recordsOf([
    { set: 'ts', from: 0, to: 2 },
    { set: 'ts', from: 3, to: 4, source: 1 },
  ]);
  const [run] = runsOf(ledgerOf(records), { goesOn: () => true }).map((each) => each.run);
  expect(run && shape([run])).toEqual([[5]]);
});

test('another initialisation section begins a run, and so does the first one when it comes back', () => {
  const runs = runsFor([
    { set: 'fmp4', from: 0, to: 3 },
    { set: 'fmp4hi', from: 0, to: 1, discontinuity: 1 },
    { set: 'fmp4', from: 4, to: 5, discontinuity: 2 },
  ]);
  expect(shape(runs)).toEqual([[4], [2], [2]]);
});

test('another container begins a run', () => {
  const runs = runsFor([
    { set: 'ts', from: 0, to: 3 },
    { set: 'fmp4', from: 0, to: 1, discontinuity: 1 },
  ]);
  expect(runs.map(({ container }) => container)).toEqual(['ts', 'fmp4']);
});

test('other codec parameters after a discontinuity begin a run', () => {
  const stretches: Stretch[] = [
    { set: 'ts', from: 0, to: 1 },
    { set: 'ts', from: 2, to: 3, discontinuity: 1 },
    { set: 'hi', from: 0, to: 2, discontinuity: 2 },
  ];
  expect(shape(runsFor(stretches, (set) => set))).toEqual([[2, 2], [3]]);
});

test('parameters that nobody could read split nothing', () => {
  const stretches: Stretch[] = [
    { set: 'ts', from: 0, to: 1 },
    { set: 'hi', from: 0, to: 2, discontinuity: 1 },
  ];
  expect(shape(runsFor(stretches))).toEqual([[2, 3]]);
});

test('a separate rendition with the same breaks goes with the main track', () => {
  const runs = runsFor([
    { set: 'ts', from: 0, to: 3 },
    { set: 'hi', from: 0, to: 3, track: 'audio' },
  ]);
  expect(runs).toMatchObject([{ track: 'main', companions: [{ track: 'audio' }] }]);
});

test('a ledger without segments has no runs', () => {
  expect(runsFor([])).toEqual([]);
});
