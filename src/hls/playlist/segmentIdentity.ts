import type { ByteRange } from './model.ts';

/** Path and byte range: what stays when hosts and tokens change. `full` adds the query. */
export function segmentIdentity(url: URL, range?: ByteRange, full = false): string {
  const path = full ? url.pathname + url.search : url.pathname;
  return range === undefined ? path : `${path}@${range.offset}+${range.length}`;
}

/** The reference as an address this engine may ask for, or undefined. An empty one would be the playlist itself. */
export function httpUrl(reference: string | undefined, base: URL): URL | undefined {
  if (reference === undefined || reference.trim() === '') return undefined;
  const url = URL.parse(reference, base);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}
