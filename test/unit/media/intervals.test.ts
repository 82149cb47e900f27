import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Intervals } from '../../../src/media/timing/intervals.ts';

const point = fc.integer({ min: 0, max: 40 });
const stretch = fc
  .tuple(point, point)
  .map(([from, length]): [number, number] => [from, from + length]);

test('what touches a stretch is found, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), stretch, (stretches, [from, to]) => {
      const touching = [...stretches.keys()].filter((index) => {
        const [begin, end] = stretches[index] ?? [0, 0];
        return begin <= to && end >= from;
      });
      const found = new Intervals(stretches).touching([from, to]);
      expect(found.toSorted((one, other) => one - other)).toEqual(touching);
    }),
  );
});

test('what is on no line touches nothing', () => {
  expect(new Intervals([[Number.NaN, Number.NaN]]).touching([0, 100])).toEqual([]);
});
