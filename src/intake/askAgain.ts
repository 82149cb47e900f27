import type { KennelError } from '../core/errors.ts';

/**
 * Pause before a link is asked again by a program (`details.resolver`), milliseconds: starting it costs a second of processor time
 * and its questions look like a visitor's, who does not reload twice a second. It grows, so that a night of waiting stays below a
 * thousand visits.
 */
const PROGRAM_FIRST_MS = 15_000;
const PROGRAM_LAST_MS = 60_000;
const PROGRAM_GROWTH = 1.5;
/** The same where a look was enough: as for playlists that are not there yet. */
const LOOK_FIRST_MS = 500;
const LOOK_LAST_MS = 5_000;

/** How long to leave a link alone after an answer, milliseconds. `tries`: answers of this kind in a row, from 1. */
export function askAgainAfterMs({ details }: KennelError, tries: number): number {
  if (details['resolver'] !== undefined) {
    return Math.min(PROGRAM_LAST_MS, PROGRAM_FIRST_MS * PROGRAM_GROWTH ** (tries - 1));
  }
  return Math.min(LOOK_LAST_MS, LOOK_FIRST_MS * Math.max(1, tries / 10));
}
