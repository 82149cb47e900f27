import type { MediaFrame } from './mediaUnit.ts';
import type { TailSection } from './storedTail.ts';

/** How a new run follows what is stored. */
export type RunJoin =
  /** It begins within what is stored, its clock ahead by so much. */
  | { readonly how: 'overlaps'; readonly shiftMs: number }
  /** It goes on later, on the same clock. */
  | { readonly how: 'later' }
  /** Nothing shows that they belong together. */
  | { readonly how: 'apart' };

/** Timestamps of sound are computed from the packet's, and round differently: less than a frame, more than that. Milliseconds. */
export const SAME_MS = 1;
/** Frames of the same content at the same time that prove it at once. */
const PROOF_FRAMES = 3;
/** The same at other times: as many, none of which looks like another one. */
const PROOF_FRAMES_SHIFTED = 4;
/** Frames that are looked at. A program may change the first ones. */
export const LOOKED_AT_FRAMES = 16;
/** A run that is ahead of the time that passed by no more goes on on the same clock: programs begin this much nearer to the live edge. */
const AHEAD_MS_MAX = 30_000;

export interface OverlapQuestion {
  /** The first frames of the run's stream. */
  readonly frames: readonly MediaFrame[];
  readonly tail: NonNullable<ReturnType<TailSection['stream']>>;
  /** Since the last media came, milliseconds. */
  readonly passedMs: number;
  /** No more of them will be looked at. */
  readonly isLast: boolean;
}

/** How a run follows what is stored; undefined when more frames have to be seen. */
export function overlapOf(question: OverlapQuestion): RunJoin | undefined {
  const { frames, tail, passedMs } = question;
  const first = frames[0];
  if (first === undefined) return question.isLast ? { how: 'apart' } : undefined;
  const { atSameTime, shifted } = compare(frames, tail);
  if (atSameTime >= PROOF_FRAMES) return { how: 'overlaps', shiftMs: 0 };
  const isLast = question.isLast || frames.length >= LOOKED_AT_FRAMES;
  const isThrough = isLast || frames.some(({ startMs }) => startMs > tail.lastMs + SAME_MS);
  if (atSameTime > 0 && isThrough) return { how: 'overlaps', shiftMs: 0 };
  if (shifted !== undefined && shifted.count >= PROOF_FRAMES_SHIFTED)
    return { how: 'overlaps', shiftMs: shifted.shiftMs };
  if (!isLast) return undefined;
  // Fewer are enough where nothing more was stored.
  if (shifted !== undefined && shifted.count >= 2 && shifted.reachesEnd) {
    return { how: 'overlaps', shiftMs: shifted.shiftMs };
  }
  const aheadMs = first.startMs - tail.lastMs;
  return aheadMs > 0 && aheadMs <= passedMs + AHEAD_MS_MAX ? { how: 'later' } : { how: 'apart' };
}

interface Shift {
  readonly shiftMs: number;
  readonly count: number;
  readonly reachesEnd: boolean;
}

function compare(
  frames: readonly MediaFrame[],
  { starts, hashes }: OverlapQuestion['tail'],
): { readonly atSameTime: number; readonly shifted: Shift | undefined } {
  const places = new Map<number, number[]>();
  for (const [index, hash] of hashes.entries()) {
    const same = places.get(hash);
    if (same === undefined) places.set(hash, [index]);
    else same.push(index);
  }
  let atSameTime = 0;
  const shifts: { shiftMs: number; count: number; reachesEnd: boolean }[] = [];
  const seen = new Set<number>();
  for (const { startMs, hash } of frames) {
    const found = places.get(hash) ?? [];
    if (found.some((place) => Math.abs((starts[place] ?? 0) - startMs) <= SAME_MS)) atSameTime++;
    const [place] = found;
    // A still picture, or silence, is the same again and again, and proves nothing at another time.
    if (place === undefined || found.length > 1 || seen.has(hash)) continue;
    seen.add(hash);
    const shiftMs = startMs - (starts[place] ?? 0);
    const reachesEnd = place === starts.length - 1;
    const known = shifts.find((one) => Math.abs(one.shiftMs - shiftMs) <= SAME_MS);
    if (known === undefined) shifts.push({ shiftMs, count: 1, reachesEnd });
    else {
      known.count++;
      known.reachesEnd ||= reachesEnd;
    }
  }
  const shifted = shifts.toSorted((one, other) => other.count - one.count)[0];
  return { atSameTime, shifted };
}
