import { executables } from '../process/executables.ts';
import { programVersion } from '../process/programVersion.ts';

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
  const { given = 'ffmpeg', searchPath, environment = {} } = options;
  for (const path of await executables(given, searchPath)) {
    const version = await ffmpegVersion(path, environment);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/** The version a program names, or undefined when it is no ffmpeg or does not run. */
export const ffmpegVersion = async (
  path: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string | undefined> => await programVersion(path, FFMPEG, environment);

const FFMPEG = {
  versionArguments: ['-hide_banner', '-version'],
  parseVersion: (output: string) => /^ffmpeg version (\S+)/.exec(output)?.[1],
};
