import type { MediaInfo, MediaTrack } from '../mediabunny/protocol.ts';
import { nearest } from './timestampWrap.ts';

/**
 * Mirrors cut the same packets at the same places; the end of a segment's last packet is reckoned, by up to the frame of a slow
 * camera. An encoder of its own is off by more, or by chance within this, which nobody sees or hears. Seconds.
 */
const SEAM_MAX = 0.1;

/**
 * Whether one segment follows another as if the same encoder had made both: the same tracks under the same identifiers, each
 * going on where it ended. False when that cannot be told.
 */
export const isSeamless = (before: MediaInfo, next: MediaInfo): boolean =>
  before.tracks.length > 0 &&
  before.tracks.length === next.tracks.length &&
  before.tracks.every((track, index) => {
    const after = next.tracks[index];
    return after !== undefined && isAlike(track, after) && followsOn(track, after);
  });

const isAlike = (one: MediaTrack, other: MediaTrack): boolean =>
  one.id === other.id &&
  one.kind === other.kind &&
  one.codecString === other.codecString &&
  one.width === other.width &&
  one.height === other.height &&
  one.sampleRate === other.sampleRate &&
  one.channels === other.channels;

function followsOn({ endSeconds }: MediaTrack, { startSeconds }: MediaTrack): boolean {
  if (endSeconds === undefined || startSeconds === undefined) return false;
  return Math.abs(nearest(startSeconds, endSeconds) - endSeconds) <= SEAM_MAX;
}
