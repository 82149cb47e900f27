import type { Rendition, Variant } from './model.ts';
import type { PlacedVariant } from './variantModel.ts';

/**
 * Folds redundant streams into one variant with mirrors: the same attributes, and audio and subtitle groups that hold the same,
 * at another address (RFC 8216 §6.2.4), or on another pathway (RFC 8216bis §7.1). The first of them stands for all, or
 * the first on the pathway that the playlist begins with (EXT-X-CONTENT-STEERING).
 */
export function withMirrors(variants: readonly PlacedVariant[], pathway?: string): Variant[] {
  const families = new Map<string, PlacedVariant[]>();
  for (const [index, placed] of variants.entries()) {
    const key = familyOf(placed.variant) ?? `alone ${index}`;
    const family = families.get(key);
    if (family === undefined) families.set(key, [placed]);
    else family.push(placed);
  }
  return [...families.values()].flatMap((family) => {
    const first = family.find((placed) => placed.pathway === pathway) ?? family[0];
    if (first === undefined) return [];
    const others = new Map(family.map(({ variant: { url } }) => [url.href, url]));
    others.delete(first.variant.url.href);
    return [{ ...first.variant, mirrors: [...others.values()] }];
  });
}

/** What redundant streams have in common; undefined when the playlist says too little to tell two variants apart. */
function familyOf(variant: Variant): string | undefined {
  const { bandwidth, width, height, frameRate, codecs, name, hasOwnAudio, renditions } = variant;
  if (bandwidth === 0) return undefined;
  const sound = renditions.map(({ kind, name, language, channels }: Rendition) => [
    kind,
    name,
    language,
    channels,
  ]);
  return JSON.stringify([bandwidth, width, height, frameRate, codecs, name, hasOwnAudio, sound]);
}
