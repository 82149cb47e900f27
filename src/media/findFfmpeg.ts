import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { runProgram } from '../process/runProgram.ts';

/** A program that cannot print its version in this time cannot be used, milliseconds. */
const VERSION_TIMEOUT_MS = 10_000;

export interface Ffmpeg {
  readonly path: string;
  /** As it names itself: `7.0.2`, `n7.0`, `5.1.9-0+deb12u1`. */
  readonly version: string;
}

export interface FindFfmpegOptions {
  /** The program to use, given by the operator: then nothing else is tried. */
  readonly given?: string;
  /** The value of `PATH`. */
  readonly searchPath: string;
  /** The environment it runs with; see `runProgram`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The first ffmpeg that runs, or undefined. */
export async function findFfmpeg(options: FindFfmpegOptions): Promise<Ffmpeg | undefined> {
  const { given, searchPath, environment = {} } = options;
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  const candidates =
    given === undefined || !given.includes('/')
      ? directories.map((directory) => join(directory, given ?? 'ffmpeg'))
      : [given];
  for (const path of candidates) {
    if (!(await isExecutable(path))) continue;
    const version = await ffmpegVersion(path, environment);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/** The version a program names, or undefined when it is no ffmpeg or does not run. */
export async function ffmpegVersion(
  path: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  let head = '';
  const result = await runProgram({
    file: path,
    arguments: ['-hide_banner', '-version'],
    environment,
    signal: AbortSignal.timeout(VERSION_TIMEOUT_MS),
    onStdout: (text) => {
      if (head.length < 256) head += text;
    },
  });
  if (result.exitCode !== 0) return undefined;
  return /^ffmpeg version (\S+)/.exec(head)?.[1];
}

const isExecutable = async (path: string): Promise<boolean> =>
  await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
