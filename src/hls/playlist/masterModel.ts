import { attributesOf } from './attributes.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import type { MasterPlaylist } from './model.ts';
import { withMirrors } from './redundantStreams.ts';
import { RenditionGroups, renditionLine } from './renditionGroups.ts';
import { httpUrl } from './segmentIdentity.ts';
import { tagLine, tagsAndAddresses } from './tagLine.ts';
import { VariableScope } from './variableScope.ts';
import { type StreamLine, variantModel } from './variantModel.ts';

/**
 * Reads a master playlist. A variant or rendition that cannot be read is left out. Throws `playlist.invalid` when no variant is
 * left, or a variable has no value.
 */
export function masterModel(text: string, url: URL): MasterPlaylist {
  const variables = new VariableScope({ url });
  const groups = new RenditionGroups();
  const streams: StreamLine[] = [];
  let stream: StreamLine['attributes'] | undefined;
  let pathway: string | undefined;
  for (const line of tagsAndAddresses(text)) {
    if (!line.startsWith('#')) {
      const address = httpUrl(variables.resolve(line), url);
      if (stream !== undefined && address !== undefined) {
        streams.push({ attributes: stream, url: address });
      }
      stream = undefined;
      continue;
    }
    const { name, value } = tagLine(line);
    if (name === 'EXT-X-DEFINE') variables.define(value);
    else if (name === 'EXT-X-STREAM-INF') stream = variables.attributes(value);
    else if (name === 'EXT-X-MEDIA') groups.add(renditionLine(variables.attributes(value), url));
    else if (name === 'EXT-X-CONTENT-STEERING') pathway = attributesOf(value).get('PATHWAY-ID');
  }
  const variants = streams.map((line) => variantModel(line, groups));
  if (variants.length === 0) throw invalidPlaylist('it lists no variant that can be read', text);
  return { kind: 'master', variants: withMirrors(variants, pathway), variables: variables.all };
}
