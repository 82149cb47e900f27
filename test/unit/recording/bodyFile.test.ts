import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BodyFile } from '../../../src/recording/files/bodyFile.ts';

const piece = Buffer.alloc(300 * 1024, 7);

async function setup() {
  const directory = await mkdtemp(path.join(tmpdir(), 'kennel-body-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = new BodyFile({
    path: path.join(directory, '1.ts'),
    checksums: 'sha256',
    inspect: () => undefined,
  });
  return { file, files: () => readdir(directory), directory };
}

test('what a burst of bodies was gathered in is given back at once, but for what is kept for the next ones', async () => {
  const { directory } = await setup();
  const before = process.memoryUsage().arrayBuffers;
  const bodies = Array.from({ length: 60 }, async (_, index) => {
    const file = new BodyFile({
      path: path.join(directory, `${index}.ts`),
      checksums: 'sha256',
      inspect: () => undefined,
    });
    await file.write(piece);
    return await file.finish();
  });
  const [first] = await Promise.all(bodies);
  expect(first?.bytes).toBe(piece.length);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(9 * 1024 * 1024);
});

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
