import { expect, test } from 'vitest';
import { nextBegin, nextBegins, windowsOverlap } from '../../../src/queue/recurrence.ts';

const HOUR = 3_600_000;
const berlin = (cron: string) => ({ cron, timeZone: 'Europe/Berlin' });
const begins = (cron: string, from: string, count: number) =>
  nextBegins(berlin(cron), Date.parse(from), count).map((at) => new Date(at).toISOString());

test('a window begins at the time of its time zone, in summer and in winter', () => {
  expect(begins('0 20 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-24T18:00:00.000Z',
    '2026-10-25T19:00:00.000Z',
  ]);
});

test.each(['30 2 * * *', '30 2,14 * * *'])(
  'a window in the hour that is skipped begins when the clock goes on: %s',
  (cron) => {
    expect(begins(cron, '2026-03-29T00:00:00Z', 1)).toEqual(['2026-03-29T01:00:00.000Z']);
  },
);

test('a window in the hour that comes twice begins once, the first time', () => {
  expect(begins('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-25T00:30:00.000Z',
    '2026-10-26T01:30:00.000Z',
  ]);
});

test('a window of every hour comes every hour, whatever the clock is set to', () => {
  const hourly = (from: string) => nextBegins(berlin('30 * * * *'), Date.parse(from), 6);
  for (const from of ['2026-03-28T23:00:00Z', '2026-10-24T22:00:00Z']) {
    const times = hourly(from);
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual(
      Array.from({ length: 5 }, () => HOUR),
    );
  }
});

test('the next window is after the moment, never at it, and what never comes is none', () => {
  const noon = Date.UTC(2026, 0, 1, 12);
  const utc = { cron: '0 12 * * *', timeZone: 'UTC' };
  expect(nextBegin(utc, noon)).toBe(noon + 24 * HOUR);
  expect(nextBegin(utc, noon - 1)).toBe(noon);
  expect(nextBegin({ ...utc, cron: '0 0 30 2 *' }, noon)).toBeUndefined();
});

test.each([
  ['* * *', 'UTC'],
  ['61 * * * *', 'UTC'],
  ['0 0 0 * * * 2027', 'UTC'],
  ['2026-01-01T00:00:00', 'UTC'],
  ['@reboot', 'UTC'],
  ['', 'UTC'],
  ['0 0 * * *', 'Mars/Base'],
  ['0 0 30 2 *', 'UTC'],
])('%j in %s is refused', (cron, timeZone) => {
  expect(() => windowsOverlap({ cron, timeZone }, 1, 0)).toThrow(
    expect.objectContaining({ code: 'usage.invalid' }),
  );
});

test('windows as long as the time between them do not overlap, longer ones do', () => {
  const hourly = { cron: '@hourly', timeZone: 'UTC' };
  expect(windowsOverlap(hourly, HOUR, 0)).toBe(false);
  expect(windowsOverlap(hourly, HOUR + 1, 0)).toBe(true);
  expect(windowsOverlap(berlin('0 8,20 * * *'), 12 * HOUR, Date.UTC(2026, 0))).toBe(false);
});
