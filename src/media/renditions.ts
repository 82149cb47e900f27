import { z } from 'zod';
import type { Ledger } from '../ledger/ledger.ts';

/** What a track of a recording is. `main` is the variant itself: picture, or picture and sound, or sound alone. */
export interface RenditionInfo {
  readonly track: string;
  readonly kind: 'main' | 'audio' | 'subtitles';
  /** As the playlist wrote it: a BCP 47 tag, mostly. */
  readonly language?: string;
  /** For people. */
  readonly name?: string;
}

/** The track that a job with several renditions builds on. */
export const MAIN_TRACK = 'main';

/** What recorders write into `started.source.tracks`; entries of any other form say nothing. */
const entrySchema = z.object({
  track: z.string(),
  kind: z.enum(['audio', 'subtitles']),
  language: z.string().optional(),
  name: z.string().optional(),
});

/**
 * Every track that a ledger has segments or gaps of, in the ledger's order with `main` first. A track that the recorder did not
 * describe is told by its name and its container.
 */
export function renditionsOf(ledger: Ledger): RenditionInfo[] {
  const told = toldTracks(ledger);
  const others = ledger.tracks.filter((track) => track !== MAIN_TRACK);
  const main = ledger.tracks.includes(MAIN_TRACK) ? [MAIN_TRACK] : [];
  return [...main, ...others].map((track) => told.get(track) ?? guessed(ledger, track));
}

function toldTracks(ledger: Ledger): Map<string, RenditionInfo> {
  const listed = ledger.source?.['tracks'];
  const told = new Map<string, RenditionInfo>();
  for (const entry of Array.isArray(listed) ? listed : []) {
    const { success, data } = entrySchema.safeParse(entry);
    if (!success || data.track === MAIN_TRACK) continue;
    const { track, kind, language, name } = data;
    told.set(track, {
      track,
      kind,
      ...(language !== undefined && { language }),
      ...(name !== undefined && { name }),
    });
  }
  return told;
}

function guessed(ledger: Ledger, track: string): RenditionInfo {
  if (track === MAIN_TRACK) return { track, kind: 'main' };
  const isText =
    track.startsWith('subtitles') ||
    ledger.segments(track).some(({ container }) => container === 'webvtt');
  const language = /^(?:audio|subtitles)-([a-z]{2,3})(?:-|$)/.exec(track)?.[1];
  return {
    track,
    kind: isText ? 'subtitles' : 'audio',
    ...(language !== undefined && { language }),
  };
}
