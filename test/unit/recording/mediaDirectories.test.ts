import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { KennelError } from '../../../src/core/errors.ts';
import { MediaDirectories } from '../../../src/recording/files/mediaDirectories.ts';

const disk = vi.hoisted(() => ({ sync: (_directory: string): Promise<void> => Promise.resolve() }));
vi.mock('../../../src/ledger/syncDirectory.ts', () => ({
  syncDirectory: (directory: string) => disk.sync(directory),
}));

beforeEach(() => {
  disk.sync = () => Promise.resolve();
});

async function setup() {
  const root = await mkdtemp(path.join(tmpdir(), 'kennel-directories-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const synced: string[] = [];
  const note = (directory: string) => void synced.push(path.relative(root, directory));
  disk.sync = async (directory) => note(directory);
  return { root, directories: new MediaDirectories(root), synced, note };
}

const file = 'media/main/e0000/1.ts';
const chain = ['media/main', 'media', ''];

test('the names of all new directories are durable before a file goes there, whoever made them', async () => {
  const { directories, synced, note } = await setup();
  const begun: (() => void)[] = [];
  disk.sync = (directory) =>
    new Promise((resolve) => {
      begun.push(() => {
        note(directory);
        resolve();
      });
    });
  const ready: string[] = [];
  const both = ['first', 'second'].map(async (name) => {
    await directories.makeFor(file);
    ready.push(name);
  });
  for (let done = 0; done < chain.length; done++) {
    await vi.waitFor(() => expect(begun.length).toBeGreaterThan(done));
    expect(ready).toEqual([]);
    begun[done]?.();
  }
  await Promise.all(both);
  expect(synced).toEqual(chain);
});

test('names that could not be made durable are tried again, and not forgotten because the directory is there', async () => {
  const { directories, synced, note } = await setup();
  disk.sync = () => Promise.reject(new KennelError('disk.failed', 'no'));
  await expect(directories.makeFor(file)).rejects.toMatchObject({ code: 'disk.failed' });
  disk.sync = async (directory) => note(directory);
  await directories.makeFor(file);
  expect(synced).toEqual(chain);
});

test('directories that an earlier life left are not taken for durable', async () => {
  const { root, directories, synced } = await setup();
  await mkdir(path.join(root, 'media/main/e0000'), { recursive: true });
  await directories.makeFor(file);
  await directories.makeFor(file);
  expect(synced).toEqual(chain);
});
