import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFrameHashes, readPackets } from '../support/oracle/packets.ts';
import { ffmpegPath, whyMissing } from '../support/tools.ts';
import { OutputBench, runOf } from '../unit/programs/outputSetup.ts';

const missing = await whyMissing('ffmpeg');
const ffmpeg = (await ffmpegPath()) ?? '';
const title = (text: string) => (missing === undefined ? text : `${text} (skipped: ${missing})`);

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
const SOUND = ['-f', 'lavfi', '-i', 'aevalsrc=0.2*sin(2*PI*t*(200+20*t)):s=44100'];
const FRAGMENTS = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4'];
const H264 = [
  '-c:v',
  'libx264',
  '-preset',
  'veryfast',
  '-bf',
  '3',
  '-g',
  '50',
  '-sc_threshold',
  '0',
  '-pix_fmt',
  'yuv420p',
];
const AAC = ['-c:a', 'aac', '-b:a', '96k'];

interface Kind {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly container: 'ts' | 'fmp4';
}

const KINDS: readonly Kind[] = [
  {
    name: 'H.264 with B-frames and AAC in MPEG-TS',
    container: 'ts',
    arguments: [...PICTURE, ...SOUND, ...H264, ...AAC, '-f', 'mpegts'],
  },
  {
    name: 'HEVC and AC-3 in MPEG-TS',
    container: 'ts',
    arguments: [
      ...PICTURE,
      ...SOUND,
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=error:keyint=50',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'ac3',
      '-f',
      'mpegts',
    ],
  },
  {
    name: 'sound alone in MPEG-TS',
    container: 'ts',
    arguments: [...SOUND, ...AAC, '-f', 'mpegts'],
  },
  {
    name: 'H.264 and AAC in fragmented MP4',
    container: 'fmp4',
    arguments: [...PICTURE, ...SOUND, ...H264, ...AAC, ...FRAGMENTS],
  },
  {
    name: 'VP9 and Opus in fragmented MP4',
    container: 'fmp4',
    arguments: [
      ...PICTURE,
      '-f',
      'lavfi',
      '-i',
      'sine=440:sample_rate=48000',
      '-c:v',
      'libvpx-vp9',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-g',
      '50',
      '-c:a',
      'libopus',
      ...FRAGMENTS,
    ],
  },
];

let work = '';
beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'kennel-program-output-'));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

/** So many seconds of it, in a file. */
async function makeFile(kind: Kind, seconds: number, file: string): Promise<void> {
  await execa(ffmpeg, [
    '-hide_banner',
    '-v',
    'error',
    '-nostdin',
    '-y',
    ...kind.arguments.slice(0, -2),
    '-t',
    String(seconds),
    ...kind.arguments.slice(-2),
    file,
  ]);
}

async function made(kind: Kind): Promise<Buffer> {
  const file = path.join(work, `${KINDS.indexOf(kind)}.media`);
  await makeFile(kind, 14, file);
  return await readFile(file);
}

/** Hashes of all packets, whatever their codec. */
async function packetsOf(bytes: Buffer): Promise<ReturnType<typeof parseFrameHashes>> {
  const output = [
    '-map',
    '0:v?',
    '-map',
    '0:a?',
    '-c',
    'copy',
    '-copyinkf',
    '-f',
    'framemd5',
    'pipe:1',
  ];
  const { stdout } = await execa(
    ffmpeg,
    ['-hide_banner', '-v', 'error', '-i', 'pipe:0', ...output],
    { input: bytes },
  );
  return parseFrameHashes(stdout);
}

/** Sizes between 4 and 64 kB, the same in every run of the test. */
const SIZES = Array.from({ length: 97 }, (_, index) => 4_096 + ((index * 7_919) % 61_440));

describe.skipIf(missing !== undefined)(
  title('the output of programs, judged by the packets of ffmpeg'),
  () => {
    it.each(KINDS)('holds every packet of $name once, in order', async (kind) => {
      const source = await made(kind);
      await using bench = await OutputBench.open();
      await runOf(await bench.life(), source, SIZES);
      const { bytes, gaps, segments } = await bench.recorded();
      expect(gaps).toEqual([]);
      expect(segments.length).toBeGreaterThanOrEqual(3);
      expect(segments.every(({ container }) => container === kind.container)).toBe(true);
      const seconds = segments.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
      expect(seconds).toBeGreaterThan(13.8);
      expect(seconds).toBeLessThan(14.2);
      expect(await packetsOf(bytes)).toEqual(await packetsOf(source));
    });

    it.each(KINDS)(
      'holds every packet of $name once when the program was cut off and began again',
      async (kind) => {
        const source = await made(kind);
        for (const part of [0.31, 0.5, 0.83]) {
          await using bench = await OutputBench.open();
          await runOf(
            await bench.life(),
            source.subarray(0, Math.round(source.length * part)),
            SIZES,
          );
          bench.clock.ms += 2_000;
          await runOf(await bench.life(), source, SIZES);
          const { bytes, gaps, segments } = await bench.recorded();
          expect(gaps).toEqual([]);
          expect(new Set(segments.map(({ discontinuity }) => discontinuity)).size).toBe(1);
          const found = await packetsOf(bytes);
          const expected = await packetsOf(source);
          expect(found.video).toEqual(expected.video);
          expect(found.audio).toEqual(expected.audio);
        }
      },
    );

    it.each([true, false])(
      'joins what ffmpeg packs anew from another place (its timestamps kept: %s)',
      async (isKept) => {
        const source = path.join(work, 'again.ts');
        const [kind] = KINDS;
        if (kind === undefined) throw new Error('no kind');
        await makeFile(kind, 20, source);
        const run = async (fromSeconds: number) => {
          const clock = isKept ? ['-copyts', '-muxdelay', '0', '-muxpreload', '0'] : [];
          const { stdout } = await execa(
            ffmpeg,
            [
              '-hide_banner',
              '-v',
              'error',
              '-ss',
              String(fromSeconds),
              ...(isKept ? ['-copyts'] : []),
              '-i',
              source,
              '-c',
              'copy',
              ...clock,
              '-f',
              'mpegts',
              'pipe:1',
            ],
            { encoding: 'buffer' },
          );
          return Buffer.from(stdout);
        };
        await using bench = await OutputBench.open();
        const first = await run(0);
        await runOf(await bench.life(), first.subarray(0, Math.round(first.length * 0.6)), SIZES);
        bench.clock.ms += 3_000;
        await runOf(await bench.life(), await run(6), SIZES);
        const { pieces, gaps, segments } = await bench.recorded();
        expect(gaps).toEqual([]);
        expect(new Set(segments.map(({ epoch }) => epoch)).size).toBe(1);
        expect(new Set(segments.map(({ discontinuity }) => discontinuity)).size).toBe(
          isKept ? 1 : 2,
        );
        const expected = await readPackets(ffmpeg, source);
        const found = await readPackets(ffmpeg, Buffer.concat(pieces));
        expect(found.video).toEqual(expected.video);
        expect(found.audio).toEqual(expected.audio);
      },
    );

    it('divides fragments where the next program makes them at other places', async () => {
      const [, , , kind] = KINDS;
      if (kind === undefined) throw new Error('no kind');
      const source = path.join(work, 'fragments.mp4');
      await made(kind);
      const plain = ['-hide_banner', '-v', 'error', '-nostdin', '-y'];
      await execa(ffmpeg, [...plain, '-i', path.join(work, '3.media'), '-c', 'copy', source]);
      const run = async (from: string, fragments: readonly string[]) => {
        const copy = ['-ss', from, '-i', source, '-c', 'copy', ...fragments, '-f', 'mp4', 'pipe:1'];
        const { stdout } = await execa(ffmpeg, [...plain, ...copy], { encoding: 'buffer' });
        return Buffer.from(stdout);
      };
      await using bench = await OutputBench.open();
      const short = ['-movflags', '+empty_moov+default_base_moof', '-frag_duration', '700000'];
      const first = await run('0', short);
      await runOf(await bench.life(), first.subarray(0, Math.round(first.length * 0.61)), SIZES);
      await runOf(await bench.life(), await run('4', FRAGMENTS.slice(0, 2)), SIZES);
      const { bytes, gaps, segments } = await bench.recorded();
      expect(gaps).toEqual([]);
      expect(new Set(segments.map(({ epoch }) => epoch)).size).toBe(1);
      const expected = await readPackets(ffmpeg, source);
      const found = await readPackets(ffmpeg, bytes);
      expect(found.video).toEqual(expected.video);
      expect(found.audio).toEqual(expected.audio);
    });
  },
);
