import type { Attributes } from './attributes.ts';
import type { Rendition, Variant } from './model.ts';
import type { RenditionGroups, RenditionLine } from './renditionGroups.ts';

/** RFC 6381 prefixes of codecs that carry sound; anything else in CODECS counts as video. */
const AUDIO_CODECS = /^(mp4a|ac-3|ec-3|ac-4|opus|flac|alac|mp3|vorbis)/i;

/** An EXT-X-STREAM-INF and the address under it. */
export interface StreamLine {
  readonly attributes: Attributes;
  readonly url: URL;
}

/** A variant with the pathway it belongs to, before redundant ones are found. */
export interface PlacedVariant {
  readonly variant: Variant;
  /** PATHWAY-ID; `.` when there is none (RFC 8216bis §4.4.6.2). */
  readonly pathway: string;
}

export function variantModel(
  { attributes, url }: StreamLine,
  groups: RenditionGroups,
): PlacedVariant {
  const audio = groups.of('AUDIO', attributes.get('AUDIO'));
  const subtitles = groups.of('SUBTITLES', attributes.get('SUBTITLES'));
  const video = groups.of('VIDEO', attributes.get('VIDEO'));
  const resolution = resolutionOf(attributes.get('RESOLUTION'));
  const frameRate = positive(attributes.get('FRAME-RATE'));
  const codecs = attributes.get('CODECS') || undefined;
  // RFC 8216 gives EXT-X-STREAM-INF no NAME, but many origins write one.
  const name = attributes.get('NAME') || video[0]?.name || undefined;
  const variant: Variant = {
    url,
    bandwidth: positive(attributes.get('BANDWIDTH')) ?? 0,
    audioOnly: resolution === undefined && holdsSoundAlone(codecs),
    renditions: [...separate(audio), ...separate(subtitles)],
    mirrors: [],
    ...(audio.some(({ isInside }) => isInside) && { hasOwnAudio: true }),
    ...resolution,
    ...(frameRate !== undefined && { frameRate }),
    ...(codecs !== undefined && { codecs }),
    ...(name !== undefined && { name }),
  };
  return { variant, pathway: attributes.get('PATHWAY-ID') || '.' };
}

const separate = (lines: readonly RenditionLine[]): Rendition[] =>
  lines.flatMap(({ rendition }) => (rendition === undefined ? [] : [rendition]));

function holdsSoundAlone(codecs: string | undefined): boolean {
  const list = codecs?.split(',').map((codec) => codec.trim()) ?? [];
  return list.length > 0 && list.every((codec) => AUDIO_CODECS.test(codec));
}

function positive(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function resolutionOf(text: string | undefined): { width: number; height: number } | undefined {
  const [, width, height] = /^(\d{1,6})x(\d{1,6})$/i.exec(text ?? '') ?? [];
  if (!Number(width) || !Number(height)) return undefined;
  return { width: Number(width), height: Number(height) };
}
