import type { Rendition } from '../playlist/model.ts';
import { MAIN_TRACK, type Resolution } from './linkSource.ts';
import type { ChosenRendition } from './renditions.ts';
import { describeVariant } from './variants.ts';

/** A track as the journal's `started` line names it. */
export interface TrackDescription {
  readonly track: string;
  /** `main`: picture and whatever else is in its segments. */
  readonly kind: 'main' | Rendition['kind'];
  readonly name?: string;
  readonly language?: string;
  readonly isDefault?: boolean;
  readonly isForced?: boolean;
  readonly channels?: string;
}

/** What is recorded, for people, the manifest, and a later attempt. No addresses: they may hold tokens. */
export function describeSource(
  { variant, renditions }: Resolution,
  { source, chosen }: { source: number; chosen: readonly ChosenRendition[] },
): Readonly<Record<string, unknown>> {
  const from = source > 0 ? { source } : {};
  const tracks: TrackDescription[] = [{ track: MAIN_TRACK, kind: 'main' }];
  if (variant === undefined) return { playlist: 'media', ...from, tracks };
  tracks.push(...chosen.map(describeRendition));
  const { bandwidth, width, height, frameRate, codecs } = variant;
  const facts = { bandwidth, width, height, frameRate, codecs };
  const taken = new Set(chosen.map(({ track }) => track));
  const missing = renditions.flatMap(({ track }) => (taken.has(track) ? [] : [track]));
  return {
    playlist: 'master',
    variant: describeVariant(variant),
    ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
    ...from,
    ...spoken('audio', chosen),
    ...spoken('subtitles', chosen),
    tracks,
    // Offered, and not asked for.
    ...(missing.length > 0 && { missing: missing.join(', ') }),
  };
}

/** The tracks that the `started` line of an earlier attempt names. */
export function describedTracks(source: Readonly<Record<string, unknown>> | undefined): string[] {
  const tracks: unknown = source?.['tracks'];
  if (!Array.isArray(tracks)) return [];
  return tracks.flatMap((described: unknown) => {
    const isNamed = typeof described === 'object' && described !== null && 'track' in described;
    return isNamed && typeof described.track === 'string' ? [described.track] : [];
  });
}

function describeRendition({ track, rendition }: ChosenRendition): TrackDescription {
  const { kind, name, language, isDefault, isForced, channels } = rendition;
  return {
    track,
    kind,
    name,
    ...(language !== undefined && { language }),
    isDefault,
    isForced,
    ...(channels !== undefined && { channels }),
  };
}

/** The languages in one line, for people. */
function spoken(kind: Rendition['kind'], renditions: readonly ChosenRendition[]) {
  const names = renditions
    .filter(({ rendition }) => rendition.kind === kind)
    .map(({ rendition }) => rendition.language ?? rendition.name);
  return names.length > 0 ? { [kind]: names.join(', ') } : {};
}
