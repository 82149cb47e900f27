import { expect, test } from 'vitest';
import { mergeHistories } from '../../../src/jobs/mergeHistories.ts';

const entries = (...told: readonly (readonly [at: number, what: string])[]) =>
  told.map(([at, what]) => ({ at, what }));

test('histories are told by their dates, and at the same moment in the order in which they were given', () => {
  const merged = mergeHistories([
    entries([1, 'a'], [3, 'c'], [5, 'e']),
    entries([2, 'b'], [3, 'd'], [9, 'f']),
  ]);
  expect(merged.map(({ what }) => what).join('')).toBe('abcdef');
});

test('a clock that was set back moves nothing before what had happened already', () => {
  const merged = mergeHistories([
    entries([1_000, 'a'], [500, 'd']),
    entries([1_005, 'b'], [400, 'c'], [510, 'e']),
  ]);
  expect(merged.map(({ what }) => what).join('')).toBe('abcde');
});
