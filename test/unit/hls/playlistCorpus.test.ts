import { describe, expect, it, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { parsePlaylist } from '../../../src/hls/playlist/parsePlaylist.ts';
import { playlistFaults } from '../../support/playlistFaults.ts';
import {
  corpusPlaylists,
  hasCorpus,
  type NamedPlaylist,
  playlistFixtures,
} from '../../support/playlists.ts';

const url = new URL('http://origin.test/live/index.m3u8');

/** What became of a playlist that nobody here wrote: what is wrong with its model, or what it was refused for. */
function outcome({ text }: NamedPlaylist): { faults: string[]; refused?: string } {
  try {
    return { faults: playlistFaults(parsePlaylist(text, url)) };
  } catch (error) {
    if (isKennelError(error)) return { faults: [], refused: error.code };
    return { faults: [error instanceof Error ? (error.stack ?? '') : 'not even an error'] };
  }
}

const judged = (playlists: readonly NamedPlaylist[]) =>
  playlists.map((playlist) => ({ name: playlist.name, ...outcome(playlist) }));

const faulty = (outcomes: ReturnType<typeof judged>) =>
  outcomes.filter(
    ({ faults, refused }) =>
      faults.length > 0 || !['playlist.invalid', 'source.encrypted', undefined].includes(refused),
  );

describe('every playlist', () => {
  it('of the repository is read, or refused for a reason', () => {
    expect(faulty(judged(playlistFixtures()))).toEqual([]);
  });

  test.skipIf(!hasCorpus)(
    `of the corpus is read, or refused for a reason${hasCorpus ? '' : ' (skipped: the corpus is not there, see KENNEL_CORPUS)'}`,
    () => {
      const outcomes = judged(corpusPlaylists());
      expect(outcomes.length).toBeGreaterThan(0);
      expect(faulty(outcomes)).toEqual([]);
      const refused = outcomes.filter((one) => one.refused !== undefined);
      // Nearly all were written to be played: refusing many of them would be no way out.
      expect(refused.length).toBeLessThan(outcomes.length / 10);
    },
  );
});
