import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { mediaModel } from '../../../src/hls/playlist/mediaModel.ts';
import type { MediaPlaylist, PlaylistSegment } from '../../../src/hls/playlist/model.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import { durationMs, durationMsAt } from '../../../src/hls/playlist/playlistNumbers.ts';
import { playlistFaults } from '../../support/playlistFaults.ts';
import { mutatedPlaylist } from '../../support/playlistMutations.ts';
import { corpusPlaylists, playlistFixture, playlistFixtures } from '../../support/playlists.ts';

const MUTANTS = 50_000;
const CUTS = 5_000;
/** Mutations find as much in short playlists, and many more of them fit into the same time. */
const SEED_CHARACTERS_MAX = 4_000;
const TIMEOUT_MS = 120_000;

const url = new URL('http://origin.test/live/index.m3u8?token=1');
const previous = parsePlaylist(playlistFixture('lowLatency'), url) as MediaPlaylist;
const variables = { host: 'media.test' };

const seeds = [...playlistFixtures(), ...corpusPlaylists()]
  .map(({ text }) => text)
  .filter(({ length }) => length <= SEED_CHARACTERS_MAX);

/** What is wrong with the outcome, if anything. */
function judged(text: string): string[] {
  try {
    return playlistFaults(parsePlaylist(text, url, { previous, variables }));
  } catch (error) {
    const isAllowed =
      isKennelError(error) && ['playlist.invalid', 'source.encrypted'].includes(error.code);
    return isAllowed ? [] : [String(error instanceof Error ? error.stack : error)];
  }
}

describe('whatever is wrong with a playlist', () => {
  it(
    `it becomes a model that keeps its promises or an error that says so (${MUTANTS} mutants)`,
    () => {
      let judgedCases = 0;
      fc.assert(
        fc.property(mutatedPlaylist(seeds), (text) => {
          judgedCases++;
          const faults = judged(text);
          if (faults.length > 0) throw new Error(faults.join('; '));
        }),
        { numRuns: MUTANTS },
      );
      expect(judgedCases).toBeGreaterThanOrEqual(MUTANTS);
    },
    TIMEOUT_MS,
  );

  it(
    'its tail is read the same whether the head is passed over or not',
    () => {
      let cuts = 0;
      fc.assert(
        fc.property(mutatedPlaylist(seeds), fc.nat(), fc.nat(), (text, from, anchorAt) => {
          const whole = wholeOf(text);
          if (whole === undefined || whole.segments.length < 2) return;
          const anchor = whole.segments[anchorAt % whole.segments.length];
          const fromMsn = whole.mediaSequence + 1 + (from % (whole.segments.length - 1));
          if (anchor === undefined || anchor.gap) return;
          const tail = mediaModel(text, { url, variables, cut: { fromMsn, anchor } });
          const expected = whole.segments.slice(-tail.segments.length);
          if (tail.segments.length < whole.segments.length) cuts++;
          expect(tail.segments.map(place)).toEqual(expected.map(place));
          expect({ ...tail, segments: [] }).toEqual({ ...whole, segments: [] });
        }),
        { numRuns: CUTS },
      );
      expect(cuts).toBeGreaterThan(CUTS / 10);
    },
    TIMEOUT_MS,
  );
});

function wholeOf(text: string): MediaPlaylist | undefined {
  try {
    const playlist = parsePlaylist(text, url, { variables });
    return playlist.kind === 'media' ? playlist : undefined;
  } catch {
    return undefined;
  }
}

/** Without what depends on the head: the query in an identity, and date ranges that are handed on. */
const place = ({ identity: _, marks: __, ...rest }: PlaylistSegment) => rest;

describe('a duration', () => {
  it('is the same number however it is read', () => {
    const text = fc.oneof(
      fc.tuple(fc.nat(), fc.nat()).map(([whole, part]) => `${whole}.${part}`),
      fc.double().map(String),
      fc.string(),
      fc.constantFrom(
        '',
        '.',
        '1.2.3',
        '-1',
        '1e3',
        ' 4',
        '4 ',
        '999999999999999999',
        `0.${'1'.repeat(400)}`,
        '0x10',
      ),
    );
    fc.assert(
      fc.property(text, (value) => {
        const before = 'x,';
        const line = `${before}${value},title`;
        const read = durationMsAt(line, before.length, line.length);
        expect(read).toBe(durationMs(`${value},title`));
      }),
      { numRuns: 2_000 },
    );
  });
});
