import type { MediaPlaylist } from '../playlist/model.ts';

/** Delta updates are asked for when a whole playlist is longer than this, characters: below it a full parse is cheap. */
const SKIP_ABOVE_CHARACTERS = 64 * 1024;

export interface ReloadDirectives {
  /** Held back until the segment of this number is whole. */
  readonly msn?: number;
  /** What was listed before may be left out. */
  readonly skip: boolean;
}

/** What to ask of an origin that makes delta updates (EXT-X-SERVER-CONTROL), or may hold its answer back until `msn`. */
export function reloadDirectives(
  last: { readonly playlist: MediaPlaylist; readonly characters: number },
  msn: number | undefined,
): ReloadDirectives {
  const skips = last.playlist.serverControl?.canSkipUntilMs !== undefined;
  return {
    skip: skips && last.characters > SKIP_ABOVE_CHARACTERS,
    ...(msn !== undefined && { msn }),
  };
}

/** The address with the directives behind what it has already, which may be signed and stays as it is. */
export function directedUrl(url: URL, { msn, skip }: ReloadDirectives): URL {
  const directives = [
    ...(msn === undefined ? [] : [`_HLS_msn=${msn}`]),
    ...(skip ? ['_HLS_skip=YES'] : []),
  ];
  if (directives.length === 0) return url;
  const directed = new URL(url);
  directed.search = [url.search.slice(1), ...directives].filter(Boolean).join('&');
  return directed;
}
