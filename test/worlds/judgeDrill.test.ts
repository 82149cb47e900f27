import { expect, test } from 'vitest';
import { drillFaults, wrongTimes } from '../support/worlds/drills/drillFault.ts';
import { DRILL_KINDS, type DrillKind } from '../support/worlds/drills/drillKinds.ts';
import { type Drilled, judgeDrill } from '../support/worlds/drills/judgeDrill.ts';

/** That each drill can fail: whatever is wrong with it is said. */

const of = (leadsTo: DrillKind['leadsTo']): readonly DrillKind[] =>
  DRILL_KINDS.filter((kind) => kind.leadsTo === leadsTo);

const good = (kind: DrillKind): Drilled => ({
  kind: kind.name,
  faults: [{ isTold: true, noticedMs: 0, restartMs: 500, mediaMs: 1_500 }],
  ...(kind.leadsTo === 'stops' && { endedMs: 4_300 }),
  orphans: [],
  strays: [],
  untruths: [],
  ...(kind.leadsTo === 'fails'
    ? { state: 'failed', verdict: kind.verdict }
    : { state: 'done', outcome: 'gaps' }),
  story: '',
});

test.each(DRILL_KINDS)('$name: nothing is wrong with a good one', (kind) => {
  expect(judgeDrill(kind, good(kind))).toEqual([]);
});

const faults = (fault: object): Partial<Drilled> => ({
  faults: [{ isTold: true, mediaMs: 1_500, ...fault }],
});

test.each(
  DRILL_KINDS.flatMap((kind) =>
    (
      [
        ['an orphan', { orphans: ['process 7'] }],
        ['a stray', { strays: ['file x.part'] }],
        ['the proof is untrue', { untruths: ['1000 ms are missing and not named'] }],
        ['nothing was done', { faults: [] }],
        ['was not told', faults({ isTold: false })],
        ['the job ended as failed (tool.failed)', { state: 'failed', verdict: 'tool.failed' }],
        [
          'the job ended as done (truncated)',
          { state: 'done', outcome: 'truncated', verdict: undefined },
        ],
      ] as const
    ).map(([wrong, planted]) => ({ name: kind.name, kind, wrong, planted })),
  ),
)('$name: $wrong', ({ kind, wrong, planted }) => {
  expect(judgeDrill(kind, { ...good(kind), ...planted }).join()).toContain(wrong);
});

test.each(of('recovers'))('$name: nothing comes afterwards', (kind) => {
  const planted = faults({ mediaMs: undefined });
  expect(judgeDrill(kind, { ...good(kind), ...planted })).toEqual([
    'nothing was recorded after fault 1',
  ]);
});

test.each(of('stops'))('$name: it takes too long to end, or does not', (kind) => {
  expect(judgeDrill(kind, { ...good(kind), endedMs: 9_000 })).toEqual(['it ended in 9000 ms']);
  const { endedMs: _, ...endless } = good(kind);
  expect(judgeDrill(kind, endless)).toHaveLength(1);
});

const kind: DrillKind = {
  ...{ name: 'any', recorder: 'yt-dlp', needs: [], leadsTo: 'recovers', reason: /true reason/ },
};
const stored = (at: number) =>
  ({ t: 'segment', at }) as Parameters<typeof drillFaults>[0]['records'][number];

test('a fault is told of by its own end, and recovered from by the next program', () => {
  const programs = [
    { pid: 1, startedAt: 1_000, endedAt: 5_040 },
    { pid: 2, startedAt: 5_600, endedAt: 9_000 },
    { pid: 3, startedAt: 9_500 },
  ];
  const told = [
    { at: 5_100, text: 'a true reason' },
    { at: 9_010, text: 'another one' },
  ];
  const records = [stored(4_000), stored(5_200), stored(6_900), stored(8_000)];
  const times = [5_000, 9_000, 12_000];
  expect(drillFaults({ kind, times, programs, told, records })).toEqual([
    { isTold: true, noticedMs: 40, restartMs: 600, mediaMs: 1_900 },
    { isTold: false, noticedMs: 0, restartMs: 500 },
    { isTold: false },
  ]);
});

test('a stop is noticed when Kennel says so, and what floods from its start is told of after that', () => {
  const programs = [
    { pid: 1, startedAt: 1_000, endedAt: 4_000 },
    { pid: 2, startedAt: 4_300 },
  ];
  const early = [{ at: 900, text: 'a true reason' }];
  const late = [{ at: 3_000, text: 'a true reason' }];
  const records = [stored(5_000)];
  const seen = { times: [1_000], programs, records };
  const flood: DrillKind = { ...kind, wrongFrom: 'start' };
  expect(drillFaults({ ...seen, kind: flood, told: early })[0]?.isTold).toBe(false);
  expect(drillFaults({ ...seen, kind: flood, told: late })).toEqual([
    { isTold: true, noticedMs: 2_000, restartMs: 3_300, mediaMs: 4_000 },
  ]);
});

test('programs that behave, or were told to end, did no wrong', () => {
  const programs = [
    { pid: 1, startedAt: 1_000, childAt: 1_500, endedAt: 2_000 },
    { pid: 2, startedAt: 2_300, childAt: 2_900, endedAt: 9_100 },
    { pid: 3, startedAt: 4_000, childAt: 4_500, endedAt: 5_000 },
    { pid: 4, startedAt: 6_000 },
  ];
  const between = { reformedAt: 3_000, stoppedAt: 9_000 };
  expect(wrongTimes(kind, programs, between)).toEqual([2_000]);
  expect(wrongTimes({ ...kind, wrongFrom: 'child' }, programs, between)).toEqual([1_500]);
  expect(wrongTimes({ ...kind, wrongFrom: 'start' }, programs, {})).toEqual([1_000, 2_300, 4_000]);
});
