import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../process/runProgram.ts';
import { finishFile, measureFile, UNFINISHED } from './durableFile.ts';

/** Where in the recording the picture is taken: late enough for most title cards and black openings. */
const POSTER_SHARE = 0.1;
const POSTER_WIDTH = 640;
/** The sheet: 20 pictures, evenly spread over the recording. */
const SPRITE_COLUMNS = 5;
const SPRITE_ROWS = 4;
const SPRITE_TILE_WIDTH = 160;
/** Decoding the key frames of a day takes a few minutes at most; pictures are not worth more, milliseconds. */
const TIME_MAX_MS = 300_000;
const NICENESS = 15;

export interface ThumbnailOptions {
  /** Pictures are made by ffmpeg only. */
  readonly ffmpeg?: { readonly path: string };
  /** The finished file; absolute. */
  readonly file: string;
  readonly durationMs: number;
  readonly outputDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface Thumbnail {
  readonly kind: 'poster' | 'sprite';
  /** Name below the output directory. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly checksum: string;
}

export interface Thumbnails {
  readonly files: readonly Thumbnail[];
  /** Pictures that are not there, and why. */
  readonly missing: readonly { readonly kind: Thumbnail['kind']; readonly why: string }[];
}

/** A picture and a sheet of pictures of a recording. A picture that cannot be made is named, never an error. */
export async function makeThumbnails(options: ThumbnailOptions): Promise<Thumbnails> {
  const files: Thumbnail[] = [];
  const missing: { kind: Thumbnail['kind']; why: string }[] = [];
  const seconds = options.durationMs / 1_000;
  const everySeconds = Math.max(seconds / (SPRITE_COLUMNS * SPRITE_ROWS), 0.001).toFixed(3);
  const recipes = {
    poster: {
      seek: ['-ss', (seconds * POSTER_SHARE).toFixed(3)],
      filter: `scale=${POSTER_WIDTH}:-2`,
    },
    sprite: {
      seek: [],
      // The next key frame once that much time has passed since the last one taken.
      filter:
        `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${everySeconds})',` +
        `scale=${SPRITE_TILE_WIDTH}:-2,tile=${SPRITE_COLUMNS}x${SPRITE_ROWS}`,
    },
  } as const;
  for (const kind of ['poster', 'sprite'] as const) {
    const made = await makePicture(options, { kind, ...recipes[kind] });
    if ('why' in made) missing.push({ kind, why: made.why });
    else files.push(made);
  }
  return { files, missing };
}

async function makePicture(
  options: ThumbnailOptions,
  recipe: {
    readonly kind: Thumbnail['kind'];
    readonly seek: readonly string[];
    readonly filter: string;
  },
): Promise<Thumbnail | { why: string }> {
  const { ffmpeg, outputDirectory, environment, signal } = options;
  if (ffmpeg === undefined) return { why: 'no ffmpeg' };
  const file = `${recipe.kind}.jpg`;
  const path = join(outputDirectory, file);
  const result = await runProgram({
    file: ffmpeg.path,
    arguments: [
      ...['-hide_banner', '-v', 'error', '-y', '-nostdin', '-protocol_whitelist', 'file'],
      ...['-skip_frame', 'nokey', ...recipe.seek, '-f', 'mov', '-i', `file:${options.file}`],
      ...['-map', '0:v:0', '-vf', recipe.filter, '-frames:v', '1', '-fps_mode', 'vfr'],
      ...['-q:v', '4', '-f', 'mjpeg', path + UNFINISHED],
    ],
    environment,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_MAX_MS)]),
    niceness: NICENESS,
  });
  signal.throwIfAborted();
  const measured =
    result.exitCode === 0 ? await measureFile(path + UNFINISHED).catch(() => undefined) : undefined;
  if (measured === undefined || measured.bytes === 0) {
    await rm(path + UNFINISHED, { force: true });
    const said = result.stderrTail.trim().split('\n').at(-1);
    return {
      why:
        said || result.startError || `no picture (exit code ${result.exitCode ?? result.signal})`,
    };
  }
  await finishFile(path + UNFINISHED, path);
  return { kind: recipe.kind, file, ...measured };
}
