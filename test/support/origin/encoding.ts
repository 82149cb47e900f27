import { brotliCompressSync, gzipSync } from 'node:zlib';

/** How a playlist is sent: as it is, or in a content coding. */
export function encoded(
  text: string,
  accepted: string | undefined,
  options: {
    readonly gzip: boolean;
    readonly brotli: boolean;
    readonly encodesUnasked: boolean;
  },
): { readonly headers: Readonly<Record<string, string>>; readonly body: string | Uint8Array } {
  const takes = (coding: RegExp): boolean => options.encodesUnasked || coding.test(accepted ?? '');
  if (options.brotli && takes(/\bbr\b/)) {
    return { headers: { 'content-encoding': 'br' }, body: brotliCompressSync(text) };
  }
  if (options.gzip && takes(/\bgzip\b/)) {
    return { headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) };
  }
  return { headers: {}, body: text };
}
