import type { MediaInfo, MediaTrack } from '../mediabunny/protocol.ts';

/** The ends of a stretch of media that breaks off before it and after it: what its first and its last segment are. */
export interface StretchEnds {
  readonly first: MediaInfo;
  readonly last: MediaInfo;
}

/** How far apart sound and picture begin and end where media breaks off. A program that is killed stops in the middle of things. */
export interface Raggedness {
  /** By so much more than another track one jumps at the worst of the joints, seconds. */
  readonly skewSeconds: number;
  /** By so much the stretches last longer than their pictures, which the journal's durations are those of, milliseconds. */
  readonly overhangMs: number;
}

/** Sound and picture are never even: below this they begin, or end, together, seconds (measured with 48 kHz AAC: 0.06 to 0.09). */
const EVEN_SECONDS = 0.12;

/** Of stretches that are put one behind the other; `keeps` tells which tracks go into the file. */
export function raggednessOf(
  stretches: readonly StretchEnds[],
  keeps: (track: MediaTrack) => boolean = () => true,
): Raggedness {
  let skewSeconds = 0;
  for (const [index, { first }] of stretches.entries()) {
    const before = stretches[index - 1]?.last;
    if (before !== undefined) skewSeconds = Math.max(skewSeconds, skewOf(before, first, keeps));
  }
  const overhangSeconds = stretches.reduce((sum, { first, last }) => {
    const lead = startOf(first, isPicture) - startOf(first, keeps);
    const trail = endOf(last, keeps) - endOf(last, isPicture);
    return sum + uneven(lead) + uneven(trail);
  }, 0);
  return { skewSeconds, overhangMs: overhangSeconds * 1_000 };
}

function skewOf(before: MediaInfo, next: MediaInfo, keeps: (track: MediaTrack) => boolean): number {
  const ends = before.tracks.filter(keeps);
  const jumps = next.tracks.filter(keeps).flatMap((track) => {
    const end = ends.find(({ kind, id }) => kind === track.kind && id === track.id)?.endSeconds;
    return end === undefined || track.startSeconds === undefined ? [] : [track.startSeconds - end];
  });
  return jumps.length < 2 ? 0 : Math.max(...jumps) - Math.min(...jumps);
}

const isPicture = ({ kind }: MediaTrack): boolean => kind === 'video';

/** Infinite or not a number where there is no such track. */
const startOf = ({ tracks }: MediaInfo, keeps: (track: MediaTrack) => boolean): number =>
  Math.min(...tracks.filter(keeps).map(({ startSeconds }) => startSeconds ?? Number.NaN));

const endOf = ({ tracks }: MediaInfo, keeps: (track: MediaTrack) => boolean): number =>
  Math.max(...tracks.filter(keeps).map(({ endSeconds }) => endSeconds ?? Number.NaN));

const uneven = (seconds: number): number =>
  Number.isFinite(seconds) && Math.abs(seconds) > EVEN_SECONDS ? seconds : 0;
