import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterTime,
  type Competitor,
  NOTHING_OWED,
  nextTenant,
} from '../../../src/queue/fairShare.ts';
import { type Happening, type SimulatedTenant, simulate } from './fairShareWorld.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEIGHTS = [1, 2, 5] as const;

/** By how much a tenant's share was off what its weight says, as a part of that. */
function errors({ shares }: Happening, tenants: readonly SimulatedTenant[]): number[] {
  const all = [...shares.values()].reduce((sum, one) => sum + one, 0);
  const weights = tenants.reduce((sum, { weight }) => sum + weight, 0);
  return tenants.map(({ tenantId, weight }) =>
    Math.abs((shares.get(tenantId) ?? 0) / all / (weight / weights) - 1),
  );
}

const byWeights = (lengthsOf: (weight: number) => readonly number[]): SimulatedTenant[] =>
  WEIGHTS.map((weight) => ({ tenantId: `weight ${weight}`, weight, lengths: lengthsOf(weight) }));

test.each([
  ['seconds', 1_000],
  ['a minute', MINUTE],
  ['an hour', HOUR],
  ['a day', 24 * HOUR],
])(
  '500 equal jobs of %s: tenants of weights 1, 2 and 5 get their shares, to a twentieth',
  (_, length) => {
    const tenants = byWeights((weight) => Array.from({ length: (500 * weight) / 8 }, () => length));
    expect(Math.max(...errors(simulate(20, tenants), tenants))).toBeLessThan(0.05);
  },
);

test('jobs of very different lengths: the shares of time are those of the weights, within 5 %', () => {
  const length = fc.integer({ min: 0, max: 100 }).map((power) => MINUTE * 600 ** (power / 100));
  const lengths = fc.array(length, { minLength: 500, maxLength: 500 });
  fc.assert(
    fc.property(fc.tuple(lengths, lengths, lengths), (all) => {
      const tenants = byWeights((weight) => all[WEIGHTS.indexOf(weight as 1)] ?? []);
      expect(Math.max(...errors(simulate(20, tenants), tenants))).toBeLessThan(0.05);
    }),
    { numRuns: 8 },
  );
});

test('whoever has long jobs gets no more time than whoever has short ones', () => {
  const lengths = new Map([
    [1, 60 * MINUTE],
    [2, MINUTE],
    [5, 10 * MINUTE],
  ]);
  const tenants = byWeights((weight) =>
    Array.from({ length: 1_500 }, () => lengths.get(weight) ?? 0),
  );
  expect(Math.max(...errors(simulate(20, tenants), tenants))).toBeLessThan(0.05);
});

test('twenty slots are divided by the weights at once', () => {
  const tenants = byWeights(() => Array.from({ length: 100 }, () => HOUR));
  const { begun } = simulate(20, tenants);
  const atOnce = [...begun.values()].map((times) => times.filter((at) => at === 0).length);
  expect(atOnce.reduce((sum, one) => sum + one, 0)).toBe(20);
  for (const [index, ideal] of [2.5, 5, 12.5].entries())
    expect(Math.abs((atOnce[index] ?? 0) - ideal)).toBeLessThanOrEqual(0.5);
});

const anyTenants = fc
  .array(
    fc.record({
      weight: fc.oneof(
        fc.constantFrom(0.001, 1, 2, 5, 1_000),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
      ),
      runningMax: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      lengths: fc.array(fc.integer({ min: 1, max: 5 * HOUR }), { minLength: 1, maxLength: 30 }),
      from: fc.integer({ min: 0, max: 10 * HOUR }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) =>
    all.map(({ runningMax, ...one }, index) => ({
      tenantId: `tenant ${index}`,
      ...one,
      ...(runningMax !== undefined && { runningMax }),
    })),
  );

test('no slot is idle while somebody could use it, all jobs run, and nobody runs more than it may', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), anyTenants, (slots, tenants) => {
      const { idleMs, begun, mostRunning } = simulate(slots, tenants);
      expect(idleMs).toBe(0);
      for (const { tenantId, lengths, runningMax = slots } of tenants) {
        expect(begun.get(tenantId)).toHaveLength(lengths.length);
        expect(mostRunning.get(tenantId)).toBeLessThanOrEqual(runningMax);
      }
    }),
    { numRuns: 200 },
  );
});

test('nobody starves: the lightest tenant has its turn although the others never stop', () => {
  const tenants: SimulatedTenant[] = [
    { tenantId: 'heavy', weight: 1_000, lengths: Array.from({ length: 2_000 }, () => MINUTE) },
    { tenantId: 'light', weight: 0.1, lengths: Array.from({ length: 5 }, () => MINUTE) },
  ];
  const { begun } = simulate(2, tenants);
  // Its share is a five-thousandth of a slot: it is owed a second of one within two hours.
  expect(begun.get('light')?.[0]).toBeLessThan(2 * HOUR);
});

test('a newcomer gets its share and one job at most, however long the others were alone', () => {
  const jobs = (count: number) => Array.from({ length: count }, () => 10 * MINUTE);
  const tenants: SimulatedTenant[] = [
    { tenantId: 'old', weight: 1, lengths: jobs(2_000) },
    { tenantId: 'new', weight: 1, lengths: jobs(500), from: 5 * HOUR },
  ];
  const { mostRunning, begun } = simulate(20, tenants);
  expect(mostRunning.get('new')).toBeGreaterThanOrEqual(10);
  const early = begun.get('new')?.filter((at) => at < 6 * HOUR) ?? [];
  expect(early.length).toBeGreaterThan(50);
  expect(early.length).toBeLessThan(75);
});

test('what is owed is kept while somebody competes, and forgotten by half in ten minutes when not', () => {
  const tenant = (tenantId: string, running: number, waiting: number): Competitor => ({
    tenantId,
    weight: 1,
    running,
    waiting,
  });
  const waits = [tenant('a', 3, 1), tenant('b', 1, 1)];
  const owed = afterTime(NOTHING_OWED, waits, HOUR);
  expect(owed.get('a')).toBe(-HOUR);
  expect(owed.get('b')).toBe(HOUR);
  expect(nextTenant(owed, [tenant('a', 1, 1), tenant('b', 2, 1)])?.tenantId).toBe('b');
  const later = afterTime(owed, [tenant('a', 3, 1), tenant('b', 1, 0)], 10 * MINUTE);
  expect(later.get('a')).toBe(-HOUR);
  expect(later.get('b')).toBe(HOUR / 2);
  expect(
    nextTenant(owed, [tenant('a', 3, 0), { ...tenant('b', 1, 1), runningMax: 1 }]),
  ).toBeUndefined();
});
