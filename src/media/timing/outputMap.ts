import type { Run, Section } from '../joinedRun.ts';
import type { Stitched } from '../mediabunny/protocol.ts';

/** Where the times of a run's sections are in its file: stretches in order. */
export type OutputMap = readonly Stitched[];

/** A jump of all tracks by more than this is closed, seconds; as both muxers do it. */
export const JUMP_CLOSED_SECONDS = 0.5;

/** A stretch of media of a section, on its clock, seconds. */
export interface Stretch {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** Where anything at all plays in a section: what lies between two stretches is missing in every rendition. */
export function stretchesOf(section: Section): Stretch[] {
  const spans = section.parts.flatMap((part) =>
    part.timeline.segments.map((segment, index) => {
      const fromSeconds = part.startsSeconds[index] ?? 0;
      const next = part.startsSeconds[index + 1];
      const isLast = index === part.timeline.segments.length - 1;
      const follows = part.timeline.segments[index + 1]?.msn === segment.msn + 1;
      // Up to the next one where there is no hole: EXTINFs may be rounded.
      const reckoned = fromSeconds + segment.durationMs / 1_000;
      const end = isLast ? part.endSeconds : follows ? (next ?? reckoned) : reckoned;
      return { fromSeconds, toSeconds: Math.max(fromSeconds, end) };
    }),
  );
  const stretches: { fromSeconds: number; toSeconds: number }[] = [];
  for (const span of spans.toSorted((one, other) => one.fromSeconds - other.fromSeconds)) {
    const last = stretches.at(-1);
    if (last !== undefined && span.fromSeconds <= last.toSeconds + JUMP_CLOSED_SECONDS) {
      last.toSeconds = Math.max(last.toSeconds, span.toSeconds);
    } else {
      stretches.push({ ...span });
    }
  }
  return stretches;
}

/** Where everything must be in the file by what the segments and the playlists say: sections and stretches follow without a pause. */
export function reckonedMap(run: Run): OutputMap {
  const map: Stitched[] = [];
  let end = 0;
  for (const [section, each] of run.sections.entries()) {
    for (const { fromSeconds, toSeconds } of stretchesOf(each)) {
      map.push({ section, fromSeconds, toSeconds, shiftSeconds: end - fromSeconds });
      end += toSeconds - fromSeconds;
    }
  }
  return map;
}

/**
 * Where a time of a section is in the file, seconds. What lies in a closed hole is where it was closed, what lies outside goes on
 * from the nearest end. Undefined when nothing of the section is in the file.
 */
export function outputTime(map: OutputMap, section: number, clock: number): number | undefined {
  let found: Stitched | undefined;
  let isLast = true;
  for (let index = firstOfSection(map, section); ; index++) {
    const stretch = map[index];
    if (stretch?.section !== section) break;
    if (found === undefined || stretch.fromSeconds <= clock) {
      found = stretch;
      isLast = true;
    } else {
      isLast = false;
      break;
    }
  }
  if (found === undefined) return undefined;
  const inside = isLast ? clock : Math.min(clock, found.toSeconds);
  return inside + found.shiftSeconds;
}

function firstOfSection(map: OutputMap, section: number): number {
  let low = 0;
  let high = map.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((map[middle]?.section ?? 0) < section) low = middle + 1;
    else high = middle;
  }
  return low;
}
