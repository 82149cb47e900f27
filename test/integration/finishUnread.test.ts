import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { muxRecording } from '../../src/media/mux/muxRecording.ts';
import { isVerified, type MuxResult } from '../../src/media/mux/muxResult.ts';
import { setDirectory } from '../support/origin/mediaSet.ts';
import { ffmpegPath } from '../support/tools.ts';
import { ledgerOf, recordsOf, sha256, temporaryDirectory } from '../unit/media/recording.ts';

/** What the reader of the segments does not know must not be lost without a word. */

const ffmpeg = await ffmpegPath();
const real = ffmpeg ?? '';
const withFfmpeg = test.skipIf(ffmpeg === undefined);

let cleanUp: AsyncDisposableStack;
beforeAll(() => {
  cleanUp = new AsyncDisposableStack();
});
afterAll(async () => await cleanUp.disposeAsync());

/** Muxes `count` seconds of MPEG-TS whose n-th segment is made by ffmpeg with these arguments. */
async function muxed(
  count: number,
  make: (nth: number) => readonly string[],
  muxer: string,
): Promise<MuxResult> {
  const { path: directory } = cleanUp.use(await temporaryDirectory());
  const records = [];
  for (const record of recordsOf([{ set: 'ts', from: 0, to: count - 1 }])) {
    if (record.t !== 'segment') {
      records.push(record);
      continue;
    }
    const nth = record.msn - 100;
    const file = `${nth}.mpegts`;
    const input = join(setDirectory('ts'), `${String(nth).padStart(3, '0')}.mpegts`);
    const timing = ['-copyts', '-muxdelay', '0', '-muxpreload', '0'];
    const output = ['-f', 'mpegts', join(directory, file)];
    await execa(real, ['-v', 'error', '-i', input, ...make(nth), ...timing, ...output]);
    const content = await readFile(join(directory, file));
    records.push({ ...record, file, bytes: content.length, checksum: sha256(content) });
  }
  const version = (await ffmpegVersion(real)) ?? 'unknown';
  return await muxRecording({
    directory,
    ledger: ledgerOf(records),
    outputDirectory: join(directory, 'finish'),
    signal: new AbortController().signal,
    log: () => undefined,
    ...(muxer === 'ffmpeg' && { ffmpeg: { path: real, version } }),
  });
}

const complaints = ({ files }: MuxResult): string =>
  files.flatMap(({ verification }) => verification.complaints).join();

withFfmpeg(
  'pictures that only ffmpeg can read are not lost without it',
  async () => {
    const make = () => ['-c:a', 'copy', '-c:v', 'mpeg2video', '-q:v', '8'];
    const without = await muxed(2, make, 'mediabunny');
    expect(isVerified(without)).toBe(false);
    expect(complaints(without)).toContain('video that is not in the file: 0x02');
    const result = await muxed(2, make, 'ffmpeg');
    expect(result.files[0]?.tracks).toMatchObject([{ kind: 'video' }, { kind: 'audio' }]);
    expect(result).toMatchObject({ files: [{ file: 'run-1.mp4', muxer: 'ffmpeg' }] });
    expect(isVerified(result)).toBe(true);
  },
  60_000,
);

withFfmpeg(
  'sound that no muxer can copy costs the segments nothing',
  async () => {
    const make = () => ['-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-mpegts_flags', 'latm'];
    const result = await muxed(2, make, 'ffmpeg');
    expect(result.files[0]?.tracks).toMatchObject([{ kind: 'video' }]);
    expect(isVerified(result)).toBe(false);
    expect(complaints(result)).toContain('audio that is not in the file: 0x11');
  },
  60_000,
);

withFfmpeg.each(['ffmpeg', 'mediabunny'])(
  'sound that begins long after the pictures is in the file, or named: %s',
  async (muxer) => {
    const late = (nth: number) => ['-map', '0:v', ...(nth < 8 ? [] : ['-map', '0:a'])];
    const result = await muxed(11, (nth) => [...late(nth), '-c', 'copy'], muxer);
    const hasSound = result.files[0]?.tracks.some(({ kind }) => kind === 'audio') === true;
    expect(isVerified(result)).toBe(hasSound);
    if (!hasSound) expect(complaints(result)).toContain('audio that is not in the file: aac');
  },
  60_000,
);
