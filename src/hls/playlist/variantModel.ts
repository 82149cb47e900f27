import type { types } from 'hls-parser';
import { asWritten, type StreamLine } from './masterLines.ts';
import type { Variant } from './model.ts';
import { renditionModels } from './renditionModel.ts';

/** RFC 6381 prefixes of codecs that carry sound; anything else in CODECS counts as video. */
const AUDIO_CODECS = /^(mp4a|ac-3|ec-3|ac-4|opus|flac|alac|mp3|vorbis)/i;

/** Width and height: the largest that any codec has room for (AV1, 16 bits). */
const PIXELS_MAX = 65_536;

/** A variant with the pathway it belongs to, before redundant ones are found. */
export interface PlacedVariant {
  readonly variant: Variant;
  /** PATHWAY-ID; `.` when there is none (RFC 8216bis §4.4.6.2). */
  readonly pathway: string;
}

export function variantModel(
  { bandwidth, resolution, frameRate, codecs: list, audio, subtitles, video }: types.Variant,
  { url, name: ownName, pathway = '.' }: StreamLine,
): PlacedVariant {
  const codecs = list ? asWritten(list) : undefined;
  // RFC 8216 gives EXT-X-STREAM-INF no NAME, but many origins write one.
  const name = ownName ?? (asWritten(video[0]?.name ?? '') || undefined);
  const size =
    isPixels(resolution?.width) && isPixels(resolution.height)
      ? { width: resolution.width, height: resolution.height }
      : undefined;
  const variant: Variant = {
    url,
    bandwidth: isPositive(bandwidth) ? bandwidth : 0,
    audioOnly: size === undefined && holdsSoundAlone(codecs),
    renditions: [...renditionModels(audio), ...renditionModels(subtitles)],
    mirrors: [],
    ...(audio.some(({ uri }) => !uri) && { hasOwnAudio: true }),
    ...size,
    ...(isPositive(frameRate) && { frameRate }),
    ...(codecs !== undefined && { codecs }),
    ...(name !== undefined && { name }),
  };
  return { variant, pathway };
}

function holdsSoundAlone(codecs: string | undefined): boolean {
  const list = codecs?.split(',').map((codec) => codec.trim()) ?? [];
  return list.length > 0 && list.every((codec) => AUDIO_CODECS.test(codec));
}

// hls-parser takes numbers as far as it can read them, infinite and negative ones too, and what is none for 0.
const isPositive = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value) && value > 0;

const isPixels = (value: number | undefined): value is number =>
  isPositive(value) && Number.isInteger(value) && value <= PIXELS_MAX;
