import type { Piece } from '../joinedRun.ts';
import { isSameSource, type Timeline, type TrackRun } from '../runs.ts';
import type { TimelinePlace } from './timelinePlace.ts';
import { nearest } from './timestampWrap.ts';

/** Timelines of the main track that follow one clock, although their playlist broke between them (or their file changes). */
export interface ClockGroup {
  readonly pieces: {
    readonly piece: Piece;
    /** Index of its run. */
    readonly run: number;
    readonly shiftSeconds: number;
    /** On the group's clock. */
    readonly startSeconds: number;
  }[];
  /** On its own clock. */
  readonly startSeconds: number;
  endSeconds: number;
  /** Whether the clock is that of timestamps: where they could not be read it is the track's position. */
  readonly measured: boolean;
}

/**
 * Where a playlist breaks and the next timestamp is the one that was due, up to so much later (segments that nobody offered), the
 * encoder's clock went on: an encoder that starts again has another one. Seconds.
 */
const LATER_MAX = 60;
/**
 * The same within a discontinuity, where the end of what comes before may only be reckoned: so much earlier, seconds. What really
 * overlaps is found out when it is copied.
 */
const EARLIER_MAX = 2;
/** At a discontinuity it is a matter of the encoder's clock only when it also went on for what was lost, within this, seconds. */
const ON_TIME = 0.5;

/** Groups the main track's timelines, in order, by their clocks. */
export function clockGroups(
  runs: readonly TrackRun[],
  placeOf: (timeline: Timeline) => TimelinePlace,
): ClockGroup[] {
  const groups: ClockGroup[] = [];
  for (const [index, run] of runs.entries()) {
    for (const timeline of run.timelines) {
      const piece = { run, timeline, place: placeOf(timeline) };
      const { startSeconds, spanSeconds, positionSeconds } = piece.place;
      const group = groups.at(-1);
      const start = group && goesOn(group, piece);
      if (group !== undefined && start !== undefined) {
        const shiftSeconds = start - (startSeconds ?? 0);
        group.pieces.push({ piece, run: index, shiftSeconds, startSeconds: start });
        group.endSeconds = start + spanSeconds;
      } else {
        const own = startSeconds ?? positionSeconds;
        groups.push({
          pieces: [{ piece, run: index, shiftSeconds: 0, startSeconds: own }],
          startSeconds: own,
          endSeconds: own + spanSeconds,
          measured: startSeconds !== undefined,
        });
      }
    }
  }
  return groups;
}

/** Where a piece begins on a group's clock; undefined when it has another. */
function goesOn(group: ClockGroup, { timeline, place }: Piece): number | undefined {
  const last = group.pieces.at(-1)?.piece;
  if (!group.measured || last === undefined || place.startSeconds === undefined) return undefined;
  const due = group.endSeconds;
  const start = nearest(place.startSeconds, due);
  const lost = place.positionSeconds - last.place.positionSeconds - last.place.spanSeconds;
  const before = last.timeline.segments.at(-1);
  const [first] = timeline.segments;
  const isSame = before?.discontinuity === first?.discontinuity;
  const earliest = isSame ? due - EARLIER_MAX : due + Math.max(0, lost) - ON_TIME;
  if (start >= earliest && start <= due + LATER_MAX) return start;
  // Numbered as if it were the same stream: other tracks may have all of this time from one link, so the clock must go on.
  const isOnlyElsewhere =
    before !== undefined &&
    first !== undefined &&
    isSame &&
    before.epoch === first.epoch &&
    !isSameSource(before, first);
  return isOnlyElsewhere ? due + Math.max(0, lost) : undefined;
}
