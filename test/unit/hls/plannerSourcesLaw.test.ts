import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  liveThroughSources,
  type SourceEvent,
  type SourceOptions,
  type SourcesWorldResult,
} from './plannerSourcesWorld.ts';

const ENDS_AT = 30_000;

const time = fc.integer({ min: 1_000, max: 28_000 });
const forMs = fc.integer({ min: 500, max: 12_000 });
const content = fc.integer({ min: 0, max: 30 });
const events: fc.Arbitrary<SourceEvent>[] = [
  fc.record({ kind: fc.constant('outage' as const), at: time, forMs, hung: fc.boolean() }),
  fc.record({ kind: fc.constant('frozen' as const), at: time, forMs }),
  fc.record({ kind: fc.constant('gap' as const), content }),
  fc.record({
    kind: fc.constant('sick' as const),
    content,
    times: fc.integer({ min: 1, max: 60 }),
  }),
];
const reset = fc.record({ kind: fc.constant('reset' as const), at: time });

/** How the second source is told from the first one. */
const kinship = fc.constantFrom(
  { base: 100, names: 'a', bytes: 'x', dated: false },
  { base: 4_711, names: 'a', bytes: 'x', dated: false },
  { base: 4_711, names: 'b', bytes: 'y', dated: true },
  { base: 4_711, names: 'b', bytes: 'x', dated: false },
);
const stranger = { base: 4_711, names: 'b', bytes: 'y', dated: false };

const world = fc.record({
  window: fc.integer({ min: 5, max: 9 }),
  lagMs: fc.constantFrom(0, 300, 1_500),
  swapped: fc.boolean(),
  mirrors: fc.boolean(),
  latencies: fc.array(fc.integer({ min: 5, max: 400 }), { minLength: 1, maxLength: 6 }),
});

interface LiveOptions {
  readonly window: number;
  readonly swapped: boolean;
  readonly mirrors: boolean;
  readonly latencies: readonly number[];
  readonly dual?: boolean;
  readonly crashes?: readonly { at: number; forMs: number }[];
}

const live = (
  first: Partial<SourceOptions>,
  second: Partial<SourceOptions>,
  options: LiveOptions,
): SourcesWorldResult => {
  const { window, swapped, ...rest } = options;
  const common = { base: 100, lagMs: 0, window, names: 'a', bytes: 'x', dated: false, events: [] };
  const sources = [
    { ...common, ...first },
    { ...common, ...second },
  ];
  if (swapped) sources.reverse();
  return liveThroughSources({ sources, dual: true, endsAt: ENDS_AT, ...rest });
};

const holds = ({ planner, ledger, pollsMost }: SourcesWorldResult): void => {
  expect(planner.settled).toBe(planner.advertised);
  expect(ledger.stored + ledger.lost).toBe(ledger.advertised);
  expect(ledger.duplicates).toBe(0);
  expect(pollsMost).toBeLessThanOrEqual(4);
};

describe('whatever two sources do', () => {
  it('advertised is stored plus named, and no more polls than allowed are under way', () => {
    const any = fc.array(fc.oneof(...events, reset), { maxLength: 4 });
    const crash = fc.record({ at: time, forMs: fc.integer({ min: 0, max: 8_000 }) });
    fc.assert(
      fc.property(
        world,
        fc.oneof(kinship, fc.constant(stranger)),
        fc.record({
          one: any,
          other: any,
          rest: fc.record({ dual: fc.boolean(), crashes: fc.array(crash, { maxLength: 2 }) }),
        }),
        (options, kin, { one, other, rest }) => {
          const { dated } = kin;
          const second = { ...kin, lagMs: options.lagMs, events: other };
          holds(live({ dated, events: one }, second, { ...options, ...rest }));
        },
      ),
      { numRuns: 250 },
    );
  });

  it('nothing is lost and nothing is stored twice while one of them is well', () => {
    fc.assert(
      fc.property(
        world,
        kinship,
        fc.array(fc.oneof(...events), { maxLength: 4 }),
        (options, kin, bad) => {
          const { dated, names } = kin;
          const second = { ...kin, lagMs: options.lagMs };
          // Dates and content join them only when there are some, and not at once.
          const events = bad.filter(
            (one) => names === 'a' || ('content' in one ? one.content >= 12 : one.at >= 12_000),
          );
          const result = live({ dated, events }, second, options);
          holds(result);
          expect([...result.stored.values()].filter((times) => times > 1)).toEqual([]);
          const last = Math.floor((ENDS_AT - options.lagMs) / 1_000);
          const begun = Math.min(...result.stored.keys());
          const missing = Array.from({ length: last + 1 }, (_, one) => one).filter(
            (one) => one >= begun && !result.stored.has(one),
          );
          // What the encoder made last may never have come to the one that is behind.
          const lost = result.ledger.gaps().filter(({ msn }) => (msn % 4_611) - 100 <= last);
          expect([missing, lost]).toEqual([[], []]);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('nothing is lost for good that one of them could have given in time', () => {
    const bad = fc.array(fc.oneof(...events), { maxLength: 3 });
    fc.assert(
      fc.property(
        world,
        kinship.filter(({ dated, names }) => dated || names === 'a'),
        fc.tuple(bad, bad),
        (options, kin, [one, other]) => {
          const sources = [
            { dated: kin.dated, events: one, lagMs: 0 },
            { ...kin, events: other, lagMs: options.lagMs },
          ] as const;
          const result = live(sources[0], sources[1], options);
          holds(result);
          for (let number = 0; number < 29; number++) {
            // From when it is first listed, for longer than any two polls and a few tries take.
            const isGiven = sources.some(({ events: happened, lagMs }) => {
              const from = number * 1_000 + lagMs;
              return !happened.some((event) => {
                if ('content' in event) return event.content === number;
                if (event.kind === 'reset') return true;
                return event.at < from + 4_500 && from - 1_000 < event.at + event.forMs;
              });
            });
            const isStored =
              result.stored.has(number) || number < Math.min(...result.stored.keys());
            expect([number, isStored || !isGiven]).toEqual([number, true]);
          }
        },
      ),
      { numRuns: 250 },
    );
  });
});
