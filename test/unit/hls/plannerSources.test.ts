import { describe, expect, it } from 'vitest';
import {
  liveThroughSources,
  type SourceOptions,
  type SourcesWorldOptions,
} from './plannerSourcesWorld.ts';

const source = (options: Partial<SourceOptions> = {}): SourceOptions => ({
  base: 100,
  lagMs: 0,
  window: 6,
  names: 'a',
  bytes: 'x',
  dated: false,
  events: [],
  ...options,
});

const live = (
  sources: readonly Partial<SourceOptions>[],
  options: Partial<Omit<SourcesWorldOptions, 'sources'>> = {},
) =>
  liveThroughSources({
    dual: true,
    endsAt: 40_000,
    latencies: [40, 120, 80],
    ...options,
    sources: sources.map(source),
  });

const epochs = ({ records }: ReturnType<typeof live>) =>
  records.flatMap((record) => (record.t === 'epoch' ? record.why : []));
const gaps = ({ ledger }: ReturnType<typeof live>) =>
  ledger.gaps().map(({ cause, count }) => `${cause} ${count}`);
const doubled = ({ stored }: ReturnType<typeof live>) =>
  [...stored].filter(([, times]) => times > 1).map(([content]) => content);
const missing = ({ stored }: ReturnType<typeof live>, last = 40) =>
  Array.from({ length: last + 1 }, (_, content) => content).filter((one) => !stored.has(one));
const fromSource = ({ records }: ReturnType<typeof live>, wanted: number) =>
  records.filter((record) => record.t === 'segment' && (record.source ?? 0) === wanted).length;

/** One source as far as the other can be joined to it. */
const joinable = {
  'equal names and numbers': {},
  'equal names under other numbers': { base: 4_711 },
  'dates, with other names, numbers and bytes': {
    base: 4_711,
    names: 'b',
    bytes: 'y',
    dated: true,
  },
  'content, with other names and numbers': { base: 4_711, names: 'b' },
} as const;

for (const [how, second] of Object.entries(joinable)) {
  const dated = 'dated' in second;
  describe(`two sources that can be joined by ${how}`, () => {
    it('make one recording, with every segment once', () => {
      const result = live([{ dated }, second]);
      expect(result.end.why).toBe('endlist');
      expect([epochs(result), gaps(result)]).toEqual([['first'], []]);
      expect([missing(result), doubled(result)]).toEqual([[], []]);
    });

    it('make one recording although one of them is behind', () => {
      for (const lagMs of [1_500, 3_000]) {
        for (const sources of [
          [{ dated }, { ...second, lagMs }],
          [{ dated, lagMs }, second],
        ]) {
          const result = live(sources);
          expect([epochs(result), gaps(result), doubled(result)]).toEqual([['first'], [], []]);
          expect(missing(result, 40 - Math.ceil(lagMs / 1_000))).toEqual([]);
        }
      }
    });

    it('lose nothing while one of them is away', () => {
      const outage = { kind: 'outage', at: 12_000, forMs: 15_000 } as const;
      for (const sources of [
        [{ dated, events: [outage] }, second],
        [{ dated }, { ...second, events: [outage] }],
      ]) {
        const result = live(sources);
        expect([epochs(result), gaps(result)]).toEqual([['first'], []]);
        expect([missing(result), doubled(result)]).toEqual([[], []]);
      }
    });

    it('fill the gaps of each other before anything is named as lost', () => {
      const events = [
        { kind: 'gap', content: 15 },
        { kind: 'sick', content: 20, times: 999 },
      ] as const;
      for (const lagMs of [0, 2_500]) {
        const result = live([
          { dated, events },
          { ...second, lagMs },
        ]);
        expect([epochs(result), gaps(result), doubled(result)]).toEqual([['first'], [], []]);
        expect(missing(result).filter((content) => content <= 36)).toEqual([]);
        expect(fromSource(result, 1)).toBeGreaterThanOrEqual(2);
      }
    });

    it('go on when the first one fails for good and the other is only asked then', () => {
      const events = [{ kind: 'outage', at: 12_000, forMs: 900_000 }] as const;
      const result = live(
        [
          { dated, events },
          { ...second, window: 12 },
        ],
        { dual: false },
      );
      expect([epochs(result), gaps(result)]).toEqual([['first'], []]);
      expect([missing(result), doubled(result)]).toEqual([[], []]);
      expect(result.end.why).toBe('endlist');
    });

    it('go on when the encoder of one begins again', () => {
      const events = [{ kind: 'reset', at: 12_500 }] as const;
      for (const sources of [
        [{ dated, events }, second],
        [{ dated }, { ...second, events }],
      ]) {
        const result = live(sources);
        expect([epochs(result), missing(result), doubled(result)]).toEqual([['first'], [], []]);
      }
    });

    it('are joined again after a crash, whichever answers first', () => {
      for (const latencies of [[40], [40, 300], [300, 40]]) {
        const result = live([{ dated }, second], {
          crashes: [{ at: 13_300, forMs: 2_000 }],
          latencies,
        });
        expect([epochs(result), gaps(result)]).toEqual([['first'], []]);
        expect([missing(result), doubled(result)]).toEqual([[], []]);
      }
    });
  });
}

describe('a source that cannot be joined', () => {
  const other = { base: 4_711, names: 'b', bytes: 'y' } as const;

  it('is ignored while the first one is well, and asked about its content ever more rarely', () => {
    const result = live([{}, other], { endsAt: 120_000 });
    expect([epochs(result), gaps(result), doubled(result)]).toEqual([['first'], [], []]);
    expect(fromSource(result, 1)).toBe(0);
    expect(result.probes).toBeLessThanOrEqual(8);
  });

  it('takes over with an epoch of its own when the first one is gone: twice rather than never', () => {
    const events = [{ kind: 'outage', at: 12_000, forMs: 900_000 }] as const;
    const result = live([{ events }, other]);
    expect(epochs(result)).toEqual(['first', 'source']);
    expect([missing(result), result.end.why]).toEqual([[], 'endlist']);
  });

  it('takes over as well when the first one hangs, or stands still', () => {
    for (const event of [
      { kind: 'outage', at: 12_000, forMs: 900_000, hung: true },
      { kind: 'frozen', at: 12_000, forMs: 900_000 },
    ] as const) {
      const result = live([{ events: [event] }, other]);
      expect(epochs(result)).toEqual(['first', 'source']);
      expect(missing(result)).toEqual([]);
    }
  });

  it('is not taken for a new one when the first one is away for a moment', () => {
    const events = [{ kind: 'outage', at: 12_000, forMs: 600 }] as const;
    const result = live([{ events }, other]);
    expect([epochs(result), missing(result), doubled(result)]).toEqual([['first'], [], []]);
  });

  it('brings only what lasts beyond the stored end where both have dates', () => {
    // Their dates differ by half a segment, so that they cannot be joined.
    const result = live([
      { dated: true, events: [{ kind: 'outage', at: 12_000, forMs: 900_000 }] },
      { ...other, dated: true, dateShiftMs: 500 },
    ]);
    expect(epochs(result)).toEqual(['first', 'source']);
    expect(missing(result)).toEqual([]);
    expect(doubled(result).length).toBeLessThanOrEqual(1);
  });
});

describe('the end of a stream with two sources', () => {
  it('is not there while one says so and the other goes on', () => {
    for (const first of [0, 1]) {
      const ends = { endsAt: 12_000 };
      const result = live([first === 0 ? ends : {}, first === 1 ? ends : {}]);
      expect([missing(result), doubled(result), epochs(result)]).toEqual([[], [], ['first']]);
      expect(result.end.why).toBe('endlist');
    }
  });

  it('is there when one says so and the other is gone, and the evidence names both', () => {
    const events = [{ kind: 'outage', at: 9_000, forMs: 900_000 }] as const;
    const result = live([{ endsAt: 12_000 }, { events }]);
    expect(result.end.why).toBe('endlist');
    expect(result.endedAt).toBeLessThan(20_000);
    expect(result.end.evidence).toMatchObject({
      sources: [
        { source: 0, endList: true },
        { source: 1, endList: false, lastPolls: expect.arrayContaining(['network']) },
      ],
    });
  });

  it('comes with the patience window when one says so and the other stands still', () => {
    const events = [{ kind: 'frozen', at: 9_000, forMs: 900_000 }] as const;
    const result = live([{ endsAt: 12_000 }, { events }]);
    expect(result.end.why).toBe('endlist');
    expect(result.endedAt).toBeGreaterThan(35_000);
  });

  it('comes by silence only when no source answers any more', () => {
    const out = (at: number) => [{ kind: 'outage', at, forMs: 900_000 }] as const;
    const result = live([{ events: out(9_000) }, { events: out(15_000) }]);
    expect(result.end.why).toBe('source.vanished');
    expect(result.endedAt).toBeGreaterThan(44_000);
    expect([missing(result, 14), doubled(result)]).toEqual([[], []]);
  });
});
