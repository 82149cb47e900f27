import { expect, it, test } from 'vitest';
import { endAt } from '../../../src/cli/endAt.ts';

const noon = new Date(2026, 10, 21, 12, 0, 30).getTime();

test('a time of day is the next one by the local clock', () => {
  expect(endAt('20:15', noon)).toBe(new Date(2026, 10, 21, 20, 15).getTime());
  expect(endAt('9:05', noon)).toBe(new Date(2026, 10, 22, 9, 5).getTime());
  expect(endAt('12:00', noon)).toBe(new Date(2026, 10, 22, 12, 0).getTime());
});

test('a date has an offset, and means the same everywhere', () => {
  const at = Date.UTC(2026, 10, 22, 19, 15);
  expect(endAt('2026-11-22T20:15+01:00', noon)).toBe(at);
  expect(endAt(' 2026-11-22T19:15:00Z ', noon)).toBe(at);
});

it.each(['', 'soon', '24:00', '12:60', '90', '2026-13-01T00:00Z', '2026-11-22T20:15'])(
  '%j is no time to end at',
  (text) => {
    expect(() => endAt(text, noon)).toThrow(/not a time;/);
  },
);

test('a date without an offset is refused with what it lacks', () => {
  expect(() => endAt('2026-11-22T20:15', noon)).toThrow(/\+01:00\.$/);
});

test('an end that is over is refused', () => {
  expect(() => endAt('2026-01-01T00:00Z', noon)).toThrow(/is over/);
});
