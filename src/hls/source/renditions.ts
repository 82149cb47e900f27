import { KennelError } from '../../core/errors.ts';
import type { Rendition, Variant } from '../playlist/model.ts';

/** See `JobSpec.audio` and `JobSpec.subtitles`. */
export interface RenditionWishes {
  /** `default`, `all`, languages and names. Absent: `default`. */
  readonly audio?: readonly string[] | undefined;
  /** `all`, `none`, languages and names. Absent: `all`. */
  readonly subtitles?: readonly string[] | undefined;
}

/** A rendition that is to be recorded, and the ledger's name for it. */
export interface ChosenRendition {
  /** `audio-en`, `audio-en-2`, `subtitles-de`: the same whatever else is chosen. */
  readonly track: string;
  readonly rendition: Rendition;
}

/** The ledger takes tracks of 64 characters; the kind before and a number behind need some of them. */
const LABEL_CHARACTERS_MAX = 40;

/**
 * What is recorded beside the variant itself, in the order of the playlist. `default` is the rendition with DEFAULT=YES, else the
 * first; nothing when the sound that a player would take is in the variant's own segments. A language also stands for its
 * regions (`pt` for `pt-BR`), in two letters or in three.
 *
 * Throws `quality.notFound` for a language or name that the variant does not have, with what it has.
 */
export function chooseRenditions(variant: Variant, wishes: RenditionWishes): ChosenRendition[] {
  const tracks = withTracks(variant.renditions);
  const audio = tracks.filter(({ rendition }) => rendition.kind === 'audio');
  const subtitles = tracks.filter(({ rendition }) => rendition.kind === 'subtitles');
  const first = variant.hasOwnAudio ? undefined : audio[0];
  const preferred = audio.find(({ rendition }) => rendition.isDefault) ?? first;
  const chosen = new Set([
    ...chosenOf(audio, wishes.audio ?? ['default'], {
      all: audio,
      default: preferred === undefined ? [] : [preferred],
    }),
    ...chosenOf(subtitles, wishes.subtitles ?? ['all'], { all: subtitles, none: [] }),
  ]);
  return tracks.filter((track) => chosen.has(track));
}

function chosenOf(
  candidates: readonly ChosenRendition[],
  wishes: readonly string[],
  words: Readonly<Record<string, readonly ChosenRendition[]>>,
): ChosenRendition[] {
  return wishes.flatMap((wish) => {
    const word = wish.trim().toLowerCase();
    const meant = Object.hasOwn(words, word) ? words[word] : undefined;
    const found = meant ?? candidates.filter(({ rendition }) => fits(rendition, word));
    if (meant === undefined && found.length === 0) throw notFound(wish, candidates, words);
    return found;
  });
}

function notFound(
  wish: string,
  candidates: readonly ChosenRendition[],
  words: Readonly<Record<string, unknown>>,
): KennelError {
  const available = candidates.map(({ rendition: { name, language } }) =>
    language === undefined || language === name ? name : `${language} (${name})`,
  );
  return new KennelError(
    'quality.notFound',
    `There is no rendition ${wish}. The source has: ${available.join(', ') || 'none'}. Ask for one of these, or ${Object.keys(words).join(' or ')}.`,
    { details: { wish, available } },
  );
}

function fits({ name, language }: Rendition, word: string): boolean {
  if (name.toLowerCase() === word) return true;
  if (language === undefined || word === '') return false;
  const [has, wished] = [canonical(language), canonical(word)];
  return has === wished || has.startsWith(`${wished}-`);
}

/** `eng` and `EN` are `en`. What is no language tag stays as it is. */
function canonical(language: string): string {
  try {
    return (Intl.getCanonicalLocales(language)[0] ?? language).toLowerCase();
  } catch {
    return language.toLowerCase();
  }
}

/** Names every rendition, so that a track is called the same whichever others are wished for. */
function withTracks(renditions: readonly Rendition[]): ChosenRendition[] {
  const taken = new Set<string>();
  return renditions.map((rendition) => {
    const label = labelOf(rendition.language) || labelOf(rendition.name) || 'und';
    const base = `${rendition.kind}-${label}`;
    let track = base;
    for (let number = 2; taken.has(track); number++) track = `${base}-${number}`;
    taken.add(track);
    return { track, rendition };
  });
}

/** What of it may stand in a track's name: Latin letters, digits and hyphens. */
const labelOf = (text: string | undefined): string =>
  (text ?? '')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LABEL_CHARACTERS_MAX)
    .replaceAll(/^-|-$/g, '');
