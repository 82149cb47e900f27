import type { ByteRange } from './model.ts';

/** Path and byte range: what stays when hosts and tokens change. `full` adds the query. */
export function segmentIdentity(url: URL, range?: ByteRange, full = false): string {
  const path = full ? url.pathname + url.search : url.pathname;
  return range === undefined ? path : `${path}@${range.offset}+${range.length}`;
}

/** The line as an address this engine may ask for, or undefined. */
export function httpUrl(reference: string, base: URL): URL | undefined {
  const url = URL.parse(reference, base);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}
