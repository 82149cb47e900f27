import type { InitStored, SegmentStored } from '../ledger/record.ts';
import type { RenditionInfo } from './renditions.ts';
import { type Timeline, type TrackRun, timelineOf } from './runs.ts';
import type { TimelinePlace } from './timing/timelinePlace.ts';

/**
 * How a rendition's time was found to belong to the main track's. `clock`: both have the same timestamps, as HLS demands.
 * `wallClock`: by EXT-X-PROGRAM-DATE-TIME. `durations`: only by what the playlists say that everything before it lasted.
 */
export type Pairing = 'clock' | 'wallClock' | 'durations';

/** What of one rendition plays during a section, without a break in its own playlist. */
export interface Part {
  /** 0 is the run's own track, then its companions in order. */
  readonly rendition: number;
  readonly container: TrackRun['container'];
  readonly init?: InitStored;
  readonly timeline: Timeline;
  /** What must be added to its timestamps to have the section's clock, seconds. */
  readonly shiftSeconds: number;
  /** Start of each of its segments on the section's clock, seconds; measured for some, reckoned for the others. */
  readonly startsSeconds: readonly number[];
  /** On the section's clock, seconds. */
  readonly endSeconds: number;
}

/** A stretch of time in which all timestamps follow one clock. Sections follow each other without a pause. */
export interface Section {
  readonly parts: readonly Part[];
}

/** A separate rendition that goes into the same file. */
export interface Companion extends RenditionInfo {
  /** The weakest way that was needed for any part of it. */
  readonly pairedBy: Pairing;
}

/** One file to be made: segments of one track, and what was recorded beside it. */
export interface Run extends TrackRun {
  readonly info: RenditionInfo;
  readonly companions: readonly Companion[];
  readonly sections: readonly Section[];
}

/** A timeline with what its run knows about it. */
export interface Piece {
  readonly run: TrackRun;
  readonly timeline: Timeline;
  readonly place: TimelinePlace;
}

/** A run that is nobody's companion and has none: each timeline is a section. */
export const runAlone = (
  run: TrackRun,
  info: RenditionInfo,
  placeOf: (timeline: Timeline) => TimelinePlace,
): Run => ({
  ...run,
  info,
  companions: [],
  sections: run.timelines.map((timeline) => ({
    parts: [partOf({ run, timeline, place: placeOf(timeline) }, { rendition: 0, shiftSeconds: 0 })],
  })),
});

/** A piece on a section's clock. Where its own clock is not known it begins at `startSeconds`. */
export function partOf(
  { run, timeline, place }: Piece,
  at: { readonly rendition: number; readonly shiftSeconds: number; readonly startSeconds?: number },
): Part {
  const { rendition, shiftSeconds } = at;
  const init = timeline.init ?? run.init;
  const start = at.startSeconds ?? (place.startSeconds ?? 0) + shiftSeconds;
  return {
    rendition,
    container: run.container,
    ...(init !== undefined && { init }),
    timeline,
    shiftSeconds,
    startsSeconds: place.offsetsSeconds.map((offset) => start + offset),
    endSeconds: start + place.spanSeconds,
  };
}

/** The segments of a part for which `keep` is true; undefined when there are none. */
export function partOfPart(
  part: Part,
  keep: (startSeconds: number, segment: SegmentStored) => boolean,
): Part | undefined {
  const { segments } = part.timeline;
  const kept = segments.flatMap((segment, index) =>
    keep(part.startsSeconds[index] ?? 0, segment) ? [index] : [],
  );
  const last = kept.at(-1);
  if (last === undefined) return undefined;
  return {
    ...part,
    timeline: timelineOf(kept.flatMap((index) => segments[index] ?? [])),
    startsSeconds: kept.map((index) => part.startsSeconds[index] ?? 0),
    endSeconds: part.startsSeconds[last + 1] ?? part.endSeconds,
  };
}

/** What of a run and its companions is stored in files, each file once: initialisation sections and segments. */
export function entriesOf(run: Run, rendition?: number): (InitStored | SegmentStored)[] {
  const entries = new Set<InitStored | SegmentStored>();
  for (const { parts } of run.sections) {
    for (const part of parts) {
      if (rendition !== undefined && part.rendition !== rendition) continue;
      if (part.init !== undefined) entries.add(part.init);
      for (const segment of part.timeline.segments) entries.add(segment);
    }
  }
  return [...entries];
}

/** How many segments of all renditions go into the file. */
export const countSegments = (run: Run): number =>
  run.sections.reduce(
    (sum, { parts }) => sum + parts.reduce((all, part) => all + part.timeline.segments.length, 0),
    0,
  );
