import type { Pairing, Piece } from '../joinedRun.ts';
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
/** Timestamps that are no further than this from what is there of a clock belong to it, seconds. */
const NEAR = 60;

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

export interface Paired {
  readonly group: ClockGroup;
  readonly by: Pairing;
  /** Where the piece begins on the group's clock. */
  readonly startSeconds: number;
}

/**
 * The clock that a piece of another rendition belongs to. Wall clocks decide where both have them; then the same discontinuity
 * sequence number and timestamps that fit; then the place that the playlists' durations give. Undefined when nothing of the main
 * track is left of its time.
 */
export function pair(piece: Piece, groups: readonly ClockGroup[]): Paired | undefined {
  let best:
    | { readonly group: ClockGroup; readonly score: number; readonly away: number }
    | undefined;
  for (const group of groups) {
    const score = scoreOf(piece, group);
    // Without any sign only the place is left, and most of it must be inside.
    if (score < 0 || (score === 0 && !isMostlyInside(piece, group))) continue;
    const clock = clockStart(piece, group);
    const away =
      clock?.near === true
        ? Math.abs(clock.startSeconds - positionStart(piece, group))
        : positionApart(piece, group);
    if (best === undefined || score > best.score || (score === best.score && away < best.away)) {
      best = { group, score, away };
    }
  }
  if (best === undefined) return undefined;
  const { group } = best;
  const clock = clockStart(piece, group);
  if (clock?.near === true) return { group, by: 'clock', startSeconds: clock.startSeconds };
  const wall = wallStart(piece, group);
  if (wall !== undefined) return { group, by: 'wallClock', startSeconds: wall };
  return { group, by: 'durations', startSeconds: positionStart(piece, group) };
}

/** More for what tells more: a wall clock outweighs all else together. */
const WALL_CLOCK = 16;
const CLOCK_OVERLAPS = 5;
const CLOCK_NEAR = 4;
const DISCONTINUITY = 2;
/** A wall clock and timestamps that say the same to this, seconds, are right even where nothing overlaps. */
const WALL_CLOCK_FITS = 5;

/** Below zero: certainly not. */
function scoreOf(piece: Piece, group: ClockGroup): number {
  let score = 0;
  const wall = wallStart(piece, group);
  const clock = clockStart(piece, group);
  if (wall !== undefined) {
    const fits = clock?.near === true && Math.abs(wall - clock.startSeconds) <= WALL_CLOCK_FITS;
    if (!overlaps(wall, piece, group) && !fits) return -1;
    score += WALL_CLOCK;
  }
  if (clock !== undefined && overlaps(clock.startSeconds, piece, group)) score += CLOCK_OVERLAPS;
  else if (clock?.near === true) score += CLOCK_NEAR;
  const [first] = piece.timeline.segments;
  const sameBreak = group.pieces.some(
    (each) => each.piece.timeline.segments[0]?.discontinuity === first?.discontinuity,
  );
  if (sameBreak) score += DISCONTINUITY;
  // Timestamps alone may fit by chance: every encoder that starts again begins at the same one.
  else if (wall === undefined && positionApart(piece, group) > NEAR) score -= CLOCK_NEAR;
  return score;
}

function overlaps(startSeconds: number, { place }: Piece, group: ClockGroup): boolean {
  return startSeconds < group.endSeconds && startSeconds + place.spanSeconds > group.startSeconds;
}

function clockStart(
  { place }: Piece,
  group: ClockGroup,
): { readonly startSeconds: number; readonly near: boolean } | undefined {
  if (place.startSeconds === undefined || !group.measured) return undefined;
  const middle = (group.startSeconds + group.endSeconds - place.spanSeconds) / 2;
  const startSeconds = nearest(place.startSeconds, middle);
  const near =
    startSeconds < group.endSeconds + NEAR &&
    startSeconds + place.spanSeconds > group.startSeconds - NEAR;
  return { startSeconds, near };
}

function wallStart({ place }: Piece, group: ClockGroup): number | undefined {
  const { wallClockSeconds } = place;
  if (wallClockSeconds === undefined) return undefined;
  const anchor = group.pieces.find((each) => each.piece.place.wallClockSeconds !== undefined);
  const mainSeconds = anchor?.piece.place.wallClockSeconds;
  if (anchor === undefined || mainSeconds === undefined) return undefined;
  return anchor.startSeconds + (wallClockSeconds - mainSeconds);
}

function positionStart({ place }: Piece, group: ClockGroup): number {
  const [first] = group.pieces;
  return group.startSeconds + place.positionSeconds - (first?.piece.place.positionSeconds ?? 0);
}

function isMostlyInside(piece: Piece, group: ClockGroup): boolean {
  const middle = positionStart(piece, group) + piece.place.spanSeconds / 2;
  return middle >= group.startSeconds && middle < group.endSeconds;
}

/** How far the piece lies outside the group by the playlists' durations; 0 when they overlap. */
function positionApart(piece: Piece, group: ClockGroup): number {
  const start = positionStart(piece, group);
  return Math.max(
    0,
    start - group.endSeconds,
    group.startSeconds - (start + piece.place.spanSeconds),
  );
}
