import fc from 'fast-check';

/** Mutations of one playlist. A few together reach what none does alone. */
const MUTATIONS_MAX = 6;

/** What stands in the place of a number: the borders of 32, 53 and 64 bits, and numbers that are none. */
const NUMBERS = [
  '0',
  '-1',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '18446744073709551615',
  '1e308',
  '1e999',
  '0.0000001',
  'NaN',
  'Infinity',
  '',
  '00012',
  '5@',
  '@5',
  '5@9007199254740990',
];

/** Lines that mean something wherever they get to, well formed or not. */
const LINES = [
  '#EXTM3U',
  '#EXTINF:',
  '#EXTINF:4,',
  '#EXT-X-BYTERANGE:10',
  '#EXT-X-BYTERANGE:10@5',
  '#EXT-X-DISCONTINUITY',
  '#EXT-X-ENDLIST',
  '#EXT-X-GAP',
  '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1',
  '#EXT-X-KEY:METHOD=NONE',
  '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.widevine"',
  '#EXT-X-MAP:URI="i.mp4",BYTERANGE="9"',
  '#EXT-X-MEDIA-SEQUENCE:3',
  '#EXT-X-DISCONTINUITY-SEQUENCE:9',
  '#EXT-X-TARGETDURATION:3',
  '#EXT-X-SKIP:SKIPPED-SEGMENTS=2',
  '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z',
  '#EXT-X-PROGRAM-DATE-TIME:+275760-09-13T00:00:00Z',
  '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z",DURATION=1e99',
  '#EXT-X-CUE-OUT:30',
  '#EXT-X-CUE-IN',
  '#EXT-X-DEFINE:NAME="__proto__",VALUE="x"',
  '#EXT-X-DEFINE:IMPORT="constructor"',
  '{$undefined}',
  '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="\u202e",LANGUAGE="\u0000",URI="a"',
  '#EXT-X-MEDIA:TYPE=__proto__,GROUP-ID="a",URI="a"',
  'http://[',
  '//other.test/x.ts',
  '?',
  'javascript:alert(1)',
  '<!doctype html>',
];

const ATTRIBUTES = [
  '"',
  ',',
  '=',
  ',,',
  '="',
  '"="',
  ',URI=',
  'IV=0x',
  ',METHOD=',
  '{$',
  '}',
  '\\',
];

/** Changes the text at a place; `pick` chooses among what there is to put in. */
type Mutate = (text: string, place: number, pick: number) => string;

const at = <T>(list: readonly T[], number: number): T | undefined => list[number % list.length];

const onLines =
  (change: (lines: string[], index: number, pick: number) => void): Mutate =>
  (text, place, pick) => {
    const lines = text.split('\n');
    change(lines, place % lines.length, pick);
    return lines.join('\n');
  };

const insert =
  (words: readonly string[]): Mutate =>
  (text, place, pick) => {
    const index = place % (text.length + 1);
    return text.slice(0, index) + (at(words, pick) ?? '') + text.slice(index);
  };

const MUTATIONS: readonly Mutate[] = [
  // Lines deleted, doubled, moved, cut off, put in.
  onLines((lines, index) => lines.splice(index, 1)),
  onLines((lines, index) => lines.splice(index, 0, lines[index] ?? '')),
  onLines((lines, index, pick) => {
    const other = pick % lines.length;
    [lines[index], lines[other]] = [lines[other] ?? '', lines[index] ?? ''];
  }),
  onLines((lines, index, pick) => {
    const line = lines[index] ?? '';
    lines[index] = line.slice(0, pick % (line.length + 1));
  }),
  onLines((lines, index, pick) => lines.splice(index, 0, at(LINES, pick) ?? '')),
  onLines((lines, index, pick) => lines.splice(index, 1 + (pick % 8))),
  // The text cut off, as a broken connection does.
  (text, place) => text.slice(0, place % (text.length + 1)),
  // One character becomes another.
  (text, place, pick) => {
    const index = place % (text.length + 1);
    return text.slice(0, index) + String.fromCharCode(pick % 0x3000) + text.slice(index + 1);
  },
  // One number becomes another.
  (text, place, pick) => {
    const numbers = [...text.matchAll(/\d+/g)];
    const { index, 0: old } = at(numbers, place) ?? { index: 0, 0: '' };
    return text.slice(0, index) + (at(NUMBERS, pick) ?? '') + text.slice(index + old.length);
  },
  insert(ATTRIBUTES),
  insert(['\u0000', '\ufeff', '\u2028', '\r', '\t', ' ', '\ud800']),
  // Other line ends, and a byte order mark.
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => `\ufeff${text}`,
];

const mutation = fc.tuple(fc.nat(MUTATIONS.length - 1), fc.nat(0xffff), fc.nat(0xffff));

/**
 * One of the playlists with a few things wrong: lines deleted, doubled, moved or cut off, characters flipped, numbers huge or none,
 * garbage in attributes, other line ends. It may still be a good playlist.
 */
export function mutatedPlaylist(playlists: readonly string[]): fc.Arbitrary<string> {
  const mutations = fc.array(mutation, { minLength: 1, maxLength: MUTATIONS_MAX });
  return fc
    .tuple(fc.constantFrom(...playlists), mutations)
    .map(([playlist, changes]) =>
      changes.reduce(
        (text, [kind, place, pick]) => MUTATIONS[kind]?.(text, place, pick) ?? text,
        playlist,
      ),
    );
}
