/** What a playlist's address may ask of an origin that offers more than whole playlists at once (EXT-X-SERVER-CONTROL). */
export interface ReloadDirectives {
  /** The answer is held back until the segment of this number is whole. */
  readonly msn: number | undefined;
  /** What was listed before may be left out. */
  readonly skip: boolean;
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
