import { describe, expect, it } from 'vitest';
import { Planner } from '../../../src/hls/planner/planner.ts';
import type { PlannerResume } from '../../../src/hls/planner/resume.ts';
import type { MediaPlaylist, PlaylistMark } from '../../../src/hls/playlist/model.ts';

const DATE = Date.UTC(2026, 0, 1);

const out = (value: string): PlaylistMark => ({ kind: 'cue', tag: 'EXT-X-CUE-OUT', value });
const range = (id: string, value: string): PlaylistMark => ({
  ...{ kind: 'daterange', tag: 'EXT-X-DATERANGE', id, value, startsAt: DATE, durationMs: 30_000 },
});

/** Four segments from `first` on; `marks` by number. */
const window = (
  first: number,
  marks: Readonly<Record<number, readonly PlaylistMark[]>>,
  { shift = 0, gap = false } = {},
): MediaPlaylist => ({
  kind: 'media',
  targetDurationMs: 4_000,
  mediaSequence: first + shift,
  discontinuitySequence: 0,
  endList: false,
  windowMs: 16_000,
  segments: [0, 1, 2, 3].map((index) => {
    const msn = first + index;
    return {
      msn: msn + shift,
      url: new URL(`http://origin.test/${msn}.ts`),
      identity: `/${msn}.ts`,
      durationMs: 4_000,
      discontinuity: 0,
      wallClock: DATE + msn * 4_000,
      gap,
      ...(marks[msn] !== undefined && { marks: marks[msn] }),
    };
  }),
});

const setup = (resume?: PlannerResume) => {
  const planner = new Planner({ track: 'main', patienceMs: 60_000, now: 0, resume });
  let now = 0;
  const hear = (playlist: MediaPlaylist, source = 0) => {
    now += 4_000;
    planner.onPlaylist(planner.onPollSent(now, source), playlist, now);
    const { records, fetch } = planner.plan(now);
    for (const order of fetch) {
      if (order.purpose === 'probe') planner.onProbed({ checksum: 'ten' }, { now, jitter: 0 });
      else planner.onFetched(order.key, order.segment.identity, now);
    }
    return [...records, ...planner.plan(now).records].flatMap((record) =>
      record.t === 'mark' ? [`${record.msn} ${record.tag} ${record.value}`] : [],
    );
  };
  return { planner, hear };
};

describe('marks', () => {
  it('are named with the place and the date of the segment they stand before', () => {
    const { planner } = setup();
    planner.onPlaylist(
      planner.onPollSent(0),
      window(10, { 11: [out('30')], 12: [range('a', 'x')] }),
      0,
    );
    const place = { track: 'main', epoch: 0 };
    expect(planner.plan(0).records.slice(1)).toEqual([
      {
        ...{ t: 'mark', ...place, msn: 11, kind: 'cue', tag: 'EXT-X-CUE-OUT', value: '30' },
        startsAt: DATE + 44_000,
      },
      {
        ...{ t: 'mark', ...place, msn: 12, kind: 'daterange', tag: 'EXT-X-DATERANGE', value: 'x' },
        ...{ id: 'a', startsAt: DATE, durationMs: 30_000 },
      },
    ]);
  });

  it('are named once, however often they are listed', () => {
    const { hear } = setup();
    expect(hear(window(10, { 12: [out('30')] }))).toEqual(['12 EXT-X-CUE-OUT 30']);
    expect(hear(window(11, { 12: [out('30')], 14: [out('30')] }))).toEqual(['14 EXT-X-CUE-OUT 30']);
    expect(hear(window(12, { 12: [out('30')], 14: [out('30')] }))).toEqual([]);
  });

  it('that come late, before a segment that is listed already, are named too', () => {
    const { hear } = setup();
    hear(window(10, {}));
    expect(hear(window(10, { 11: [out('30')] }))).toEqual(['11 EXT-X-CUE-OUT 30']);
  });

  it('of a date range are named again when its line changes, and not when it moves to another segment', () => {
    const { hear } = setup();
    expect(hear(window(10, { 10: [range('a', 'x')] }))).toEqual(['10 EXT-X-DATERANGE x']);
    expect(hear(window(11, { 11: [range('a', 'x')] }))).toEqual([]);
    expect(hear(window(12, { 12: [range('a', 'x,END')] }))).toEqual(['12 EXT-X-DATERANGE x,END']);
  });

  it('of segments that do not exist are named as well', () => {
    const { hear } = setup();
    expect(hear(window(10, { 12: [out('30')] }, { gap: true }))).toEqual(['12 EXT-X-CUE-OUT 30']);
  });

  it('of a second source are those of the first one, under its numbers', () => {
    const { hear } = setup();
    hear(window(10, { 12: [out('30')] }));
    const second = window(10, { 12: [out('30')], 13: [out('15')] }, { shift: 700 });
    expect(hear(second, 1)).toEqual(['13 EXT-X-CUE-OUT 15']);
  });

  it('of what an earlier life settled are not named again', () => {
    const { hear } = setup({
      ...{ epoch: 0, home: 0, next: 12, first: 10, openBelow: 0, holes: [11], left: [] },
      tail: [{ epoch: 0, msn: 10, checksum: 'ten' }],
      ...{ segmentMs: 4_000, idleMs: 4_000, settled: 1 },
    });
    const marks = { 10: [range('a', 'x')], 11: [out('30')], 12: [out('30')] };
    expect(hear(window(10, marks))).toEqual(['11 EXT-X-CUE-OUT 30', '12 EXT-X-CUE-OUT 30']);
    expect(hear(window(11, { ...marks, 11: [range('a', 'x')] }))).toEqual([]);
  });

  it('of known media that comes back under other numbers are not named again', () => {
    const { hear } = setup();
    hear(window(10, { 12: [out('30')] }));
    const moved = window(12, { 12: [out('30')], 14: [out('15')] }, { shift: 500 });
    expect(hear(moved)).toEqual(['514 EXT-X-CUE-OUT 15']);
  });
});
