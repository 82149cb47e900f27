import type { MediaSet } from './mediaSet.ts';

/** From segment `at` on, the media comes from `set`, from its beginning, over and over. */
export interface Section {
  readonly at: number;
  readonly set: MediaSet;
}

/** Where the media of a segment is found. */
export interface Place {
  readonly set: MediaSet;
  /** Position within the set. */
  readonly position: number;
}

/** Which media each segment carries, and where the timeline breaks. */
export interface Timeline {
  readonly sections: readonly [Section, ...Section[]];
  /** Breaks that the media itself does not ask for. */
  readonly extraBreaks: readonly number[];
  /** Indexes that carry the media of the one before. */
  readonly repeats: readonly number[];
}

export function placeOf(timeline: Timeline, index: number): Place {
  if (index > 0 && timeline.repeats.includes(index)) return placeOf(timeline, index - 1);
  const { sections } = timeline;
  const section = sections.findLast(({ at }) => at <= index) ?? sections[0];
  return {
    set: section.set,
    position: (index - section.at) % section.set.segments.length,
  };
}

/** The bytes of a segment. */
export function bodyOf(timeline: Timeline, index: number): Uint8Array {
  const { set, position } = placeOf(timeline, index);
  const body = set.bodies[position];
  if (body === undefined) throw new Error(`set ${set.name} has no segment ${position}`);
  return body;
}

/** Whether EXT-X-DISCONTINUITY stands before this segment: the set starts over, changes, or it was asked for, or repeats. */
export const breaksBefore = (timeline: Timeline, index: number): boolean =>
  index > 0 &&
  (placeOf(timeline, index).position === 0 ||
    [timeline.extraBreaks, timeline.repeats].some((breaks) => breaks.includes(index)));

/** EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with `first`: how many breaks have left it. */
export function discontinuitySequence(timeline: Timeline, first: number): number {
  let breaks = 0;
  for (let index = 1; index < first; index++) if (breaksBefore(timeline, index)) breaks++;
  return breaks;
}
