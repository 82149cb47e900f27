import { expect, test } from 'vitest';
import type { LedgerRecord, SegmentStored } from '../../../src/ledger/record.ts';
import type { Run } from '../../../src/media/joinedRun.ts';
import { runsOf } from '../../../src/media/runsOf.ts';
import { WRAP_SECONDS } from '../../../src/media/timing/timestampWrap.ts';
import { JOB_ID, ledgerOf } from './recording.ts';

/** Segments of 2 s of one track. */
interface Stretch {
  readonly track?: string;
  readonly epoch?: number;
  readonly discontinuity?: number;
  /** First timestamp, seconds; absent: nobody could read it. */
  readonly clock?: number;
  readonly count: number;
  /** Which of them are lost. */
  readonly lost?: readonly number[];
  /** Seconds since the epoch. */
  readonly wall?: number;
  readonly container?: SegmentStored['container'];
  readonly parameters?: string;
  readonly init?: number;
  readonly source?: number;
}

const SECONDS = 2;

function setup(stretches: readonly Stretch[]) {
  const records: LedgerRecord[] = [{ t: 'recording', v: 1, jobId: JOB_ID, at: 0 }];
  const clocks = new Map<string, number>();
  const parameters = new Map<string, string>();
  const next = new Map<string, number>();
  for (const stretch of stretches) {
    const { track = 'main', epoch = 0, discontinuity = 0, container = 'ts', init } = stretch;
    if (init !== undefined) {
      const file = `init-${init}`;
      records.push({ t: 'init', init, track, file, bytes: 1, checksum: String(init) });
    }
    for (let index = 0; index < stretch.count; index++) {
      const place = `${track}/${epoch}`;
      const msn = next.get(place) ?? 0;
      next.set(place, msn + 1);
      const key = { track, epoch, msn, at: 0, durationMs: SECONDS * 1_000 };
      if (stretch.lost?.includes(index)) {
        records.push({ t: 'gap', ...key, count: 1, cause: 'timeout', detail: '' });
        continue;
      }
      const file = `${place}/${msn}`;
      if (stretch.clock !== undefined) clocks.set(file, stretch.clock + index * SECONDS);
      if (stretch.parameters !== undefined) parameters.set(file, stretch.parameters);
      records.push({
        t: 'segment',
        ...key,
        bytes: 1,
        checksum: file,
        file,
        container,
        discontinuity,
        ...(init !== undefined && { init }),
        ...(stretch.source !== undefined && { source: stretch.source }),
        ...(stretch.wall !== undefined && { wallClock: (stretch.wall + index * SECONDS) * 1_000 }),
      });
    }
  }
  return runsOf(ledgerOf(records), {
    parametersOf: ({ file }) => parameters.get(file),
    measuredOf: ({ file }) => {
      const startSeconds = clocks.get(file);
      return startSeconds === undefined ? undefined : { startSeconds };
    },
  }).map(({ run }) => run);
}

/** Section by section: rendition, start on the section's clock, and number of segments of each part. */
const sections = ({ sections: all }: Run | { sections: Run['sections'] }) =>
  all.map(({ parts }) =>
    parts.map((part) => [
      part.rendition,
      Math.round((part.startsSeconds[0] ?? Number.NaN) * 100) / 100,
      part.timeline.segments.length,
    ]),
  );

test('renditions on one clock are one section, wherever they begin and whatever they lack', () => {
  const [run, ...more] = setup([
    { clock: 100, count: 5, lost: [2] },
    { track: 'audio-en', clock: 98, count: 7, lost: [4, 5] },
  ]);
  expect(more).toEqual([]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 4],
      [1, 98, 5],
    ],
  ]);
  expect(run?.companions).toMatchObject([{ track: 'audio-en', kind: 'audio', pairedBy: 'clock' }]);
});

test('a break in one playlist alone changes nothing', () => {
  const [run] = setup([
    { clock: 100, count: 2 },
    { clock: 104, count: 3, epoch: 1 },
    { track: 'audio-en', clock: 100, count: 3 },
    { track: 'audio-en', clock: 106, count: 2, epoch: 1 },
  ]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 2],
      [0, 104, 3],
      [1, 100, 3],
      [1, 106, 2],
    ],
  ]);
});

test('pictures from another link play on the clock of the sound that goes on without them', () => {
  const [run, ...more] = setup([
    { clock: 100, count: 3 },
    { clock: 7_000, count: 2, source: 1 },
    { clock: 110, count: 3 },
    { track: 'audio-en', clock: 100, count: 8 },
  ]);
  expect(more).toEqual([]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 3],
      [0, 106, 2],
      [0, 110, 3],
      [1, 100, 8],
    ],
  ]);
});

test('an encoder that starts again with the same timestamps is told from its first life by the place', () => {
  const [run] = setup([
    { clock: 10, count: 5 },
    { clock: 10, count: 4, epoch: 1 },
    { track: 'audio-en', clock: 10, count: 2 },
    // Its playlist had other numbers already in the first life.
    { track: 'audio-en', clock: 14, count: 3, epoch: 1 },
    { track: 'audio-en', clock: 10, count: 4, epoch: 2 },
  ]);
  expect(run && sections(run)).toEqual([
    [
      [0, 10, 5],
      [1, 10, 2],
      [1, 14, 3],
    ],
    [
      [0, 10, 4],
      [1, 10, 4],
    ],
  ]);
});

test('a discontinuity that the main track lost plays between its neighbours', () => {
  const [run] = setup([
    { clock: 100, count: 2 },
    { clock: 10, count: 2, discontinuity: 1, lost: [0, 1] },
    { clock: 104, count: 2, discontinuity: 2 },
    { track: 'audio-en', clock: 100, count: 2 },
    { track: 'audio-en', clock: 10, count: 2, discontinuity: 1 },
    { track: 'audio-en', clock: 104, count: 2, discontinuity: 2 },
  ]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 2],
      [1, 100, 2],
    ],
    [[1, 10, 2]],
    [
      [0, 104, 2],
      [1, 104, 2],
    ],
  ]);
});

test('timestamps that wrapped belong to the clock that they wrapped from', () => {
  const [run] = setup([
    { clock: WRAP_SECONDS - 4, count: 5 },
    { track: 'audio-en', clock: 2, count: 2 },
  ]);
  expect(run?.sections[0]?.parts[1]?.shiftSeconds).toBeCloseTo(WRAP_SECONDS);
});

test('clocks that differ are paired by the wall clock', () => {
  const [run] = setup([
    { clock: 100, count: 5, wall: 5_000 },
    { track: 'audio-en', clock: 9_000, count: 4, wall: 5_002 },
  ]);
  expect(run?.companions).toMatchObject([{ pairedBy: 'wallClock' }]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 5],
      [1, 102, 4],
    ],
  ]);
});

test('without anything in common the durations decide', () => {
  const [run] = setup([
    { clock: 100, count: 5 },
    { track: 'audio-en', clock: 9_000, count: 5, lost: [0] },
  ]);
  expect(run?.companions).toMatchObject([{ pairedBy: 'durations' }]);
  expect(run && sections(run)).toEqual([
    [
      [0, 100, 5],
      [1, 102, 4],
    ],
  ]);
});

test('a wall clock tells a far discontinuity from a near one with the same timestamps', () => {
  const [run] = setup([
    { clock: 10, count: 3, wall: 1_000 },
    { clock: 10, count: 3, wall: 9_000, discontinuity: 4 },
    { track: 'audio-en', clock: 10, count: 3, wall: 9_000, discontinuity: 9 },
  ]);
  expect(run && sections(run)).toEqual([
    [[0, 10, 3]],
    [
      [0, 10, 3],
      [1, 10, 3],
    ],
  ]);
});

test('where the picture changes so that another file begins, the sound is divided there', () => {
  const runs = setup([
    { clock: 100, count: 3, parameters: 'large' },
    { clock: 106, count: 2, epoch: 1, parameters: 'small' },
    { track: 'audio-en', clock: 100, count: 5 },
  ]);
  expect(runs.map(sections)).toEqual([
    [
      [
        [0, 100, 3],
        [1, 100, 3],
      ],
    ],
    [
      [
        [0, 106, 2],
        [1, 106, 2],
      ],
    ],
  ]);
});

test('sound whose parameters change gives the rarer kind a file of its own', () => {
  const runs = setup([
    { clock: 100, count: 5 },
    { track: 'audio-en', clock: 100, count: 3, parameters: 'stereo' },
    { track: 'audio-en', clock: 106, count: 2, parameters: 'mono', discontinuity: 1 },
  ]);
  expect(runs.map(({ track, companions }) => [track, companions.length])).toEqual([
    ['main', 1],
    ['audio-en', 0],
  ]);
  expect(runs[1] && sections(runs[1])).toEqual([[[0, 106, 2]]]);
});

test('sound that nobody can read is left by itself', () => {
  const runs = setup([
    { clock: 100, count: 3 },
    { track: 'audio-en', count: 3 },
  ]);
  expect(runs.map(({ track, companions }) => [track, companions.length])).toEqual([
    ['main', 0],
    ['audio-en', 0],
  ]);
});

test('thousands of breaks are joined in seconds: each piece is only compared with what can be its own', () => {
  const breaks = Array.from({ length: 2_000 }, (_, discontinuity) => discontinuity);
  // Every encoder that starts again begins at the same timestamp.
  const [run, ...more] = setup([
    ...breaks.map((discontinuity) => ({ clock: 10, count: 1, discontinuity })),
    ...breaks.map((discontinuity) => ({ track: 'audio-en', clock: 10, count: 1, discontinuity })),
  ]);
  expect(more).toEqual([]);
  const numbers = run?.sections.map(({ parts }) =>
    parts.flatMap(({ timeline }) => timeline.segments.map(({ track, msn }) => `${track} ${msn}`)),
  );
  expect(numbers).toEqual(breaks.map((msn) => [`main ${msn}`, `audio-en ${msn}`]));
});

test('no segment is ever in two files or in none', () => {
  const runs = setup([
    { clock: 100, count: 3, parameters: 'large' },
    { clock: 106, count: 4, epoch: 1, parameters: 'small', lost: [1] },
    { clock: 10, count: 4, epoch: 2, discontinuity: 3 },
    { track: 'audio-en', clock: 96, count: 9, lost: [3] },
    { track: 'audio-en', clock: 114, count: 2, epoch: 1 },
    { track: 'audio-en', clock: 500, count: 2, epoch: 1, discontinuity: 2 },
    { track: 'audio-en', clock: 10, count: 3, epoch: 1, discontinuity: 3, parameters: 'mono' },
    { track: 'audio-de', count: 4 },
  ]);
  const files = runs.flatMap((run) =>
    run.sections.flatMap(({ parts }) =>
      parts.flatMap(({ timeline }) => timeline.segments.map(({ file }) => file)),
    ),
  );
  expect(new Set(files).size).toBe(files.length);
  expect(files).toHaveLength(3 + 3 + 4 + 8 + 2 + 2 + 3 + 4);
});
