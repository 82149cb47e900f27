import type { types } from 'hls-parser';
import HLS from 'hls-parser';
import { invalidPlaylist } from './invalidPlaylist.ts';
import { masterLines } from './masterLines.ts';
import type { MasterPlaylist } from './model.ts';
import { withMirrors } from './redundantStreams.ts';
import { variantModel } from './variantModel.ts';

// It writes every complaint to the console otherwise, and each copy of it has only this global switch.
HLS.setOptions({ silent: true });

/**
 * Reads a master playlist. A variant or rendition that cannot be read is left out. Throws `playlist.invalid` when no variant is
 * left, a variable has no value, or there are more lines than anybody needs.
 */
export function masterModel(text: string, url: URL): MasterPlaylist {
  const { streams, renditions, pathway, variables } = masterLines(text, url);
  if (streams.length === 0) throw invalidPlaylist('it lists no variant that can be read', text);
  const parsed = parse([
    '#EXTM3U',
    ...renditions,
    ...streams.flatMap((stream) => [stream.line, stream.url.href]),
  ]);
  const variants = streams.flatMap((stream, index) => {
    const variant = parsed.variants[index];
    return variant === undefined ? [] : [variantModel(variant, stream)];
  });
  return { kind: 'master', variants: withMirrors(variants, pathway), variables };
}

/** It throws bare TypeErrors on input that it does not expect, of which nothing should be left. */
function parse(lines: readonly string[]): types.MasterPlaylist {
  const text = lines.join('\n');
  try {
    const parsed = HLS.parse(text);
    if (parsed.isMasterPlaylist) return parsed;
  } catch (error) {
    throw invalidPlaylist('the parser gave up', text, error);
  }
  throw invalidPlaylist('the parser took it for a media playlist', text);
}
