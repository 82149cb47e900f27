import { KennelError } from '../core/errors.ts';

/** An hour and a minute by the clock of this machine. */
const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)$/;
/** A date with a time and where that is: without the offset, it would mean something else on every machine. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i;
const DATE_ALONE = /^\d{4}-\d\d-\d\d/;

/**
 * Reads `20:15` (the next one by the local clock, today or tomorrow) or `2026-11-21T20:15+01:00` as milliseconds since the epoch.
 *
 * @param now milliseconds since the epoch
 * @throws KennelError `usage.invalid`, also for a time that is over
 */
export function endAt(text: string, now: number): number {
  const trimmed = text.trim();
  const [, hours, minutes] = TIME_OF_DAY.exec(trimmed) ?? [];
  if (hours !== undefined && minutes !== undefined)
    return nextTimeOfDay(Number(hours), Number(minutes), now);
  const at = INSTANT.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
  if (Number.isNaN(at)) throw unreadable(text);
  if (at > now) return at;
  throw new KennelError('usage.invalid', `${text} is over: give a time that is still to come.`);
}

/** By the date and not by adding a day: where clocks are changed, days have 23 or 25 hours. */
function nextTimeOfDay(hours: number, minutes: number, now: number): number {
  const date = new Date(now);
  date.setHours(hours, minutes, 0, 0);
  if (date.getTime() <= now) {
    date.setDate(date.getDate() + 1);
    date.setHours(hours, minutes, 0, 0);
  }
  return date.getTime();
}

function unreadable(text: string): KennelError {
  const hint = DATE_ALONE.test(text.trim())
    ? ' With a date, say where that is: Z, or an offset such as +01:00.'
    : '';
  return new KennelError(
    'usage.invalid',
    `${JSON.stringify(text)} is not a time; write 20:15 or 2026-11-21T20:15+01:00.${hint}`,
  );
}
