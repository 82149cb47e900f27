import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  availableAtMs,
  headAt,
  isKept,
  shownAt,
  type WindowPlan,
} from '../../support/origin/liveWindow.ts';

const plan = (changes: Partial<WindowPlan> = {}): WindowPlan => ({
  segmentMs: 1_000,
  rate: 1,
  window: 6,
  prefill: 6,
  endAfter: Number.POSITIVE_INFINITY,
  ...changes,
});

describe('the live window', () => {
  test('begins with the prefilled segments and grows by one each segment duration', () => {
    expect(headAt(plan(), 0)).toBe(5);
    expect(headAt(plan(), 999)).toBe(5);
    expect(headAt(plan(), 1_000)).toBe(6);
    expect(headAt(plan({ prefill: 0 }), 0)).toBe(-1);
  });

  test('runs faster by its rate', () => {
    expect(headAt(plan({ rate: 4 }), 1_000)).toBe(9);
  });

  test('shows the newest segments, and fewer while there are not enough', () => {
    expect(shownAt(plan(), 9, 0)).toEqual({ first: 4, last: 9, ended: false });
    expect(shownAt(plan(), 2, 0)).toEqual({ first: 0, last: 2, ended: false });
    expect(shownAt(plan(), 9, 8)).toEqual({ first: 8, last: 9, ended: false });
  });

  test('stands still and says so once the stream is over', () => {
    const ending = plan({ endAfter: 8 });
    expect(headAt(ending, 60_000)).toBe(7);
    expect(shownAt(ending, 7, 0)).toEqual({ first: 2, last: 7, ended: true });
    expect(shownAt(ending, 6, 0).ended).toBe(false);
  });

  test('keeps a segment for one window after it left the playlist', () => {
    expect(isKept(plan(), 9, 20)).toBe(true);
    expect(isKept(plan(), 8, 20)).toBe(false);
    expect(isKept(plan(), 21, 20)).toBe(false);
    expect(isKept(plan({ window: Number.POSITIVE_INFINITY }), 0, 1_000)).toBe(true);
  });

  test('has each segment exactly from its moment on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 }),
        fc.constantFrom(1, 2, 4, 8),
        fc.integer({ min: 0, max: 10 }),
        (index, rate, prefill) => {
          const one = plan({ rate, prefill });
          const at = availableAtMs(one, index);
          expect(headAt(one, at)).toBe(index);
          expect(headAt(one, at - 0.5)).toBe(index - 1);
        },
      ),
    );
  });
});
