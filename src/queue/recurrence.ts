import { Cron } from 'croner';
import { KennelError, messageOf } from '../core/errors.ts';

/**
 * When windows of a schedule begin: five or six fields of cron (seconds first where there are six) or a nickname (`@daily`), in a
 * time zone of the IANA database.
 *
 * Where clocks are set, a time that names its hours (`30 2 * * *`, `30 2,14 * * *`) comes once on every day: one that is skipped comes
 * at the first moment after the gap, one that is there twice comes the first time. What comes every hour or so (`30 * * * *`) follows
 * the time that passes: it comes neither in a skipped hour nor twice as seldom in the repeated one. A window lasts as long as
 * it says in either case.
 */
export interface Recurrence {
  readonly cron: string;
  /** `Europe/Berlin`, `UTC`, … */
  readonly timeZone: string;
}

/** Windows that a preview shows at most. */
export const PREVIEW_MAX = 100;
/** Beginnings that are looked at to see whether windows overlap: a week of hours. */
const OVERLAP_LOOKED_AT = 168;

const NICKNAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** The first beginning after a moment, both milliseconds since the epoch; undefined when there is none any more. */
export const nextBegin = (recurrence: Recurrence, after: number): number | undefined =>
  cronOf(recurrence).nextRun(new Date(after))?.getTime();

/** The first beginnings after a moment, milliseconds since the epoch. */
export function nextBegins(recurrence: Recurrence, after: number, count: number): number[] {
  const runs = cronOf(recurrence).nextRuns(Math.min(count, PREVIEW_MAX), new Date(after));
  return runs.map((at) => at.getTime());
}

/**
 * Whether windows of this length would overlap, as far as the next ones tell.
 *
 * @throws KennelError `usage.invalid` when the recurrence is none, or comes never again
 */
export function windowsOverlap(recurrence: Recurrence, windowMs: number, after: number): boolean {
  const begins = cronOf(recurrence)
    .nextRuns(OVERLAP_LOOKED_AT, new Date(after))
    .map((at) => at.getTime());
  if (begins.length === 0)
    throw new KennelError('usage.invalid', `No time fits ${recurrence.cron} any more.`);
  return begins.some(
    (at, index) => at + windowMs > (begins[index + 1] ?? Number.POSITIVE_INFINITY),
  );
}

function cronOf({ cron, timeZone }: Recurrence): Cron {
  const fields = cron.trim().split(/\s+/);
  const isKnown =
    fields.length === 5 || fields.length === 6 || NICKNAMES.includes(cron.trim().toLowerCase());
  if (!isKnown)
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(cron)} is no recurrence: give five or six fields of cron, such as "0 20 * * 1-5", or @daily.`,
    );
  try {
    const made = new Cron(cron.trim(), {
      timezone: timeZone,
      mode: '5-or-6-parts',
      fixedTimeRule: 'no-wildcard',
      paused: true,
    });
    // Whether there is such a time zone shows only when it is used.
    made.nextRun(new Date(0));
    return made;
  } catch (error) {
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(cron)} in ${JSON.stringify(timeZone)} is no recurrence: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
