import { expect, test } from 'vitest';
import type { LedgerRecord, MarkSeen } from '../../../src/ledger/record.ts';
import { MARKS_MAX, marksOf } from '../../../src/media/marks.ts';
import type { MuxedFile, MuxResult } from '../../../src/media/mux/muxResult.ts';
import { ledgerOf, recordsOf } from './recording.ts';

const WALL = Date.UTC(2026, 2, 1, 12);

const mark = (changes: Partial<MarkSeen>): MarkSeen => ({
  ...{ t: 'mark', track: 'main', epoch: 0, msn: 100, at: 0 },
  ...{ kind: 'cue', tag: 'EXT-X-CUE-OUT', value: '30' },
  ...changes,
});

/** Ten segments of a second, the fourth lost and its hole closed in the file. */
function setup(marks: readonly MarkSeen[], options: { wall?: boolean } = {}) {
  const records: LedgerRecord[] = recordsOf([{ set: 'ts', from: 0, to: 9, lost: [3] }]).map(
    (record) =>
      record.t === 'segment' && options.wall === true
        ? { ...record, wallClock: WALL + (record.msn - 100) * 1_000 }
        : record,
  );
  // Only what is asked for here.
  const file = {
    file: 'film.mp4',
    track: 'main',
    anchors: [
      { epoch: 0, msn: 100, atMs: 0 },
      { epoch: 0, msn: 104, atMs: 3_010 },
    ],
  } as unknown as MuxedFile;
  const mux: MuxResult = {
    ...{ v: 2, source: '', files: [file], sidecars: [], damaged: [], unjoined: [] },
  };
  return marksOf(ledgerOf([...records, ...marks]), mux);
}

test('a mark stands where its segment begins in the file', () => {
  const { list, count } = setup([mark({ msn: 102 }), mark({ msn: 106, tag: 'EXT-X-CUE-IN' })]);
  expect(count).toBe(2);
  expect(list).toMatchObject([
    { tag: 'EXT-X-CUE-OUT', wallClock: null, at: { file: 'film.mp4', offsetMs: 2_000 } },
    { tag: 'EXT-X-CUE-IN', at: { offsetMs: 5_010 } },
  ]);
});

test('a mark before a lost segment has no place', () => {
  expect(setup([mark({ msn: 103 })]).list).toMatchObject([{ at: null }]);
});

test('a date range stands where it says that it begins, and its last line counts', () => {
  const range = { kind: 'daterange', tag: 'EXT-X-DATERANGE', id: 'ad' } as const;
  const { list, count } = setup(
    [
      mark({ ...range, startsAt: WALL + 5_250, value: 'first' }),
      mark({ ...range, startsAt: WALL + 5_250, durationMs: 7, value: 'second', msn: 101 }),
    ],
    { wall: true },
  );
  expect(count).toBe(1);
  expect(list).toMatchObject([
    { value: 'second', durationMs: 7, wallClock: WALL + 5_250, at: { offsetMs: 4_260 } },
  ]);
});

test('very many marks are counted, and the first of them listed', () => {
  const { list, count } = setup(Array.from({ length: MARKS_MAX + 5 }, () => mark({})));
  expect([list.length, count]).toEqual([MARKS_MAX, MARKS_MAX + 5]);
});
