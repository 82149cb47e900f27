import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BodyFile } from '../../../src/hls/segment/bodyFile.ts';

async function setup() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-body-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = new BodyFile({
    path: path.join(directory, '1.ts'),
    checksums: 'sha256',
    inspect: () => undefined,
  });
  return { file, files: () => readdir(directory) };
}

test.each([200, 300])('a body of %i KiB that was given up takes nothing more', async (kib) => {
  const { file, files } = await setup();
  await file.write(Buffer.alloc(kib * 1024));
  const gone = file.abandon();
  // As a decoder may: a piece of it was on its way already.
  expect(() => file.write(Buffer.alloc(300 * 1024))).toThrow('given up');
  await gone;
  expect(() => file.write(Buffer.alloc(300 * 1024))).toThrow('given up');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await files()).toEqual([]);
});
