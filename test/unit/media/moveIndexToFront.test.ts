import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { moveIndexToFront } from '../../../src/media/mediabunny/moveIndexToFront.ts';
import { temporaryDirectory } from './recording.ts';

function box(name: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  head.write(name, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

function numbers(bytes: 4 | 8, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * bytes);
  for (const [index, value] of values.entries()) {
    if (bytes === 4) buffer.writeUInt32BE(value, index * 4);
    else buffer.writeBigUInt64BE(BigInt(value), index * 8);
  }
  return buffer;
}

const trak = (table: Buffer): Buffer =>
  box('trak', box('tkhd'), box('mdia', box('minf', box('stbl', box('stsz'), table))));

/** An MP4 whose index stands behind so many bytes of data, and refers to its first byte and its last one. */
async function setup(dataBytes: number, indexBytes: number, offsets?: number[]) {
  const directory = await temporaryDirectory();
  onTestFinished(async () => await directory[Symbol.asyncDispose]());
  const path = join(directory.path, 'film.mp4');
  const data = randomBytes(dataBytes);
  const ftyp = box('ftyp', Buffer.from('isom'));
  const first = ftyp.length + 8;
  const places = offsets ?? [first, first + dataBytes - 1];
  const moov = box(
    'moov',
    trak(box('stco', numbers(4, 0, places.length, ...places))),
    trak(box('co64', numbers(4, 0, places.length), numbers(8, ...places))),
    box('udta', Buffer.alloc(indexBytes)),
  );
  const before = Buffer.concat([ftyp, box('mdat', data), moov]);
  await writeFile(path, before);
  await moveIndexToFront(path);
  return { path, before, after: await readFile(path), data, moov, ftyp };
}

test.each([
  ['much data and a small index', 10_000_000, 100],
  ['a large index and little data', 1_000, 5_000_000],
  ['data of just two blocks', 8 * 1024 * 1024 - 8, 100],
])('the index comes first, with %s', async (_what, dataBytes, indexBytes) => {
  const { after, before, data, moov, ftyp } = await setup(dataBytes, indexBytes);
  expect(after.length).toBe(before.length);
  expect(after.toString('latin1', ftyp.length + 4, ftyp.length + 8)).toBe('moov');
  const start = ftyp.length + moov.length + 8;
  expect(after.subarray(start).equals(data)).toBe(true);
  for (const [table, bytes] of [
    ['stco', 4],
    ['co64', 8],
  ] as const) {
    const at = after.indexOf(table, 0, 'latin1') + 12;
    const places = [0, 1].map((index) =>
      bytes === 4
        ? after.readUInt32BE(at + index * 4)
        : Number(after.readBigUInt64BE(at + index * 8)),
    );
    expect(places).toEqual([start, start + data.length - 1]);
  }
});

test('a file whose offsets have no room is left as it is', async () => {
  const { before, after } = await setup(100, 100, [2 ** 32 - 10]);
  expect(after.equals(before)).toBe(true);
});

test('a file whose index is in front is left as it is', async () => {
  const { path, after } = await setup(1_000, 100);
  await moveIndexToFront(path);
  expect((await readFile(path)).equals(after)).toBe(true);
});
