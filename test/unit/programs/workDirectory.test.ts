import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  lookIntoDirectory,
  makeWorkDirectory,
  removeWorkDirectories,
} from '../../../src/programs/workDirectory.ts';

async function recording() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-work-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const FIRST = { attempt: 1, run: 1, files: [] };

it('keeps secret files to its owner', async () => {
  const root = await recording();
  const files = [{ name: 'cookies.txt', content: 'secret' }];
  const directory = await makeWorkDirectory(root, { ...FIRST, files });
  expect(directory).toBe(path.join(root, 'work/1-1'));
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  const file = path.join(directory, 'cookies.txt');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toBe('secret');
});

it('puts no file anywhere else', async () => {
  const root = await recording();
  for (const name of ['../escape', '/tmp/escape', '..', 'a/b']) {
    const files = [{ name, content: '' }];
    const made = makeWorkDirectory(root, { attempt: 1, run: name.length, files });
    await expect(made).rejects.toMatchObject({ code: 'tool.failed' });
  }
});

it('removes what it made, and neither media nor what links lead to', async () => {
  const root = await recording();
  const outside = await recording();
  await writeFile(path.join(outside, 'precious'), '');
  await mkdir(path.join(root, 'media'));
  await writeFile(path.join(root, 'media/0.ts'), '');
  const directory = await makeWorkDirectory(root, FIRST);
  await makeWorkDirectory(root, { ...FIRST, run: 2 });
  await symlink(outside, path.join(directory, 'link'));
  await symlink(outside, path.join(root, 'work/3-3'));
  await mkdir(path.join(root, 'work/somebody'));
  expect((await removeWorkDirectories(root)).toSorted()).toEqual(['1-1', '1-2']);
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(path.join(outside, 'precious'))).toBe(true);
  expect(existsSync(path.join(root, 'media/0.ts'))).toBe(true);
  expect(existsSync(path.join(root, 'work/somebody'))).toBe(true);
});

it('leaves nothing behind when all was its own, and needs nothing to be there', async () => {
  const root = await recording();
  expect(await removeWorkDirectories(root)).toEqual([]);
  await makeWorkDirectory(root, FIRST);
  await removeWorkDirectories(root);
  expect(existsSync(path.join(root, 'work'))).toBe(false);
});

it('does not follow a work directory that is a link', async () => {
  const root = await recording();
  const outside = await recording();
  await mkdir(path.join(outside, '1-1'));
  await symlink(outside, path.join(root, 'work'));
  expect(await removeWorkDirectories(root)).toEqual([]);
  expect(existsSync(path.join(outside, '1-1'))).toBe(true);
});

it('counts what is in it', async () => {
  const root = await recording();
  const directory = await makeWorkDirectory(root, FIRST);
  await mkdir(path.join(directory, 'deep'));
  await writeFile(path.join(directory, 'a.part'), 'four');
  await writeFile(path.join(directory, 'deep/b'), 'four');
  const { files, bytes } = await lookIntoDirectory(directory);
  expect(files.toSorted()).toEqual(['a.part', 'deep/b']);
  expect(bytes).toBe(8);
  expect(await lookIntoDirectory(path.join(root, 'nowhere'))).toEqual({ files: [], bytes: 0 });
});
