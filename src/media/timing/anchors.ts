import type { Run } from '../joinedRun.ts';
import { type OutputMap, outputTime } from './outputMap.ts';

/** Where in the file a stretch of segments of its own track begins. */
export interface Anchor {
  readonly epoch: number;
  readonly msn: number;
  /** Milliseconds from the file's beginning. */
  readonly atMs: number;
}

/** An anchor for the first of all segments of a run's own track that follow each other without a hole. */
export function anchorsOf(run: Run, map: OutputMap): Anchor[] {
  const anchors: Anchor[] = [];
  for (const [section, { parts }] of run.sections.entries()) {
    for (const part of parts) {
      if (part.rendition !== 0) continue;
      for (const [index, { epoch, msn }] of part.timeline.segments.entries()) {
        const before = part.timeline.segments[index - 1];
        if (before !== undefined && before.msn + 1 === msn) continue;
        const at = outputTime(map, section, part.startsSeconds[index] ?? 0);
        if (at !== undefined) anchors.push({ epoch, msn, atMs: Math.round(at * 1_000) });
      }
    }
  }
  return anchors;
}
