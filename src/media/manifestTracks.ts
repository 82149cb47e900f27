import { z } from 'zod';
import type { Ledger } from '../ledger/ledger.ts';
import type { MuxResult } from './mux/muxResult.ts';
import { MAIN_TRACK, renditionsOf } from './renditions.ts';

export const manifestTrackSchema = z.object({
  track: z.string(),
  kind: z.enum(['main', 'audio', 'subtitles']),
  language: z.string().exactOptional(),
  name: z.string().exactOptional(),
  /** Of its segments; more than one when the origin changed it. */
  containers: z.array(z.string()),
  /** Segments. */
  stored: z.number(),
  lost: z.number(),
  damaged: z.number(),
  bytes: z.number(),
  /** Stored, milliseconds. */
  durationMs: z.number(),
  /** Finished files that it is in. */
  files: z.array(z.string()),
});
export type ManifestTrack = z.infer<typeof manifestTrackSchema>;

/** What was recorded side by side, `main` first. */
export function manifestTracks(ledger: Ledger, mux: MuxResult): ManifestTrack[] {
  const gaps = ledger.gaps();
  return renditionsOf(ledger).map((info) => {
    const { track } = info;
    const segments = ledger.segments(track);
    const files = [
      ...mux.files.filter((file) => file.tracks.some((each) => each.track === track)),
      ...mux.sidecars.filter((sidecar) => sidecar.track === track),
    ];
    return {
      ...info,
      containers: [...new Set(segments.map(({ container }) => container))],
      stored: segments.length,
      lost: gaps.reduce((sum, gap) => sum + (gap.track === track ? gap.count : 0), 0),
      damaged: mux.damaged.filter((each) => each.track === track && each.msn !== undefined).length,
      bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      durationMs: segments.reduce((sum, { durationMs }) => sum + durationMs, 0),
      files: files.map(({ file }) => file),
    };
  });
}

/** When what was recorded was live, by EXT-X-PROGRAM-DATE-TIME, milliseconds since the epoch; null where the playlist did not say. */
export function wallClockOf(ledger: Ledger): { from: number; until: number } | null {
  let from = Number.POSITIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  for (const { wallClock, durationMs } of ledger.segments(
    ledger.tracks.includes(MAIN_TRACK) ? MAIN_TRACK : undefined,
  )) {
    if (wallClock === undefined) continue;
    from = Math.min(from, wallClock);
    until = Math.max(until, wallClock + durationMs);
  }
  return Number.isFinite(from) ? { from, until } : null;
}
