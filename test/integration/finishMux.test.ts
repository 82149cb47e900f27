import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { type MuxOptions, muxRecording } from '../../src/media/mux/muxRecording.ts';
import type { MuxResult } from '../../src/media/mux/muxResult.ts';
import { readPackets } from '../support/oracle/packets.ts';
import { describeSet } from '../support/origin/mediaSet.ts';
import { ffmpegPath } from '../support/tools.ts';
import {
  recordsOf,
  type Stretch,
  storeRecording,
  temporaryDirectory,
} from '../unit/media/recording.ts';

const ffmpeg = await ffmpegPath();
let cleanUp: AsyncDisposableStack;
beforeAll(() => {
  cleanUp = new AsyncDisposableStack();
});
afterAll(async () => await cleanUp.disposeAsync());

async function setup(stretches: readonly Stretch[]) {
  const { path: directory } = cleanUp.use(await temporaryDirectory());
  const ledger = await storeRecording(directory, recordsOf(stretches));
  const outputDirectory = join(directory, 'finish');
  const logged: string[] = [];
  const mux = async (options: Partial<MuxOptions> = {}): Promise<MuxResult> =>
    await muxRecording({
      directory,
      ledger,
      outputDirectory,
      signal: new AbortController().signal,
      log: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`),
      ...options,
    });
  return { directory, ledger, outputDirectory, mux, logged };
}

/** Hashes of every packet that the stretches hold, in order. */
function packetsOf(stretches: readonly Stretch[]): { video: string[]; audio: string[] } {
  const video: string[] = [];
  const audio: string[] = [];
  for (const { set, from, to, lost } of stretches) {
    for (const [number, segment] of describeSet(set).segments.entries()) {
      if (number < from || number > to || lost?.includes(number)) continue;
      video.push(...segment.video);
      audio.push(...segment.audio);
    }
  }
  return { video, audio };
}

const tool = async (): Promise<{ path: string; version: string } | undefined> => {
  if (ffmpeg === undefined) return undefined;
  return { path: ffmpeg, version: (await ffmpegVersion(ffmpeg)) ?? 'unknown' };
};

const RECORDINGS: Record<string, Stretch[]> = {
  'clean MPEG-TS': [{ set: 'ts', from: 0, to: 9 }],
  'MPEG-TS with a gap of two segments': [{ set: 'ts', from: 0, to: 11, lost: [5, 6] }],
  'MPEG-TS whose clock is set back at a discontinuity': [
    { set: 'ts', from: 20, to: 24 },
    { set: 'ts', from: 0, to: 4, discontinuity: 1 },
  ],
  'MPEG-TS with an encoder restart, gaps and a discontinuity': [
    { set: 'ts', from: 30, to: 36, lost: [33] },
    { set: 'ts', from: 0, to: 4, epoch: 1 },
    { set: 'ts', from: 50, to: 55, discontinuity: 1, lost: [52, 53] },
  ],
  'MPEG-TS with segments of another link, whose clock is far away': [
    { set: 'ts', from: 20, to: 23 },
    { set: 'ts', from: 50, to: 51, source: 1 },
    { set: 'ts', from: 26, to: 29 },
  ],
  'MPEG-TS with segments of another link, whose clock is a little behind': [
    { set: 'ts', from: 20, to: 23 },
    { set: 'ts', from: 17, to: 18, source: 1 },
    { set: 'ts', from: 26, to: 29 },
  ],
  'fragmented MP4': [{ set: 'fmp4', from: 0, to: 9 }],
  'fragmented MP4 with a gap and a clock set back': [
    { set: 'fmp4', from: 5, to: 11, lost: [7, 8] },
    { set: 'fmp4', from: 0, to: 3, discontinuity: 1 },
  ],
};

describe.each(['ffmpeg', 'mediabunny'])('with %s', (muxer) => {
  test.skipIf(ffmpeg === undefined).each(Object.entries(RECORDINGS))(
    '%s becomes one verified file with every packet',
    async (_name, stretches) => {
      const { mux, outputDirectory } = await setup(stretches);
      const found = await tool();
      const result = await mux(muxer === 'ffmpeg' && found ? { ffmpeg: found } : {});
      expect(result.files).toHaveLength(1);
      const [file] = result.files;
      expect(file?.verification).toMatchObject({ verified: true, complaints: [] });
      const packets = await readPackets(ffmpeg ?? '', join(outputDirectory, file?.file ?? ''));
      expect(packets).toEqual({ ...packetsOf(stretches), errors: [] });
      const simple =
        stretches[0]?.set === 'ts' || stretches.length + (stretches[0]?.lost?.length ?? 0) === 1;
      expect(file?.muxer).toBe(simple ? muxer : 'mediabunny');
      expect((await readdir(outputDirectory)).toSorted()).toEqual(['mux.json', 'run-1.mp4']);
      // A player can begin before it has the whole file.
      const head = await readFile(join(outputDirectory, 'run-1.mp4'), 'latin1');
      expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));
    },
    60_000,
  );

  test('another resolution after a discontinuity goes into a second file', async () => {
    const { mux } = await setup([
      { set: 'ts', from: 0, to: 4 },
      { set: 'hi', from: 0, to: 3, discontinuity: 1 },
    ]);
    const found = await tool();
    const { files } = await mux(muxer === 'ffmpeg' && found ? { ffmpeg: found } : {});
    expect(files.map(({ file, segments, tracks }) => [file, segments, tracks[0]?.width])).toEqual([
      ['run-1.mp4', 5, 256],
      ['run-2.mp4', 4, 384],
    ]);
  }, 60_000);
});
