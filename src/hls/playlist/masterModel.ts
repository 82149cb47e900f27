import type { types } from 'hls-parser';
import HLS from 'hls-parser';
import { invalidPlaylist } from './invalidPlaylist.ts';
import { tagName } from './mediaLines.ts';
import type { MasterPlaylist, Rendition, Variant } from './model.ts';
import { httpUrl } from './segmentIdentity.ts';

/** RFC 6381 prefixes of codecs that carry sound; anything else in CODECS counts as video. */
const AUDIO_CODECS = /^(mp4a|ac-3|ec-3|ac-4|opus|flac|alac|mp3|vorbis)/i;

/** Reads the lines of a master playlist. A variant that cannot be read is left out. Throws `playlist.invalid`. */
export function masterModel(lines: readonly string[], url: URL): MasterPlaylist {
  const media: string[] = [];
  const streams: { tag: string; uri: string }[] = [];
  for (const [index, line] of lines.entries()) {
    const name = line.startsWith('#') ? tagName(line) : undefined;
    if (name === 'EXT-X-MEDIA') media.push(line);
    if (name !== 'EXT-X-STREAM-INF') continue;
    const uri = lines[index + 1];
    if (uri !== undefined && !uri.startsWith('#')) streams.push({ tag: line, uri });
  }
  const readable = media.filter((line) => parse([line]) !== undefined);
  const variants = streams.flatMap(({ tag, uri }): Variant[] => {
    const parsed = parse([...readable, tag, uri])?.variants[0];
    const address = httpUrl(uri, url);
    if (parsed === undefined || address === undefined) return [];
    return [
      { ...variantModel(parsed, address, tag), renditions: renditionModels(parsed.audio, url) },
    ];
  });
  if (variants.length === 0) {
    throw invalidPlaylist('it lists no variant that can be read', lines.join('\n'));
  }
  return { kind: 'master', variants, variables: {} };
}

function parse(lines: readonly string[]): types.MasterPlaylist | undefined {
  try {
    const parsed = HLS.parse(['#EXTM3U', ...lines].join('\n'));
    return parsed.isMasterPlaylist ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function variantModel(variant: types.Variant, url: URL, tag: string): Variant {
  const { resolution, frameRate, codecs } = variant;
  const list = codecs?.split(',').map((codec) => codec.trim()) ?? [];
  // The parser does not know NAME on EXT-X-STREAM-INF, which many origins write all the same.
  const name = /[:,]\s*NAME="([^"]+)"/.exec(tag)?.[1] ?? variant.video[0]?.name;
  return {
    url,
    bandwidth: Number.isFinite(variant.bandwidth) ? variant.bandwidth : 0,
    audioOnly:
      resolution === undefined &&
      list.length > 0 &&
      list.every((codec) => AUDIO_CODECS.test(codec)),
    renditions: [],
    mirrors: [],
    ...(resolution && { width: resolution.width, height: resolution.height }),
    ...(frameRate !== undefined && { frameRate }),
    ...(codecs !== undefined && { codecs }),
    ...(name !== undefined && { name }),
  };
}

function renditionModels(audio: readonly types.Rendition[], base: URL): Rendition[] {
  return audio.flatMap(({ uri, name, language, isDefault = false, forced = false }) => {
    const url = uri === undefined ? undefined : httpUrl(uri, base);
    if (url === undefined) return [];
    return [
      { kind: 'audio', url, name, isDefault, isForced: forced, ...(language && { language }) },
    ];
  });
}
