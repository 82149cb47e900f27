import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveThrough, type WorldEvent, type WorldOptions } from './plannerWorld.ts';

const live = (events: readonly WorldEvent[], options: Partial<WorldOptions> = {}) =>
  liveThrough({ window: 6, endsAt: 30_000, latencies: [40, 120, 80], events, ...options });

const epochs = ({ records }: ReturnType<typeof live>) =>
  records.flatMap((record) => (record.t === 'epoch' ? record.why : []));

const gaps = ({ ledger }: ReturnType<typeof live>) =>
  ledger.gaps().map(({ cause, count }) => `${cause} ${count}`);

/** Contents that were shown and not stored, and contents that were stored more than once. */
const missing = ({ seen, stored }: ReturnType<typeof live>) =>
  [...seen].filter((content) => !stored.has(content));
const doubled = ({ stored }: ReturnType<typeof live>) =>
  [...stored].filter(([, times]) => times > 1).map(([content]) => content);

describe('a planned recording', () => {
  it('takes a whole live stream, from the oldest segment of the first window to ENDLIST', () => {
    const result = live([]);
    expect(result.end).toBe('endlist');
    expect(result.ledger.stored).toBe(31);
    expect(gaps(result)).toEqual([]);
    expect(epochs(result)).toEqual(['first']);
  });

  it('opens an epoch when the encoder begins again at a low number, and loses nothing', () => {
    const result = live([{ kind: 'reset', at: 12_500, sameNames: false }]);
    expect(epochs(result)).toEqual(['first', 'reset']);
    expect(missing(result)).toEqual([]);
    expect(doubled(result)).toEqual([]);
  });

  it('tells a restart under the old file names from a stale answer by its content', () => {
    const reset = { kind: 'reset', sameNames: true } as const;
    const twice = live([
      { ...reset, at: 3_500 },
      { ...reset, at: 12_500 },
    ]);
    expect(epochs(twice)).toEqual(['first', 'reset', 'reset']);
    expect(missing(twice)).toEqual([]);
  });

  it('stores nothing twice when the same media comes back under other numbers', () => {
    for (const by of [-7, -3, -1, 1, 4, 5_000]) {
      const result = live([{ kind: 'relabel', at: 12_500, by }]);
      expect(epochs(result)).toEqual(['first', 'relabelled']);
      expect(missing(result)).toEqual([]);
      expect(doubled(result)).toEqual([]);
      expect(gaps(result)).toEqual([]);
    }
  });

  it('goes on in the same epoch when only the paths change', () => {
    const result = live([{ kind: 'rename', at: 12_500 }]);
    expect(epochs(result)).toEqual(['first']);
    expect(missing(result)).toEqual([]);
    expect(doubled(result)).toEqual([]);
  });

  it('ignores answers from an edge that is behind', () => {
    for (const byMs of [1_000, 4_000, 9_000]) {
      const result = live([{ kind: 'stale', at: 12_000, forMs: 8_000, byMs }]);
      expect(epochs(result)).toEqual(['first']);
      expect(missing(result)).toEqual([]);
      expect(doubled(result)).toEqual([]);
    }
  });

  it('names what slid out of the window while the playlist could not be had', () => {
    const result = live([{ kind: 'outage', at: 10_000, forMs: 12_000 }]);
    expect(gaps(result)).toEqual(['window.slid 7']);
    expect(result.ledger.stored).toBe(24);
  });

  it('opens an epoch for a step that time cannot explain', () => {
    const result = live([
      { kind: 'outage', at: 10_000, forMs: 8_000 },
      { kind: 'relabel', at: 12_000, by: 5_000 },
      { kind: 'rename', at: 12_000 },
    ]);
    expect(epochs(result)).toEqual(['first', 'jump']);
    expect(missing(result)).toEqual([]);
  });

  it('keeps trying a sick segment while it can be in the window, and then names it', () => {
    const cured = live([{ kind: 'sick', content: 15, times: 6 }]);
    expect(gaps(cured)).toEqual([]);
    const incurable = live([{ kind: 'sick', content: 15, times: 999 }]);
    expect(gaps(incurable)).toEqual(['http.500 1']);
    expect(incurable.ledger.stored).toBe(30);
  });

  it('continues after a crash where it was, and names only what slid out meanwhile', () => {
    for (const [forMs, lost] of [
      [1_000, 0],
      [4_000, 0],
      [12_000, 6],
    ] as const) {
      const result = live([{ kind: 'crash', at: 10_900, forMs }], { endsAt: 40_000 });
      expect(epochs(result)).toEqual(['first']);
      expect(doubled(result)).toEqual([]);
      expect(missing(result)).toEqual([]);
      expect(result.ledger.lost).toBe(lost);
      expect(result.ledger.stored).toBe(41 - lost);
    }
  });

  it('names what slid out while it was dead although nothing had been settled before', () => {
    const result = live([{ kind: 'crash', at: 60, forMs: 9_000 }], { latencies: [40, 5_000] });
    expect(epochs(result)).toEqual(['first']);
    expect(gaps(result)).toEqual(['window.slid 4']);
    expect(missing(result)).toEqual([0]);
  });

  it('stores nothing twice when it dies soon after the numbers moved', () => {
    for (const by of [-4, 3, 900]) {
      for (const at of [13_000, 13_900, 15_100]) {
        const moved = { kind: 'relabel', at: 12_500, by } as const;
        const result = live([moved, { kind: 'crash', at, forMs: 1_000 }]);
        expect(doubled(result)).toEqual([]);
        expect(missing(result)).toEqual([]);
        expect(gaps(result)).toEqual([]);
      }
    }
  });

  it('names what was on its way when it died although the source never comes back', () => {
    const result = live([
      { kind: 'sick', content: 6, times: 999 },
      { kind: 'crash', at: 9_500, forMs: 1_000 },
      { kind: 'outage', at: 9_500, forMs: 500_000 },
    ]);
    expect(result.end).toBe('source.vanished');
    expect(gaps(result)).toEqual(['network 1']);
    expect(missing(result)).toEqual([6]);
  });

  it('still knows after a crash what was stored before it, by its content', () => {
    const crash = { kind: 'crash', at: 10_900, forMs: 500 } as const;
    const others: readonly WorldEvent[] = [
      { kind: 'rename', at: 12_500 },
      { kind: 'rename', at: 16_500 },
      { kind: 'stale', at: 10_000, forMs: 9_000, byMs: 4_000 },
      { kind: 'stale', at: 10_000, forMs: 9_000, byMs: 7_000 },
    ];
    for (const other of others) {
      const result = live([crash, other], { window: 4 });
      expect(epochs(result)).toEqual(['first']);
      expect(doubled(result)).toEqual([]);
      expect(missing(result)).toEqual([]);
    }
  });

  it('names what an epoch left behind when the recorder died soon after the next one began', () => {
    const result = live([
      { kind: 'sick', content: 9, times: 999 },
      { kind: 'reset', at: 12_500, sameNames: false },
      { kind: 'crash', at: 14_500, forMs: 1_000 },
    ]);
    expect(epochs(result)).toEqual(['first', 'reset']);
    expect(missing(result)).toEqual([9]);
    expect(gaps(result)).toEqual(['window.slid 1']);
  });

  it('knows after a crash that the numbers began again, or that they moved', () => {
    const crash = { kind: 'crash', at: 10_900, forMs: 2_000 } as const;
    const began = live([crash, { kind: 'reset', at: 11_950, sameNames: true }]);
    expect(epochs(began)).toEqual(['first', 'reset']);
    expect(missing(began)).toEqual([]);
    expect(doubled(began)).toEqual([]);
    for (const by of [-4, 2, 900]) {
      const moved = live([crash, { kind: 'relabel', at: 11_950, by }]);
      expect(epochs(moved)).toEqual(['first', 'relabelled']);
      expect(missing(moved)).toEqual([]);
      expect(doubled(moved)).toEqual([]);
      expect(moved.ledger.lost).toBe(0);
    }
  });
});

const time = fc.integer({ min: 1_000, max: 28_000 });
const event: fc.Arbitrary<WorldEvent> = fc.oneof(
  fc.record({ kind: fc.constant('reset' as const), at: time, sameNames: fc.constant(false) }),
  fc.record({
    kind: fc.constant('relabel' as const),
    at: time,
    by: fc.integer({ min: -8, max: 50 }),
  }),
  fc.record({
    kind: fc.constant('outage' as const),
    at: time,
    forMs: fc.integer({ min: 500, max: 12_000 }),
  }),
  fc.record({
    kind: fc.constant('stale' as const),
    at: time,
    forMs: fc.integer({ min: 1_000, max: 8_000 }),
    byMs: fc.integer({ min: 0, max: 5_000 }),
  }),
  fc.record({
    kind: fc.constant('crash' as const),
    at: time,
    forMs: fc.integer({ min: 0, max: 10_000 }),
  }),
  fc.record({
    kind: fc.constant('sick' as const),
    content: fc.integer({ min: 0, max: 30 }),
    times: fc.integer({ min: 1, max: 60 }),
  }),
);
const world = fc.record({
  window: fc.integer({ min: 3, max: 8 }),
  endsAt: fc.constant(30_000),
  events: fc.array(event, { maxLength: 5 }),
  latencies: fc.array(fc.integer({ min: 5, max: 1_800 }), { minLength: 1, maxLength: 8 }),
});

const quick = fc.array(fc.integer({ min: 5, max: 400 }), { minLength: 1, maxLength: 8 });

describe('whatever the origin does', () => {
  it('advertised is stored plus named when it ends, and no more than allowed is under way', () => {
    fc.assert(
      fc.property(world, (options) => {
        const result = liveThrough(options);
        const { planner, ledger } = result;
        expect(planner.settled).toBe(planner.advertised);
        expect(ledger.stored + ledger.lost).toBe(ledger.advertised);
        expect(ledger.duplicates).toBe(0);
        expect(result.fetchesMost).toBeLessThanOrEqual(4); // three segments and a probe
        expect(result.pollsMost).toBeLessThanOrEqual(4);
        // While nobody looked, numbers that moved or began again hide how much went by.
        const kinds = new Set(options.events.map(({ kind }) => kind));
        const blind = kinds.has('crash') || kinds.has('outage');
        if (blind && (kinds.has('reset') || kinds.has('relabel'))) return;
        // An edge that is behind may list what is older than the recording.
        const [start = 0] = result.seen;
        const unstored = missing(result).filter((content) => content >= start);
        expect(unstored.length).toBeLessThanOrEqual(ledger.lost);
        const moved = kinds.has('reset') || kinds.has('relabel');
        if (!moved) expect([doubled(result), epochs(result)]).toEqual([[], ['first']]);
      }),
      { numRuns: 300 },
    );
  });

  it('nothing is stored twice, and what was shown in time is not lost, while only one thing goes wrong', () => {
    fc.assert(
      fc.property(world, quick, event, (options, latencies, only) => {
        const result = liveThrough({ ...options, latencies, events: [only] });
        expect(doubled(result)).toEqual([]);
        if (only.kind !== 'sick' && only.kind !== 'crash' && only.kind !== 'outage') {
          expect(missing(result)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
