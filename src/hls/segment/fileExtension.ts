import type { PlaylistSegment } from '../playlist/model.ts';

/** What the file of a segment is called at its end. */
export function fileExtension({ init, url }: PlaylistSegment): string {
  if (init !== undefined) return 'm4s';
  const [, packed] = /\.(aac|mp3|ac3|ec3)$/i.exec(url.pathname) ?? [];
  if (packed !== undefined) return packed.toLowerCase();
  if (/\.(?:web)?vtt$/i.test(url.pathname)) return 'vtt';
  return /\.(m4s|mp4|m4v|m4a|cmfv|cmfa)$/i.test(url.pathname) ? 'm4s' : 'ts';
}
