import { type Attributes, attributesOf } from './attributes.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import type { Variables } from './model.ts';
import { httpUrl } from './segmentIdentity.ts';
import { tagLine, tagsAndAddresses } from './tagLine.ts';
import { VariableScope } from './variableScope.ts';

/**
 * What hls-parser needs grows with variants × (lines + renditions of a group²), so that all three are bounded, far above what
 * players are served (the largest master playlist of the test corpus has 29 lines of both kinds). With as many as possible it
 * takes half a second.
 */
export const VARIANTS_MAX = 500;
export const RENDITIONS_MAX = 1_000;
export const GROUP_RENDITIONS_MAX = 100;

/** hls-parser takes an apostrophe inside of a quoted text for another quote, and swallows the rest of the line. */
const APOSTROPHE_STAND_IN = '\u0001';

const STREAM_ATTRIBUTES = [
  'BANDWIDTH',
  'RESOLUTION',
  'FRAME-RATE',
  'CODECS',
  'AUDIO',
  'VIDEO',
  'SUBTITLES',
];

const RENDITION_ATTRIBUTES = ['GROUP-ID', 'NAME', 'LANGUAGE', 'CHANNELS', 'DEFAULT', 'FORCED'];

/** Of any other type nothing is recorded, and hls-parser would look for a list of that name in its variants. */
const RENDITION_TYPES = new Set(['AUDIO', 'VIDEO', 'SUBTITLES']);

/** An EXT-X-STREAM-INF and the address under it. */
export interface StreamLine {
  /** The tag for hls-parser. */
  readonly line: string;
  readonly url: URL;
  /** NAME and PATHWAY-ID, which hls-parser passes over. */
  readonly name: string | undefined;
  readonly pathway: string | undefined;
}

/** What counts in a master playlist, in lines that hls-parser reads as they are meant. */
export interface MasterLines {
  readonly streams: readonly StreamLine[];
  /** EXT-X-MEDIA, with absolute addresses; those whose address cannot be asked for are left out. */
  readonly renditions: readonly string[];
  /** Where it begins, by EXT-X-CONTENT-STEERING. */
  readonly pathway: string | undefined;
  readonly variables: Variables;
}

/**
 * Leaves out what cannot be read and what is not needed: hls-parser gives up on a whole playlist for one broken line. Variables are
 * resolved. Throws `playlist.invalid` when a variable has no value, or when there are too many lines.
 */
export function masterLines(text: string, base: URL): MasterLines {
  const variables = new VariableScope({ url: base });
  const streams: StreamLine[] = [];
  const renditions = new RenditionLines(base);
  let stream: Attributes | undefined;
  let pathway: string | undefined;
  for (const line of tagsAndAddresses(text)) {
    if (!line.startsWith('#')) {
      const url = httpUrl(variables.resolve(line), base);
      if (stream !== undefined && url !== undefined) streams.push(streamLine(stream, url));
      if (streams.length > VARIANTS_MAX) throw invalidPlaylist('it lists too many variants');
      stream = undefined;
      continue;
    }
    const { name, value } = tagLine(line);
    if (name === 'EXT-X-DEFINE') variables.define(value);
    else if (name === 'EXT-X-STREAM-INF') stream = variables.attributes(value);
    else if (name === 'EXT-X-MEDIA') renditions.add(variables.attributes(value));
    else if (name === 'EXT-X-CONTENT-STEERING') pathway = attributesOf(value).get('PATHWAY-ID');
  }
  return { streams, renditions: renditions.lines, pathway, variables: variables.all };
}

class RenditionLines {
  readonly lines: string[] = [];
  readonly #base: URL;
  readonly #groupSizes = new Map<string, number>();

  constructor(base: URL) {
    this.#base = base;
  }

  /** Passes over what no variant can refer to, and what cannot be asked for. Throws `playlist.invalid` when there are too many. */
  add(attributes: Attributes): void {
    const type = attributes.get('TYPE')?.toUpperCase() ?? '';
    const groupId = attributes.get('GROUP-ID');
    const reference = attributes.get('URI');
    const url = httpUrl(reference, this.#base);
    if (!RENDITION_TYPES.has(type) || groupId === undefined) return;
    if (reference && url === undefined) return;
    const group = `${type} ${quotable(groupId)}`;
    const size = (this.#groupSizes.get(group) ?? 0) + 1;
    if (size > GROUP_RENDITIONS_MAX || this.lines.length >= RENDITIONS_MAX) {
      throw invalidPlaylist('it lists too many renditions');
    }
    this.#groupSizes.set(group, size);
    const rest = pick(attributes, RENDITION_ATTRIBUTES);
    const address = url === undefined ? [] : [['URI', url.href] as const];
    this.lines.push(cleanLine('EXT-X-MEDIA', [['TYPE', type], ...rest, ...address]));
  }
}

function streamLine(attributes: Attributes, url: URL): StreamLine {
  return {
    line: cleanLine('EXT-X-STREAM-INF', pick(attributes, STREAM_ATTRIBUTES)),
    url,
    name: attributes.get('NAME') || undefined,
    pathway: attributes.get('PATHWAY-ID') || undefined,
  };
}

type Pairs = readonly (readonly [string, string])[];

const pick = (attributes: Attributes, names: readonly string[]): Pairs =>
  names.flatMap((name) => {
    const value = attributes.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });

const cleanLine = (tag: string, attributes: Pairs): string =>
  `#${tag}:${attributes.map(([name, value]) => `${name}="${quotable(value)}"`).join(',')}`;

/** Broken lists have quotes inside of values, and variables may have line ends too: both would end the value. */
const quotable = (value: string): string =>
  value.replaceAll(/["\n]/g, '').replaceAll("'", APOSTROPHE_STAND_IN);

/** A text of hls-parser as the playlist has it. */
export const asWritten = (text: string): string => text.replaceAll(APOSTROPHE_STAND_IN, "'");
