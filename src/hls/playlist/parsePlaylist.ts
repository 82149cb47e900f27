import { invalidPlaylist } from './invalidPlaylist.ts';
import { masterModel } from './masterModel.ts';
import { tagName } from './mediaLines.ts';
import { mediaModel } from './mediaModel.ts';
import type { MasterPlaylist, MediaPlaylist, PlaylistCut, Variables } from './model.ts';

/**
 * The longest playlist that is read, characters. A 24 h window of 2 s segments with 150-character addresses is 8 MB; nobody
 * serves more to players.
 */
export const PLAYLIST_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Below this a full parse costs less than 1 ms (hls-parser 0.16.1: 0.7 ms for 600 segments), characters. */
const CUT_ABOVE_CHARACTERS = 64 * 1024;

const MASTER_TAGS = new Set(['EXT-X-STREAM-INF', 'EXT-X-MEDIA', 'EXT-X-I-FRAME-STREAM-INF']);
const MEDIA_TAGS = new Set(['EXTINF', 'EXT-X-TARGETDURATION', 'EXT-X-MEDIA-SEQUENCE']);

export interface ParseOptions {
  /** Where a long media playlist may be cut. */
  readonly cut?: PlaylistCut | undefined;
  /** What the master playlist defined, for EXT-X-DEFINE:IMPORT. */
  readonly variables?: Variables | undefined;
  /** The media playlist that this address gave last, for delta updates. */
  readonly previous?: MediaPlaylist | undefined;
}

/**
 * Reads a playlist. `url` is where the body came from after redirects. A body longer than 64 Ki characters is cut to
 * header and tail first, when `cut` says where that is safe.
 *
 * Throws a KennelError: `playlist.invalid` (no playlist at all, or one that contradicts itself), `source.encrypted` (DRM).
 */
export function parsePlaylist(
  body: string,
  url: URL,
  { cut }: ParseOptions = {},
): MasterPlaylist | MediaPlaylist {
  if (body.length > PLAYLIST_CHARACTERS_MAX) throw invalidPlaylist('it is too long', body);
  // A byte order mark is white space to trimStart.
  const text = body.trimStart();
  if (!/^#EXTM3U(?=\s|$)/.test(text)) {
    throw invalidPlaylist('it does not begin with #EXTM3U', body);
  }
  const lines: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line !== '' && (!line.startsWith('#') || line.startsWith('#EXT'))) lines.push(line);
  }
  const has = (tags: ReadonlySet<string>) =>
    lines.some((line) => line.startsWith('#') && tags.has(tagName(line)));
  if (has(MASTER_TAGS)) return masterModel(lines, url);
  if (has(MEDIA_TAGS)) {
    return mediaModel(lines, url, body.length > CUT_ABOVE_CHARACTERS ? cut : undefined);
  }
  throw invalidPlaylist('it holds neither segments nor variants', body);
}
