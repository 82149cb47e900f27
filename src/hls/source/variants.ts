import { KennelError } from '../../core/errors.ts';
import type { Rendition, Variant } from '../playlist/model.ts';
import { chooseRenditions } from './renditions.ts';

/** `720p`, `1080p60`. */
const HEIGHT = /^(\d{3,4})p(\d{2,3})?$/i;

/**
 * The first wish that the source has: `best`, `worst`, `audio`, `720p`, `1080p60`, or a variant's own name; of several that fit
 * the one with the highest bit rate, `worst` apart. Whether its sound is in the same segments or in renditions of its own makes
 * no difference: both are recorded.
 *
 * Throws `quality.notFound`, with everything there is in its message and in `details.available`.
 */
export function chooseVariant(variants: readonly Variant[], wishes: readonly string[]): Variant {
  for (const wish of wishes) {
    const found = fitting(variants, wish.trim()).at(-1);
    if (found !== undefined) return found;
  }
  const available = [...new Set(byRate(variants).map(describeVariant))];
  throw new KennelError(
    'quality.notFound',
    `None of ${wishes.join(', ') || '(no wish)'} is there. The source has: ${available.join(', ')}. Ask for one of these, or add best.`,
    { details: { wishes, available } },
  );
}

/**
 * What there is to choose from when nothing but the sound is wanted, so that no picture is fetched that nobody keeps: the sound that
 * a player would take of each variant, where it has an address of its own, that of the best variant last; else the variants that
 * are sound alone; else all of them, as their sound is in the same segments as the picture. None has renditions.
 */
export function soundVariants(variants: readonly Variant[]): readonly Variant[] {
  const bare = variants.map(({ hasOwnAudio: _, ...variant }) => ({ ...variant, renditions: [] }));
  const renditions = byRate(variants).flatMap((variant) => preferredSound(variant) ?? []);
  const separate = new Map(renditions.map((rendition) => [rendition.url.href, rendition]));
  if (separate.size > 0) return [...separate.values()].map(asVariant);
  const alone = bare.filter(({ audioOnly }) => audioOnly);
  return alone.length > 0 ? alone : bare;
}

function preferredSound(variant: Variant): Rendition | undefined {
  const sound = chooseRenditions(variant, { subtitles: ['none'] });
  return sound[0]?.rendition;
}

/** How fast it is nobody says. */
const asVariant = ({ url, name }: Rendition): Variant => ({
  url,
  name,
  bandwidth: 0,
  audioOnly: true,
  renditions: [],
  mirrors: [],
});

/** What a recording holds, as `describeSource` tells it. */
export interface RecordedVariant {
  /** By `describeVariant`. */
  readonly name: string;
  readonly bandwidth: number;
  readonly height: number | undefined;
  readonly codecs: string | undefined;
}

export const recordedVariant = (variant: Variant): RecordedVariant => ({
  name: describeVariant(variant),
  bandwidth: variant.bandwidth,
  height: variant.height,
  codecs: variant.codecs,
});

/**
 * The variants that may be the recorded one, at whatever address it is now: of the same name, size and codecs, and of those the
 * nearest in bit rate, which some origins measure anew for every answer. None where it is gone.
 */
export function sameVariants(
  variants: readonly Variant[],
  { name, bandwidth, height, codecs }: RecordedVariant,
): readonly Variant[] {
  const apart = (variant: Variant) => Math.abs(variant.bandwidth - bandwidth);
  const alike = variants.filter(
    (one) => one.height === height && one.codecs === codecs && describeVariant(one) === name,
  );
  const nearest = Math.min(...alike.map(apart));
  return alike.filter((one) => apart(one) === nearest);
}

/** A variant's name for people: its own, else `1080p60`, `720p`, `audio`, or its bit rate. */
export function describeVariant(variant: Variant): string {
  if (variant.name !== undefined) return variant.name;
  const lines = linesOf(variant);
  if (lines !== undefined) {
    const rate = Math.round(variant.frameRate ?? 0);
    return `${lines}p${rate > 30 ? rate : ''}`;
  }
  return variant.audioOnly ? 'audio' : `${Math.round(variant.bandwidth / 1000)}k`;
}

/** What fits the wish, from the least to the most. */
function fitting(variants: readonly Variant[], wish: string): Variant[] {
  const sorted = byRate(variants);
  const named = sorted.filter(({ name }) => name?.toLowerCase() === wish.toLowerCase());
  if (named.length > 0) return named;
  const watchable = sorted.filter((variant) => !variant.audioOnly);
  const pool = watchable.length > 0 ? watchable : sorted;
  if (wish === 'best') return pool;
  if (wish === 'worst') return pool.slice(0, 1);
  if (wish === 'audio') return sorted.filter((variant) => variant.audioOnly);
  const [, lines, rate] = HEIGHT.exec(wish) ?? [];
  if (lines === undefined) return [];
  return watchable.filter(
    (variant) =>
      linesOf(variant) === Number(lines) &&
      (rate === undefined || Math.round(variant.frameRate ?? 0) === Number(rate)),
  );
}

const byRate = (variants: readonly Variant[]): Variant[] =>
  variants.toSorted(
    (a, b) =>
      a.bandwidth - b.bandwidth ||
      (a.height ?? 0) - (b.height ?? 0) ||
      (a.frameRate ?? 0) - (b.frameRate ?? 0),
  );

/** What people call the height: the shorter side, so that an upright 720×1280 is 720p too. */
const linesOf = ({ width, height }: Variant): number | undefined =>
  height === undefined ? undefined : Math.min(width ?? height, height);
