import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const fixtures = join(root, 'test/fixtures/playlists');

/** A directory of playlists that are not part of the repository; by default one beside the checkout. */
export const CORPUS_DIRECTORY =
  process.env['KENNEL_CORPUS'] ?? join(root, '..', 'shared', 'corpus');

export const hasCorpus = existsSync(CORPUS_DIRECTORY);

export interface NamedPlaylist {
  readonly name: string;
  readonly text: string;
}

/** The playlists of the repository, each of which is there for some features. */
export const playlistFixtures = (): NamedPlaylist[] =>
  globSync('*.m3u8', { cwd: fixtures })
    .sort()
    .map((file) => ({
      name: basename(file, '.m3u8'),
      text: playlistFixture(basename(file, '.m3u8')),
    }));

export const playlistFixture = (name: string): string =>
  readFileSync(join(fixtures, `${name}.m3u8`), 'utf8');

/** Empty when there is no corpus. */
export const corpusPlaylists = (): NamedPlaylist[] =>
  hasCorpus
    ? globSync('**/*.m3u8', { cwd: CORPUS_DIRECTORY })
        .sort()
        .map((name) => ({ name, text: readFileSync(join(CORPUS_DIRECTORY, name), 'utf8') }))
    : [];
