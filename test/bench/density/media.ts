import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const CACHE = join(ROOT, '.cache/density');
const FIXTURE = join(ROOT, 'test/fixtures/media/ts');

export const SEGMENT_MS = 2_000;
/** Eighty seconds: a run of half a minute with its window before it does not begin again. */
const SEGMENTS = 40;
const PACKET_BYTES = 188;

export interface Media {
  /** The directory that has the segments, in the order of their names. */
  readonly directory: string;
  readonly segments: number;
  readonly segmentBytes: number;
  /** What the segments are made of, for the report. */
  readonly made: string;
}

export interface MediaOptions {
  readonly bitsPerSecond: number;
  /** Encodes the segments. Absent: those of the fixtures are filled up with null packets. */
  readonly ffmpeg: string | undefined;
}

/** Segments of a real H.264/AAC stream, made once for each rate and kept in `.cache`. */
export async function mediaOf({ bitsPerSecond, ffmpeg }: MediaOptions): Promise<Media> {
  const kind = ffmpeg === undefined ? 'padded' : 'encoded';
  const directory = join(CACHE, `${kind}-${Math.round(bitsPerSecond / 1_000)}k`);
  if (!existsSync(directory)) {
    const begun = `${directory}.${process.pid}`;
    mkdirSync(begun, { recursive: true });
    try {
      if (ffmpeg === undefined) pad(begun, bitsPerSecond);
      else await encode(begun, bitsPerSecond, ffmpeg);
      renameSync(begun, directory);
    } finally {
      rmSync(begun, { recursive: true, force: true });
    }
  }
  const sizes = readSegments(directory).map(({ length }) => length);
  return {
    directory,
    segments: sizes.length,
    segmentBytes: sizes.reduce((all, one) => all + one, 0) / sizes.length,
    made: ffmpeg === undefined ? 'fixtures filled up with null packets' : 'H.264 and AAC',
  };
}

export const readSegments = (directory: string): Buffer[] =>
  readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name)));

async function encode(directory: string, bitsPerSecond: number, ffmpeg: string): Promise<void> {
  const seconds = (SEGMENTS * SEGMENT_MS) / 1_000;
  // Audio takes its part, and framing some 5 %.
  const video = Math.round(Math.max(bitsPerSecond * 0.95 - 64_000, bitsPerSecond * 0.5));
  const size = bitsPerSecond > 1e6 ? '640x360' : '160x90';
  const rate = ['-b:v', video, '-minrate', video, '-maxrate', video, '-bufsize', video];
  await promisify(execFile)(
    ffmpeg,
    [
      ...['-nostdin', '-loglevel', 'error', '-f', 'lavfi'],
      ...['-i', `testsrc2=size=${size}:rate=25,noise=alls=40:allf=t`],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', seconds],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-x264-params', 'nal-hrd=cbr', ...rate],
      ...['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'],
      ...['-c:a', 'aac', '-b:a', bitsPerSecond > 1e6 ? '64k' : '24k'],
      ...['-f', 'segment', '-segment_time', SEGMENT_MS / 1_000, '-segment_format', 'mpegts'],
      join(directory, '%03d.ts'),
    ].map(String),
  );
}

/** Good for recorders that look at framing only: a demuxer drops null packets, so what ffmpeg writes is small then. */
function pad(directory: string, bitsPerSecond: number): void {
  const packets = Math.round((bitsPerSecond * SEGMENT_MS) / 8_000 / PACKET_BYTES);
  const empty = Buffer.alloc(PACKET_BYTES, 0xff);
  empty.set([0x47, 0x1f, 0xff, 0x10]);
  const sources = readSegments(FIXTURE);
  for (let at = 0; at < SEGMENTS; at++) {
    const source = sources[at % sources.length] ?? empty;
    const missing = Math.max(0, packets - source.length / PACKET_BYTES);
    const body = Buffer.concat([source, ...Array.from({ length: missing }, () => empty)]);
    writeFileSync(join(directory, `${String(at).padStart(3, '0')}.ts`), body);
  }
}
