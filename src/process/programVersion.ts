import { runProgram } from './runProgram.ts';

/** A program that cannot print its version in this time cannot be used, milliseconds. Python's need about half a second. */
const VERSION_TIMEOUT_MS = 10_000;
/** Versions stand at the beginning; characters. */
const VERSION_OUTPUT_MAX = 4_096;

/** How a program is asked for its version. */
export interface VersionQuestion {
  readonly versionArguments: readonly string[];
  /** From the beginning of what it prints; undefined: not recognised. */
  parseVersion(output: string): string | undefined;
}

/** The version that a program names; undefined when it is another program or does not run. `environment`: see `runProgram`. */
export async function programVersion(
  path: string,
  { versionArguments, parseVersion }: VersionQuestion,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  let head = '';
  const result = await runProgram({
    file: path,
    arguments: versionArguments,
    environment,
    signal: AbortSignal.timeout(VERSION_TIMEOUT_MS),
    onStdout: (text) => {
      if (head.length < VERSION_OUTPUT_MAX) head += text;
    },
  });
  return result.exitCode === 0 ? parseVersion(head) : undefined;
}
