import { KennelError } from '../../core/errors.ts';
import type { MediaPlaylist, PlaylistSegment } from './model.ts';
import { wholeNumber } from './playlistNumbers.ts';

/** What an EXT-X-SKIP leaves out. */
export interface Skipped {
  readonly count: number;
  /** As the playlist before this one had them, in order; without a head that was cut off there. */
  readonly segments: readonly PlaylistSegment[];
  readonly last: PlaylistSegment;
  /** Of all of them; an estimate for those that were cut off. */
  readonly durationMs: number;
}

export interface SkipRequest {
  /** The SKIPPED-SEGMENTS attribute. */
  readonly count: string | undefined;
  /** Number of the first skipped segment. */
  readonly mediaSequence: number;
  readonly previous: MediaPlaylist | undefined;
}

/**
 * Finds the skipped segments in the playlist that came before. Throws `playlist.invalid` with `details.delta` when that cannot be:
 * the same question without `_HLS_skip` is answered in full.
 */
export function skippedSegments({ count: text, mediaSequence, previous }: SkipRequest): Skipped {
  const count = wholeNumber(text ?? '');
  if (count === undefined || count === 0) throw deltaRefused('it does not say how much it skips');
  if (previous === undefined) throw deltaRefused('nothing came before it');
  const end = mediaSequence + count;
  const segments = previous.segments.filter(({ msn }) => msn >= mediaSequence && msn < end);
  const last = segments.at(-1);
  if (last?.msn !== end - 1 || previous.mediaSequence > mediaSequence) {
    throw deltaRefused('it skips segments that did not come before it');
  }
  return { count, segments, last, durationMs: skippedMs(segments, count, previous) };
}

function skippedMs(
  segments: readonly PlaylistSegment[],
  count: number,
  previous: MediaPlaylist,
): number {
  const sum = (some: readonly PlaylistSegment[]) =>
    some.reduce((total, { durationMs }) => total + durationMs, 0);
  const cutOff = (previous.segments[0]?.msn ?? 0) - previous.mediaSequence;
  const eachMs = cutOff === 0 ? 0 : (previous.windowMs - sum(previous.segments)) / cutOff;
  return Math.round(sum(segments) + eachMs * (count - segments.length));
}

export const deltaRefused = (problem: string): KennelError =>
  new KennelError('playlist.invalid', `The delta update cannot be used: ${problem}.`, {
    retryable: true,
    details: { delta: true },
  });
