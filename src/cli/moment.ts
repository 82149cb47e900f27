import { durationMs } from './duration.ts';
import { endAt } from './endAt.ts';

/**
 * Reads `+90m` (from now), `20:15` (the next one by the local clock) or `2026-11-21T20:15+01:00` as milliseconds since the epoch.
 *
 * @param now milliseconds since the epoch
 * @throws KennelError `usage.invalid`, also for a moment that is over
 */
export const moment = (text: string, now: number): number =>
  text.startsWith('+') ? now + durationMs(text.slice(1)) : endAt(text, now);

/** The same, as ISO 8601. */
export const isoMoment = (text: string, now: number): string =>
  new Date(moment(text, now)).toISOString();
