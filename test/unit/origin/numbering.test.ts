import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eraAt, erasOf, indexOf, labelOf } from '../../support/origin/numbering.ts';

test('without a change, the media sequence number is the index from the first number on', () => {
  const eras = erasOf(100, []);
  expect(labelOf(eras, 0)).toEqual({ epoch: 0, msn: 100 });
  expect(labelOf(eras, 7)).toEqual({ epoch: 0, msn: 107 });
  expect(indexOf(eras, { epoch: 0, msn: 107 })).toBe(7);
  expect(indexOf(eras, { epoch: 0, msn: 99 })).toBeUndefined();
  expect(indexOf(eras, { epoch: 1, msn: 100 })).toBeUndefined();
});

test('a reset starts the numbers again and shows nothing older', () => {
  const eras = erasOf(0, [{ kind: 'reset', at: 12, to: 0 }]);
  expect(labelOf(eras, 11)).toEqual({ epoch: 0, msn: 11 });
  expect(labelOf(eras, 12)).toEqual({ epoch: 1, msn: 0 });
  expect(eraAt(eras, 13).oldest).toBe(12);
  expect(indexOf(eras, { epoch: 1, msn: 3 })).toBe(15);
  expect(indexOf(eras, { epoch: 0, msn: 12 })).toBeUndefined();
});

test('a relabelling gives other numbers to the segments before it, too', () => {
  const eras = erasOf(0, [{ kind: 'relabel', at: 12, to: 500 }]);
  expect(eraAt(eras, 12).oldest).toBe(0);
  expect(indexOf(eras, { epoch: 1, msn: 498 })).toBe(10);
  expect(indexOf(eras, { epoch: 0, msn: 10 })).toBe(10);
});

test('every segment is found again by the label under which it appears first', () => {
  const change = fc.record({
    kind: fc.constantFrom('reset' as const, 'relabel' as const, 'jump' as const),
    at: fc.integer({ min: 1, max: 60 }),
    to: fc.integer({ min: 0, max: 5_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 4 }),
      fc.integer({ min: 0, max: 99 }),
      (all, index) => {
        const distinct = [...new Map(all.map((one) => [one.at, one])).values()];
        const eras = erasOf(3, distinct);
        expect(indexOf(eras, labelOf(eras, index))).toBe(index);
      },
    ),
  );
});
