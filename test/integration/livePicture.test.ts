import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { LivePictures } from '../../src/media/livePicture.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  recordsOf,
  STARTED_AT,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';

const ffmpeg = await ffmpegPath();

async function setup(set: string) {
  const place = await temporaryDirectory();
  onTestFinished(async () => await place[Symbol.asyncDispose]());
  await storeRecording(place.path, recordsOf([{ set, from: 0, to: 3 }]));
  let elapsed = 0;
  const pictures = new LivePictures({
    ffmpeg: async () => (ffmpeg === undefined ? undefined : { path: ffmpeg }),
    directoryOf: (jobId) => (jobId === 'job' ? place.path : join(place.path, 'nothing')),
    clock: { ...systemClock, elapsed: () => elapsed },
  });
  return { pictures, directory: place.path, pass: (ms: number) => (elapsed += ms) };
}

const isJpeg = (picture: Uint8Array | undefined) =>
  picture?.[0] === 0xff &&
  picture[1] === 0xd8 &&
  picture.at(-2) === 0xff &&
  picture.at(-1) === 0xd9;

test.skipIf(ffmpeg === undefined).each(['ts', 'fmp4'])(
  'the newest segment of %s, and the one of a moment, are shown as JPEG',
  async (set) => {
    const { pictures } = await setup(set);
    const newest = await pictures.pictureOf('job');
    const first = await pictures.pictureOf('job', STARTED_AT);
    expect(isJpeg(newest)).toBe(true);
    expect(isJpeg(first)).toBe(true);
    expect(Buffer.compare(newest ?? Buffer.of(), first ?? Buffer.of())).not.toBe(0);
  },
);

test.skipIf(ffmpeg === undefined)(
  'a picture is made once for all who ask at about the same time',
  async () => {
    const { pictures, directory, pass } = await setup('ts');
    const [one, other] = await Promise.all([pictures.pictureOf('job'), pictures.pictureOf('job')]);
    expect(one).toBe(other);
    await rm(join(directory, 'journal.ndjson'));
    await expect(pictures.pictureOf('job')).resolves.toBe(one);
    pass(10_000);
    await expect(pictures.pictureOf('job')).resolves.toBeUndefined();
  },
);

test('a recording without segments has no picture, and without ffmpeg nobody has one', async () => {
  const { pictures } = await setup('ts');
  if (ffmpeg !== undefined) await expect(pictures.pictureOf('other')).resolves.toBeUndefined();
  const blind = new LivePictures({
    ffmpeg: async () => undefined,
    directoryOf: () => '/nowhere',
    clock: systemClock,
  });
  await expect(blind.pictureOf('job')).rejects.toMatchObject({ code: 'tool.missing' });
});
