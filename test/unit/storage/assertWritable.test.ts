import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { assertWritable } from '../../../src/storage/assertWritable.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const setup = () => {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-output-'));
  directories.push(directory);
  return directory;
};

test('a directory that is not there yet is made, and nothing is left in it', async () => {
  const directory = setup();
  await assertWritable(join(directory, 'new', 'shows/'));
  await assertWritable(join(directory, 'films', 'film.mp4'));
  expect(readdirSync(join(directory, 'new', 'shows'))).toEqual([]);
  expect(readdirSync(join(directory, 'films'))).toEqual([]);
});

test('an output below a file, or where nothing can be written, is refused', async () => {
  const directory = setup();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(assertWritable(join(file, 'show.mp4'))).rejects.toMatchObject({
    code: 'destination.conflict',
    message: expect.stringContaining(file),
  });
  if (existsSync('/proc/self'))
    await expect(assertWritable('/proc/self/')).rejects.toMatchObject({
      code: 'destination.unwritable',
    });
});
