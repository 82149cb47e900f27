import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import type { Timeline } from '../runs.ts';
import { nearest } from './timestampWrap.ts';

/** What was read from a segment itself. */
export interface Measured {
  /** Its first timestamp, seconds. */
  readonly startSeconds?: number;
  readonly durationSeconds?: number;
}
export type MeasuredOf = (segment: SegmentStored) => Measured | undefined;

/** Where a timeline stands in time. */
export interface TimelinePlace {
  /** On the clock of its timestamps; absent when its first segment could not be measured. */
  readonly startSeconds?: number;
  /** From its start to its end, with the holes inside. */
  readonly spanSeconds: number;
  /** From the beginning of its track, by the playlists' durations, with everything that was lost before it. */
  readonly positionSeconds: number;
  /** EXT-X-PROGRAM-DATE-TIME of its first segment, seconds since the epoch. */
  readonly wallClockSeconds?: number;
  /** Start of each of its segments, from the start of the timeline. */
  readonly offsetsSeconds: readonly number[];
}

/**
 * A measured timeline may last that much more or less than its playlist says before the playlist is believed instead: then its
 * clock jumps somewhere inside and one number cannot describe it.
 */
const STRETCH_MAX = 1.5;

/** Where every stored segment of a track begins by the playlists' durations, seconds from the beginning of the track. */
export function positionsOf(ledger: Ledger, track: string): Map<SegmentStored, number> {
  const gaps = ledger.gaps().filter((gap) => gap.track === track);
  const entries = [...ledger.segments(track), ...gaps].sort(
    (one, other) => one.epoch - other.epoch || one.msn - other.msn,
  );
  const positions = new Map<SegmentStored, number>();
  let seconds = 0;
  for (const entry of entries) {
    if (entry.t === 'segment') positions.set(entry, seconds);
    seconds += entry.durationMs / 1_000;
  }
  return positions;
}

/**
 * Places a timeline. EXTINFs are often rounded, and over a day that adds up to minutes: where the first and the last segment
 * were measured, what lies between them is stretched to fit.
 */
export function placeTimeline(
  timeline: Timeline,
  positions: ReadonlyMap<SegmentStored, number>,
  measuredOf: MeasuredOf,
): TimelinePlace {
  const { segments } = timeline;
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) throw new Error('a timeline has no segments');
  const positionSeconds = positions.get(first) ?? 0;
  const offsets = segments.map((segment) => (positions.get(segment) ?? 0) - positionSeconds);
  const lastOffset = offsets.at(-1) ?? 0;
  const startSeconds = measuredOf(first)?.startSeconds;
  const lastMeasured = measuredOf(last);
  const stretch = stretchOf(
    lastOffset,
    startSeconds === undefined || lastMeasured?.startSeconds === undefined
      ? undefined
      : nearest(lastMeasured.startSeconds, startSeconds + lastOffset) - startSeconds,
  );
  const lastDuration = lastMeasured?.durationSeconds ?? last.durationMs / 1_000;
  const offsetsSeconds = segments.map((segment, index) => {
    const reckoned = (offsets[index] ?? 0) * stretch;
    const measured = measuredOf(segment)?.startSeconds;
    if (measured === undefined || startSeconds === undefined) return reckoned;
    return nearest(measured, startSeconds + reckoned) - startSeconds;
  });
  return {
    ...(startSeconds !== undefined && { startSeconds }),
    spanSeconds: (offsetsSeconds.at(-1) ?? 0) + lastDuration,
    positionSeconds,
    ...(first.wallClock !== undefined && { wallClockSeconds: first.wallClock / 1_000 }),
    offsetsSeconds,
  };
}

function stretchOf(said: number, measured: number | undefined): number {
  if (measured === undefined || said <= 0) return 1;
  const stretch = measured / said;
  return stretch > 1 / STRETCH_MAX && stretch < STRETCH_MAX ? stretch : 1;
}
