/** Where hls-parser 0.16.1 and Kennel read the same playlist differently on purpose. */
export interface ParserDifference {
  readonly reason: string;
  /** What is not compared in a playlist that has this: names of `Facts`, or everything. */
  readonly facts: readonly string[] | 'all';
  readonly isIn: (text: string) => boolean;
  /** A playlist that shows it, without its first line. */
  readonly example: string;
}

/** The facts that cannot be compared in this playlist. */
export function excusedFacts(text: string): Set<string> | 'all' {
  const found = PARSER_DIFFERENCES.filter(({ isIn }) => isIn(text));
  if (found.some(({ facts }) => facts === 'all')) return 'all';
  return new Set(found.flatMap(({ facts }) => [...facts]));
}

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim().replace(/^(#[\w-]*)\s+:/, '$1:'))
    .filter((line) => line !== '' && (!line.startsWith('#') || line.startsWith('#EXT')));

const has =
  (...starts: readonly string[]) =>
  (text: string): boolean =>
    linesOf(text).some((line) => starts.some((start) => line.startsWith(start)));

/** Some tag has a value of which this holds. */
const some =
  (tag: string, isOdd: (value: string) => boolean) =>
  (text: string): boolean =>
    linesOf(text).some((line) => line.startsWith(`${tag}:`) && isOdd(line.slice(tag.length + 1)));

const unlike =
  (tag: string, pattern: RegExp) =>
  (text: string): boolean =>
    some(tag, (value) => !pattern.test(value.trim()))(text);

const either =
  (...rules: readonly ((text: string) => boolean)[]) =>
  (text: string): boolean =>
    rules.some((rule) => rule(text));

const LIST = /^[A-Z0-9-]+=(?:"[^"']*"|[^"',\s]+)(?:, *[A-Z0-9-]+=(?:"[^"']*"|[^"',\s]+))*$/;

/** Not an attribute list by RFC 8216 §4.2, or one with an apostrophe. */
function isBrokenList(list: string): boolean {
  const names = list.replaceAll(/"[^"]*"/g, '').match(/[A-Z0-9-]+(?==)/g) ?? [];
  return !LIST.test(list.trim()) || new Set(names).size < names.length;
}

const HEADER = ['#EXT-X-TARGETDURATION', '#EXT-X-MEDIA-SEQUENCE', '#EXT-X-DISCONTINUITY-SEQUENCE'];

function hasLateHeader(text: string): boolean {
  const seen = new Set<string>();
  let hasBegun = false;
  for (const line of linesOf(text)) {
    const tag = HEADER.find((name) => line === name || line.startsWith(`${name}:`));
    if (tag !== undefined && (hasBegun || seen.has(tag))) return true;
    if (tag !== undefined) seen.add(tag);
    hasBegun ||= !line.startsWith('#');
  }
  return false;
}

function hasDoubleDiscontinuity(text: string): boolean {
  let breaks = 0;
  for (const line of linesOf(text)) {
    if (!line.startsWith('#')) breaks = 0;
    else if (/^#EXT-X-DISCONTINUITY(?=:|\s|$)/.test(line) && ++breaks > 1) return true;
  }
  return false;
}

const hasInterruptedVariant = (text: string): boolean =>
  linesOf(text).some(
    (line, index, lines) =>
      line.startsWith('#EXT-X-STREAM-INF') && lines[index + 1]?.startsWith('#') === true,
  );

export const PARSER_DIFFERENCES: readonly ParserDifference[] = [
  {
    reason: 'RFC 8216bis §5.2.2: it leaves the skipped segments of a delta update out.',
    facts: 'all',
    isIn: has('#EXT-X-SKIP'),
    example: '#EXT-X-TARGETDURATION:1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF:1,\na',
  },
  {
    reason: 'RFC 8216bis §4.3: it does not replace variables.',
    facts: 'all',
    isIn: (text) => text.includes('{$'),
    example: '#EXT-X-DEFINE:NAME="x",VALUE="y"\n#EXTINF:1,\n{$x}',
  },
  {
    reason: 'It counts announced segments (a draft that was given up) among the media.',
    facts: 'all',
    isIn: has('#EXT-X-PREFETCH'),
    example: '#EXTINF:1,\na\n#EXT-X-PREFETCH:b\n#EXTINF:1,\nc',
  },
  {
    reason:
      'Control characters before a line are blanks here. There they begin an address, and nobody has such a one.',
    facts: 'all',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
    isIn: (text) => /^\s*[\0-\x08\x0E-\x1F]/m.test(text),
    example: '#EXTINF:1,\na\n#EXT-X-PART:DURATION=1,URI="b"\n\0#EXT-X-INDEPENDENT-SEGMENTS',
  },
  {
    reason:
      'RFC 8216 §4.1 forbids tags of both kinds in one playlist. Here tags decide that only segments or variants need; there any tag does.',
    facts: 'all',
    isIn: (text) =>
      has('#EXT-X-STREAM-INF', '#EXT-X-MEDIA:', '#EXT-X-I-FRAME-STREAM', '#EXT-X-SESSION')(text) &&
      /^\s*#EXT(?:INF|-X-(?:TARGET|MEDIA-S|BYTERANGE|DISC|ENDLIST|GAP|KEY|MAP|PROGRAM|DATERANGE|CUE|PLAYLIST|PART|SERVER))/m.test(
        text,
      ),
    example: '#EXT-X-KEY:METHOD=NONE\n#EXT-X-STREAM-INF:BANDWIDTH=1\na',
  },
  {
    reason:
      'RFC 8216 §4.3.3 allows one of each of these tags, before the segments. Of several the first counts here, the last there.',
    facts: ['target', 'numbers', 'discontinuities'],
    isIn: hasLateHeader,
    example: '#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF:1,\na',
  },
  {
    reason: 'RFC 8216 §6.2.2: every EXT-X-DISCONTINUITY counts. It counts one for each segment.',
    facts: ['discontinuities'],
    isIn: hasDoubleDiscontinuity,
    example: '#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\na',
  },
  {
    reason:
      'A byte range that cannot be read makes a gap here. There as much of a number counts as can be read, which would be other bytes.',
    facts: ['ranges', 'gaps'],
    isIn: unlike('#EXT-X-BYTERANGE', /^\d{1,15}(?:@\d{1,15})?$/),
    example: '#EXTINF:1,\n#EXT-X-BYTERANGE:5@1e3\na',
  },
  {
    reason: 'It takes an initialisation section that is only announced for the one in force.',
    facts: ['inits'],
    isIn: some('#EXT-X-PRELOAD-HINT', (value) => value.includes('TYPE=MAP')),
    example: '#EXTINF:1,\na\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="i"\n#EXTINF:1,\nb',
  },
  {
    reason: 'RFC 8216 §4.3.2.4: keys of several formats are in force together. It knows the last.',
    facts: ['keys'],
    isIn: some('#EXT-X-KEY', (value) => /KEYFORMAT="(?!identity")/.test(value)),
    example:
      '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-KEY:METHOD=AES-128,URI="l",KEYFORMAT="x"\n#EXTINF:1,\na',
  },
  {
    reason:
      'What is no date with a zone (ISO 8601) is read here as UTC or not at all; there as this machine would.',
    facts: ['dates'],
    isIn: unlike(
      '#EXT-X-PROGRAM-DATE-TIME',
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/,
    ),
    example: '#EXT-X-PROGRAM-DATE-TIME:1 March 2026\n#EXTINF:1,\na',
  },
  {
    reason:
      'Broken attribute lists are read as far as they can be here; there an apostrophe swallows the rest, and the last of two counts.',
    facts: ['keys'],
    isIn: some('#EXT-X-KEY', isBrokenList),
    example: `#EXT-X-KEY:METHOD=AES-128,KEYFORMATVERSIONS="it's",URI="k"\n#EXTINF:1,\na`,
  },
  {
    reason: 'The same of initialisation sections.',
    facts: ['inits'],
    isIn: some('#EXT-X-MAP', isBrokenList),
    example: '#EXT-X-MAP:URI="i",URI="j"\n#EXTINF:1,\na',
  },
  {
    reason: 'The same of variants and renditions.',
    facts: ['variants', 'renditions'],
    isIn: either(some('#EXT-X-STREAM-INF', isBrokenList), some('#EXT-X-MEDIA', isBrokenList)),
    example: `#EXT-X-STREAM-INF:NAME="it's",BANDWIDTH=5\na`,
  },
  {
    reason:
      'A rendition without a group belongs to no variant. There it belongs to all that name none.',
    facts: ['variants', 'renditions'],
    isIn: some('#EXT-X-MEDIA', (value) => !/GROUP-ID=/.test(value)),
    example: '#EXT-X-MEDIA:TYPE=AUDIO,NAME="x",URI="x"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na',
  },
  {
    reason: 'RFC 8216 §4.3.4.2: the address follows the tag. There a tag between takes its place.',
    facts: ['variants', 'renditions'],
    isIn: hasInterruptedVariant,
    example: '#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-INDEPENDENT-SEGMENTS\na',
  },
  {
    reason:
      'A picture has a whole number of pixels, and no codec more than 65,536 of them in a row.',
    facts: ['variants'],
    isIn: some('#EXT-X-STREAM-INF', (value) =>
      /RESOLUTION=(?!"?[1-9]\d{0,3}x[1-9]\d{0,3}"?(?:,|$))/.test(value),
    ),
    example: '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1.5x90000\na',
  },
];
