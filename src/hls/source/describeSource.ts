import { z } from 'zod';
import type { ResolvedLink } from '../../intake/link.ts';
import type { Rendition } from '../playlist/model.ts';
import { MAIN_TRACK, type Resolution } from './linkSource.ts';
import type { ChosenRendition } from './renditions.ts';
import { describeVariant, type RecordedVariant } from './variants.ts';

/** `kind`: `main` is picture and whatever else is in its segments. */
const trackSchema = z.object({
  track: z.string(),
  kind: z.enum(['main', 'audio', 'subtitles']),
  name: z.string().exactOptional(),
  language: z.string().exactOptional(),
  isDefault: z.boolean().exactOptional(),
  isForced: z.boolean().exactOptional(),
  channels: z.string().exactOptional(),
});
/** A track as the journal's `started` line names it. */
export type TrackDescription = Readonly<z.infer<typeof trackSchema>>;

const variantSchema = z.object({
  variant: z.string(),
  bandwidth: z.number().exactOptional(),
  height: z.number().exactOptional(),
  codecs: z.string().exactOptional(),
});

export interface DescribeOptions {
  readonly source: number;
  readonly chosen: readonly ChosenRendition[];
  /** The source's link, where it is one of the job's. */
  readonly link?: URL | undefined;
}

/** What is recorded, for people, the manifest, and a later attempt. No addresses: they may hold tokens. */
export function describeSource(
  { variant, renditions, page }: Resolution,
  { source, chosen, link }: DescribeOptions,
): Readonly<Record<string, unknown>> {
  const from = { ...(source > 0 && { source }), ...(page && describePage(page, link)) };
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

/** What a page said of its broadcast. Of the page's own address only what holds no token. */
function describePage({ title, uploader, resolver }: ResolvedLink, link: URL | undefined) {
  return {
    ...(title !== undefined && { title }),
    ...(uploader !== undefined && { uploader }),
    ...(resolver !== undefined && { resolver }),
    ...(link && { page: link.origin + link.pathname }),
  };
}

/** The tracks that a `started` line names. */
export function describedTracks(
  source: Readonly<Record<string, unknown>> | undefined,
): TrackDescription[] {
  const tracks = z.array(z.unknown()).safeParse(source?.['tracks']).data ?? [];
  return tracks.flatMap((track) => trackSchema.safeParse(track).data ?? []);
}

/** The variant that a `started` line names; undefined where the link was a media playlist. */
export function describedVariant(
  source: Readonly<Record<string, unknown>> | undefined,
): RecordedVariant | undefined {
  const { variant: name, bandwidth, height, codecs } = variantSchema.safeParse(source).data ?? {};
  return name === undefined ? undefined : { name, bandwidth: bandwidth ?? 0, height, codecs };
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
