import { invalidPlaylist } from './invalidPlaylist.ts';
import { masterModel } from './masterModel.ts';
import { mediaModel } from './mediaModel.ts';
import type { MasterPlaylist, MediaPlaylist, PlaylistCut, Variables } from './model.ts';
import { tagLine, tagsAndAddresses } from './tagLine.ts';

/**
 * The longest playlist that is read, characters. A 24 h window of 2 s segments with 150-character addresses is 8 MB; nobody
 * serves more to players.
 */
export const PLAYLIST_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Below this a full parse costs 0.4 ms or less (measured: 1.7 µs for a segment), characters. */
const CUT_ABOVE_CHARACTERS = 16 * 1024;

const MASTER_TAGS = new Set([
  'EXT-X-STREAM-INF',
  'EXT-X-MEDIA',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-CONTENT-STEERING',
]);
const MEDIA_TAGS = new Set([
  'EXTINF',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-SKIP',
]);

export interface ParseOptions {
  /** Where a long media playlist may be cut. */
  readonly cut?: PlaylistCut | undefined;
  /** What the master playlist defined, for EXT-X-DEFINE:IMPORT. */
  readonly variables?: Variables | undefined;
  /** The media playlist that this address gave last, for delta updates. */
  readonly previous?: MediaPlaylist | undefined;
}

/**
 * Reads a playlist. `url` is where the body came from after redirects. The first tag that only one kind of playlist may have
 * tells which kind it is. A body longer than 16 Ki characters is cut to header and tail, when `cut` says where that is safe.
 *
 * Throws a KennelError: `playlist.invalid` (no playlist at all, or one that contradicts itself; with `details.delta` a delta
 * update that does not fit `previous`: ask again without `_HLS_skip`), `source.encrypted` (DRM).
 */
export function parsePlaylist(
  body: string,
  url: URL,
  { cut, variables, previous }: ParseOptions = {},
): MasterPlaylist | MediaPlaylist {
  if (body.length > PLAYLIST_CHARACTERS_MAX) throw invalidPlaylist('it is too long', body);
  if (kindOf(body) === 'master') return masterModel(body, url);
  const isLong = body.length > CUT_ABOVE_CHARACTERS || body.includes('#EXT-X-SKIP');
  return mediaModel(body, { url, variables, previous, cut: isLong ? cut : undefined });
}

/** Comments, blank lines and a byte order mark may stand before #EXTM3U, and nothing else: pages do not get further. */
function kindOf(text: string): 'master' | 'media' {
  let hasBegun = false;
  for (const line of tagsAndAddresses(text)) {
    hasBegun ||= /^#EXTM3U(?=\s|$)/.test(line);
    if (!hasBegun) throw invalidPlaylist('it does not begin with #EXTM3U', text);
    if (!line.startsWith('#')) continue;
    const { name } = tagLine(line);
    if (MASTER_TAGS.has(name)) return 'master';
    if (MEDIA_TAGS.has(name)) return 'media';
  }
  const problem = hasBegun ? 'it holds neither segments nor variants' : 'it is empty';
  throw invalidPlaylist(problem, text);
}
