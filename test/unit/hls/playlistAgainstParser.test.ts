import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import type { MediaPlaylist } from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import { excusedFacts, PARSER_DIFFERENCES } from '../../support/parserDifferences.ts';
import { differing, type Facts, ownFacts, parserFacts, said } from '../../support/parserFacts.ts';
import { mutatedPlaylist } from '../../support/playlistMutations.ts';
import { corpusPlaylists, hasCorpus, playlistFixtures } from '../../support/playlists.ts';

const MUTANTS = 3_000;
/** The same mutants each time: a difference that is new and harmless must not fail somebody else's work. */
const SEED = 8216;
/** Mutations find as much in short playlists, and many more of them fit into the same time. */
const SEED_CHARACTERS_MAX = 4_000;

const MEDIA_FACTS = [
  'target',
  'endList',
  'numbers',
  'discontinuities',
  'addresses',
  'durations',
  'gaps',
  'ranges',
  'keys',
  'inits',
  'dates',
];
const MASTER_FACTS = ['variants', 'renditions'];

const url = new URL('http://origin.test/live/index.m3u8?token=1');

/** hls-parser knows neither variables nor mirrors. */
const PLAIN_MASTER = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English, described",LANGUAGE="en",DEFAULT=YES,URI="en.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Deutsch",LANGUAGE="de",FORCED=YES,URI="de.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1920x1080,FRAME-RATE=50,CODECS="avc1,mp4a.40.2",AUDIO="sound",SUBTITLES="text"
high.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,AUDIO="sound"
low.m3u8
`;

const ownPlaylists = [...playlistFixtures(), { name: 'plain master', text: PLAIN_MASTER }];

/** What comes before a delta update. */
const previous = parsePlaylist('#EXTM3U\n#EXTINF:1,\na\n#EXTINF:1,\nb\n', url) as MediaPlaylist;

/** Undefined when it is refused. What it was refused for is in the model's own tests. */
function kennelFacts(text: string): Facts | undefined {
  try {
    return ownFacts(parsePlaylist(text, url, { previous }));
  } catch (error) {
    if (isKennelError(error)) return undefined;
    throw error;
  }
}

/** Compares the two where both can read the playlist; counts what there was to compare. */
class Comparison {
  readonly counts: Record<string, number> = {};

  /** The facts in which they disagree without a reason, with what each says. */
  disagreements(text: string): unknown[] {
    const parser = parserFacts(text, url);
    const own = kennelFacts(text);
    const excused = excusedFacts(text);
    if (parser === undefined || own === undefined || excused === 'all') return [];
    for (const fact of said(parser)) {
      if (!excused.has(fact)) this.counts[fact] = (this.counts[fact] ?? 0) + 1;
    }
    return differing(parser, own)
      .filter((fact) => !excused.has(fact))
      .map((fact) => ({ fact, parser: parser[fact], own: own[fact] }));
  }
}

describe('hls-parser and Kennel', () => {
  it('agree on every playlist of the repository', () => {
    const comparison = new Comparison();
    for (const { name, text } of ownPlaylists) {
      expect({ name, differ: comparison.disagreements(text) }).toEqual({ name, differ: [] });
    }
    expect(Object.keys(comparison.counts)).toEqual(
      expect.arrayContaining(['inits', 'ranges', 'dates', ...MASTER_FACTS]),
    );
  });

  test.skipIf(!hasCorpus)('agree on every playlist of the corpus', () => {
    const comparison = new Comparison();
    for (const { name, text } of corpusPlaylists()) {
      expect({ name, differ: comparison.disagreements(text) }).toEqual({ name, differ: [] });
    }
    // It has no gaps.
    const facts = [...MEDIA_FACTS, ...MASTER_FACTS].filter((fact) => fact !== 'gaps');
    expect(Object.keys(comparison.counts)).toEqual(expect.arrayContaining(facts));
  });

  it(`agree on playlists with anything wrong, where both can read them (${MUTANTS} mutants)`, () => {
    const comparison = new Comparison();
    const seeds = [...ownPlaylists, ...corpusPlaylists()]
      .map(({ text }) => text)
      .filter(({ length }) => length <= SEED_CHARACTERS_MAX);
    fc.assert(
      fc.property(mutatedPlaylist(seeds), (text) => {
        const found = comparison.disagreements(text);
        if (found.length > 0) expect({ text, found }).toEqual({ text, found: [] });
      }),
      { numRuns: MUTANTS, seed: SEED },
    );
    for (const fact of [...MEDIA_FACTS, ...MASTER_FACTS]) {
      expect(comparison.counts[fact], fact).toBeGreaterThan(0);
    }
  });

  it.each(PARSER_DIFFERENCES)('differ for a reason: $reason', ({ example, facts, isIn }) => {
    const text = `#EXTM3U\n${example}\n`;
    const parser = parserFacts(text, url);
    const own = kennelFacts(text);
    expect(isIn(text)).toBe(true);
    if (parser === undefined || own === undefined) throw new Error('only one of them reads it');
    const differ = differing(parser, own);
    expect(differ.length).toBeGreaterThan(0);
    if (facts !== 'all') expect(facts).toEqual(expect.arrayContaining(differ));
  });
});

describe('hls-parser throws, and Kennel reads', () => {
  it.each([
    ['an address that no tag precedes', 'a'],
    ['tags that lack what they need', '#EXT-X-DATERANGE\n#EXTINF:1,\na'],
    ['a title that is no UTF-8', '#EXTINF:1,\u00e9\na'],
    ['an attribute without a value', '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION\na'],
    [
      'a rendition of no known type',
      '#EXT-X-MEDIA:TYPE=NAME,GROUP-ID="x"\n#EXT-X-STREAM-INF:BANDWIDTH=1,NAME="x"\na',
    ],
  ])('%s', (_, lines) => {
    const text = `#EXTM3U\n${lines}\n#EXTINF:1,\nb\n`;
    expect(parserFacts(text, url)).toBeUndefined();
    expect(kennelFacts(text)).toBeDefined();
  });
});
