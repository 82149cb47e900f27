import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberRuns } from '../../../src/ledger/numberRuns.ts';

const runs = fc.array(
  fc
    .tuple(fc.nat(60), fc.integer({ min: 1, max: 12 }))
    .map(([from, count]) => [from, from + count] as const),
  { maxLength: 20 },
);

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('runs hold the same numbers as a plain set, whatever is added in whatever order', () => {
  fc.assert(
    fc.property(runs, (added) => {
      const model = new Set<number>();
      const set = new NumberRuns();
      for (const [from, to] of added) {
        set.add(from, to);
        for (const number of numbers(from, to)) model.add(number);
      }
      for (const number of numbers(0, 80)) expect(set.has(number)).toBe(model.has(number));
      expect(set.end).toBe(model.size === 0 ? undefined : Math.max(...model) + 1);
    }),
  );
});

test('missing names exactly the numbers of an interval that are not held', () => {
  fc.assert(
    fc.property(runs, fc.nat(70), fc.nat(20), (added, from, count) => {
      const set = new NumberRuns();
      for (const run of added) set.add(...run);
      const missing = set.missing(from, from + count).flatMap((run) => numbers(run.from, run.to));
      expect(missing).toEqual(numbers(from, from + count).filter((number) => !set.has(number)));
    }),
  );
});

test('a run as long as a wild jump of sequence numbers costs nothing', () => {
  const set = new NumberRuns();
  set.add(5, 1_000_000_000_000);
  expect(set.has(999_999_999_999)).toBe(true);
  expect(set.missing(0, 2_000_000_000_000)).toEqual([
    { from: 0, to: 5 },
    { from: 1_000_000_000_000, to: 2_000_000_000_000 },
  ]);
});
