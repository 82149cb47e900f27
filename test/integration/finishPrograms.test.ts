import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegVersion } from '../../src/media/findFfmpeg.ts';
import { type MuxOptions, muxRecording } from '../../src/media/mux/muxRecording.ts';
import type { MuxResult } from '../../src/media/mux/muxResult.ts';
import { readPackets } from '../support/oracle/packets.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';
import { ledgerOf, temporaryDirectory } from '../unit/media/recording.ts';
import { OutputBench, runOf } from '../unit/programs/outputSetup.ts';

const missing = await whyMissing('ffmpeg');
const ffmpeg = (await ffmpegPath()) ?? '';
const title = (text: string) => (missing === undefined ? text : `${text} (skipped: ${missing})`);
const version = missing === undefined ? ((await ffmpegVersion(ffmpeg)) ?? '') : '';

const PLAIN = ['-hide_banner', '-v', 'error', '-nostdin', '-y'];
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-sc_threshold', '0'];
const FRAGMENTS = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4'];
const SECONDS = 9;
const MUXERS = ['ffmpeg', 'mediabunny'] as const;

let work = '';
let cleanUp: AsyncDisposableStack;
beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  work = cleanUp.use(await temporaryDirectory()).path;
});
afterAll(async () => await cleanUp.disposeAsync());

/** A file of some seconds by these codecs. */
async function made(name: string, how: readonly string[]): Promise<string> {
  const file = join(work, name);
  await execa(ffmpeg, [...PLAIN, ...how.slice(0, -2), '-t', `${SECONDS}`, ...how.slice(-2), file]);
  return file;
}

/** What a program puts out that begins at `from`, on a clock of its own. */
async function from(file: string, seconds: number, how: readonly string[]): Promise<Buffer> {
  const cut = ['-ss', `${seconds}`, '-i', file, '-map', '0', '-c', 'copy', ...how, 'pipe:1'];
  const { stdout } = await execa(ffmpeg, [...PLAIN, ...cut], { encoding: 'buffer' });
  return Buffer.from(stdout);
}

/** Finishes what is on the disk of the bench. */
async function finished(
  bench: OutputBench,
  muxer: (typeof MUXERS)[number],
  options: Partial<MuxOptions> = {},
): Promise<MuxResult & { readonly pathOf: (index: number) => string }> {
  const { records } = await bench.recorded();
  const outputDirectory = join(bench.directory, 'finish');
  const result = await muxRecording({
    directory: bench.directory,
    ledger: ledgerOf(records),
    outputDirectory,
    signal: new AbortController().signal,
    log: () => undefined,
    ...(muxer === 'ffmpeg' && { ffmpeg: { path: ffmpeg, version } }),
    ...options,
  });
  return { ...result, pathOf: (index) => join(outputDirectory, result.files[index]?.file ?? '') };
}

/** Presentation times of all packets of one stream, seconds. */
async function timesOf(file: string | Buffer, stream: 'v:0' | 'a:0'): Promise<number[]> {
  const show = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time'];
  const input = typeof file === 'string' ? { stdin: 'ignore' as const } : { input: file };
  const { stdout } = await execa(
    join(ffmpeg, '../ffprobe'),
    [...show, '-of', 'csv=p=0', typeof file === 'string' ? file : 'pipe:0'],
    input,
  );
  return stdout
    .split('\n')
    .flatMap((line) => (line.trim() === '' ? [] : [Number.parseFloat(line)]));
}

const codecsOf = ({ files }: MuxResult) =>
  files.map((file) => file.tracks.map(({ codec }) => codec.replace(/\..*$/, '')));

describe.skipIf(missing !== undefined)(title('finishing what programs recorded'), () => {
  test.each(MUXERS)(
    'keeps sound and picture in step where a program began again amid a group of pictures (%s)',
    async (muxer) => {
      const how = [...PICTURE, ...SOUND, ...H264, '-c:a', 'aac', '-f', 'mpegts'];
      const source = await made('restart.ts', how);
      // Sound from the first moment, pictures from the next key frame on.
      const second = await from(source, 5, ['-f', 'mpegts']);
      const lead = firstOf(await timesOf(second, 'v:0')) - firstOf(await timesOf(second, 'a:0'));
      expect(lead).toBeGreaterThan(0.6);
      await using bench = await OutputBench.open();
      const all = await readFile(source);
      await runOf(await bench.life(), all.subarray(0, Math.round(all.length * 0.4)));
      const [before] = [await bench.recorded()];
      bench.clock.ms += 9_000;
      await runOf(await bench.life(), second);
      const result = await finished(bench, muxer);
      expect(result.files.map(({ verification }) => verification.complaints)).toEqual([[]]);
      const pictures = (await timesOf(before.bytes, 'v:0')).length;
      const sounds = (await timesOf(before.bytes, 'a:0')).length;
      const film = result.pathOf(0);
      const picture = Math.min(...(await timesOf(film, 'v:0')).slice(pictures));
      const sound = (await timesOf(film, 'a:0'))[sounds] ?? Number.NaN;
      expect(picture - sound).toBeCloseTo(lead, 1);
    },
    60_000,
  );

  test('puts a picture together again that ffmpeg has written with two delimiters', async () => {
    const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
    const gop = ['-x265-params', 'log-level=error:keyint=50'];
    const how = [...PICTURE, ...SOUND, ...hevc, ...gop, '-c:a', 'ac3', '-f', 'mpegts'];
    const source = await made('hevc.ts', how);
    await using bench = await OutputBench.open();
    const all = await readFile(source);
    await runOf(await bench.life(), all.subarray(0, Math.round(all.length * 0.4)));
    bench.clock.ms += 9_000;
    await runOf(await bench.life(), await from(source, 5, ['-f', 'mpegts']));
    const { segments } = await bench.recorded();
    const result = await finished(bench, 'mediabunny');
    const [file] = result.files;
    expect(file?.verification.complaints).toEqual([]);
    expect(file?.segments).toBe(segments.length);
    expect(codecsOf(result)).toEqual([['hev1', 'ac-3']]);
  }, 60_000);

  test.each(MUXERS)(
    'makes one file of fragmented MP4 whose program began again (%s)',
    async (muxer) => {
      const opus = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50'];
      const how = [...PICTURE, ...SOUND, ...opus, '-c:a', 'libopus', ...FRAGMENTS];
      const source = await made('restart.mp4', how);
      await using bench = await OutputBench.open();
      const all = await readFile(source);
      await runOf(await bench.life(), all.subarray(0, Math.round(all.length * 0.5)));
      bench.clock.ms += 9_000;
      await runOf(await bench.life(), await from(source, 6, FRAGMENTS));
      const { records, segments } = await bench.recorded();
      expect(ledgerOf(records).inits.length).toBe(2);
      const result = await finished(bench, muxer);
      expect(result.files.map(({ file }) => file)).toEqual(['run-1.mp4']);
      expect(codecsOf(result)).toEqual([['vp09', 'opus']]);
      const [file] = result.files;
      expect(file?.verification.complaints).toEqual([]);
      expect(file?.segments).toBe(segments.length);
    },
    60_000,
  );

  test.each(MUXERS)(
    'keeps nothing but the sound where nothing else is wanted (%s)',
    async (muxer) => {
      const how = [...PICTURE, ...SOUND, ...H264, '-c:a', 'aac', '-f', 'mpegts'];
      const source = await made('sound.ts', how);
      await using bench = await OutputBench.open();
      await runOf(await bench.life(), await readFile(source));
      const tags = { title: 'Titel', artist: 'Wer', comment: 'https://a.example/' };
      const result = await finished(bench, muxer, { soundOnly: true, tags });
      expect(result.files).toMatchObject([
        { file: 'run-1.m4a', muxer, leftOut: ['video'], verification: { verified: true } },
      ]);
      const found = await readPackets(ffmpeg, result.pathOf(0));
      const expected = await readPackets(ffmpeg, source);
      expect(found).toMatchObject({ video: [], audio: expected.audio });
      const show = ['-v', 'error', '-show_entries', 'format_tags', '-of', 'json'];
      const probed = await execa(join(ffmpeg, '../ffprobe'), [...show, result.pathOf(0)]);
      expect(JSON.parse(probed.stdout)).toMatchObject({ format: { tags } });
      const again = await finished(bench, muxer);
      expect(again.files).toMatchObject([{ file: 'run-1.mp4', verification: { verified: true } }]);
      const named = await finished(bench, muxer, { soundOnly: true, soundEnding: 'mp4' });
      expect(named.files.map(({ file }) => file)).toEqual(['run-1.mp4']);
      expect(codecsOf(named)).toEqual([['mp4a']]);
    },
    60_000,
  );

  test('keeps the pictures where only sound is wanted and there is none', async () => {
    const source = await made('silent.ts', [...PICTURE, ...H264, '-f', 'mpegts']);
    await using bench = await OutputBench.open();
    await runOf(await bench.life(), await readFile(source));
    const result = await finished(bench, 'mediabunny', { soundOnly: true });
    expect(result.files).toMatchObject([{ file: 'run-1.mp4', verification: { verified: true } }]);
  }, 30_000);
});

const firstOf = (times: readonly number[]): number => Math.min(...times);
