import type { Cue } from './webVtt.ts';

/** A cue on the finished file's time line, and which segment said it. */
export interface TimedCue extends Cue {
  /** Running number of the segment within its track. */
  readonly segment: number;
}

/** Times are rounded to milliseconds when they are written, and origins round too: parts of one cue are that close, seconds. */
const TOUCH_SECONDS = 0.05;

/**
 * Cues of all segments in order of time. A cue that spans segments is said by each of them, whole or cut at the segment's end:
 * those become one. Cues that only look alike, said twice by one segment, stay two; cues that overlap stay as they are.
 */
export function joinCues(cues: readonly TimedCue[]): Cue[] {
  const joined: TimedCue[] = [];
  /** The last one that says the same. */
  const open = new Map<string, number>();
  const ordered = cues.toSorted(
    (one, other) => one.startSeconds - other.startSeconds || one.segment - other.segment,
  );
  for (const cue of ordered) {
    const key = JSON.stringify([cue.settings, cue.text]);
    const index = open.get(key);
    const before = index === undefined ? undefined : joined[index];
    if (index !== undefined && before !== undefined && isSame(before, cue)) {
      const endSeconds = Math.max(before.endSeconds, cue.endSeconds);
      joined[index] = { ...before, endSeconds, segment: Math.max(before.segment, cue.segment) };
      continue;
    }
    open.set(key, joined.length);
    joined.push(cue);
  }
  return joined;
}

/** Said again, whole; or the end of what an earlier segment cut off. */
function isSame(before: TimedCue, cue: TimedCue): boolean {
  if (before.segment === cue.segment) return false;
  const isAgain =
    Math.abs(cue.startSeconds - before.startSeconds) <= TOUCH_SECONDS &&
    Math.abs(cue.endSeconds - before.endSeconds) <= TOUCH_SECONDS;
  const goesOn =
    before.segment < cue.segment && cue.startSeconds <= before.endSeconds + TOUCH_SECONDS;
  return isAgain || goesOn;
}
