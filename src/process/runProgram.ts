import { setPriority } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { messageOf, systemCodeOf } from '../core/errors.ts';

/** Kept of each output, characters: the end of a program's output says why it failed, and 16 K is some 200 lines. */
export const OUTPUT_TAIL_CHARACTERS = 16 * 1024;

/** How long the group may take to obey SIGTERM before SIGKILL, milliseconds: ffmpeg closes a large file in about one second. */
export const TERMINATE_GRACE_MS = 5_000;

export interface ProgramOptions {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Written to its standard input, with backpressure, then closed. Absent: an empty input. */
  readonly input?: string | AsyncIterable<Uint8Array>;
  /** Further inputs, which the program reads as file descriptors 3, 4, …; each is closed at its end. Default: none. */
  readonly extraInputs?: readonly AsyncIterable<Uint8Array>[];
  /**
   * The whole environment. Programs that read untrusted media get nothing of Kennel's own, which may hold secrets.
   * `KENNEL_JOB` in it lets a later life of the node find the process.
   */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Ends the program and its whole group: SIGTERM, then SIGKILL after `graceMs`. */
  readonly signal?: AbortSignal;
  /** Default: TERMINATE_GRACE_MS. */
  readonly graceMs?: number;
  /** Sees all of standard output; a slow one does not slow the program. */
  readonly onStdout?: (text: string) => void;
  /** Default: OUTPUT_TAIL_CHARACTERS. */
  readonly stdoutTailCharacters?: number;
  /** -20 … 19; higher is more modest. Default: unchanged. */
  readonly niceness?: number;
}

/** How a program ended. Whatever a program does is a value; only a bug in Kennel throws. */
export interface ProgramResult {
  readonly pid: number | undefined;
  /** Absent when a signal ended it, or when it never started. */
  readonly exitCode?: number;
  /** The signal that ended it. */
  readonly signal?: string;
  /** Why it never started: not there, not executable, too many processes. */
  readonly startError?: string;
  /** What went wrong while its input was read or written. A program that ends early and reads no more is not that. */
  readonly inputError?: unknown;
  readonly stdoutTail: string;
  readonly stderrTail: string;
  readonly durationMs: number;
}

/**
 * Runs a program in a process group of its own, never through a shell, and resolves when it has ended and its outputs are
 * read to their end. An aborted signal ends the whole group.
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { input, extraInputs = [] } = options;
  const extraErrors: unknown[] = [];
  const subprocess = execa(options.file, [...options.arguments], {
    env: options.environment,
    extendEnv: false,
    killDescendants: true,
    forceKillAfterDelay: options.graceMs ?? TERMINATE_GRACE_MS,
    buffer: false,
    reject: false,
    stdio: [
      input === undefined ? 'ignore' : 'pipe',
      'pipe',
      'pipe',
      ...extraInputs.map((extra) => untilItFails(extra, (error) => extraErrors.push(error))),
    ],
    ...(options.directory !== undefined && { cwd: options.directory }),
    ...(options.signal !== undefined && { cancelSignal: options.signal }),
  });
  if (options.niceness !== undefined) beModest(subprocess.pid, options.niceness);
  const stdout = tailOf(subprocess.stdout, {
    characters: options.stdoutTailCharacters ?? OUTPUT_TAIL_CHARACTERS,
    ...(options.onStdout !== undefined && { onText: options.onStdout }),
  });
  const stderr = tailOf(subprocess.stderr, { characters: OUTPUT_TAIL_CHARACTERS });
  const started = subprocess.pid !== undefined;
  // What never started (no memory, a line of arguments that is too long) has streams that nobody reads and that never end.
  const feeding = input === undefined || !started ? undefined : feed(subprocess.stdin, input);
  const result = await subprocess;
  // A program that is gone reads no more: whatever still waits to be written must not keep files open.
  subprocess.stdin?.destroy();
  const inputError = (await feeding) ?? extraErrors[0];
  return {
    pid: subprocess.pid,
    ...(result.exitCode !== undefined && { exitCode: result.exitCode }),
    ...(result.signal !== undefined && { signal: result.signal }),
    ...(!started && { startError: messageOf(result.cause ?? result) }),
    ...(started && inputError !== undefined && { inputError }),
    stdoutTail: stdout(),
    stderrTail: stderr(),
    durationMs: result.durationMs,
  };
}

function beModest(pid: number | undefined, niceness: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch (error) {
    // It has ended already, or this system does not let us: neither changes what the program does.
    const code = systemCodeOf(error);
    if (code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}

/** Resolves with what went wrong on our side of the pipe. */
async function feed(
  stdin: NodeJS.WritableStream | null | undefined,
  input: string | AsyncIterable<Uint8Array>,
): Promise<unknown> {
  if (stdin === null || stdin === undefined) return undefined;
  try {
    await pipeline(typeof input === 'string' ? Readable.from([input]) : input, stdin);
    return undefined;
  } catch (error) {
    const code = systemCodeOf(error);
    // The reader closed its end: its exit code tells why.
    if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    if (code === 'ERR_STREAM_DESTROYED') return undefined;
    return error;
  }
}

/** The input up to where it fails. The program sees its end there; why it ended is for us alone. */
async function* untilItFails(
  input: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* input;
  } catch (error) {
    onError(error);
  }
}

function tailOf(
  stream: Readable | null | undefined,
  options: { readonly characters: number; readonly onText?: (text: string) => void },
): () => string {
  const { characters, onText } = options;
  let tail = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    onText?.(text);
    tail += text;
    // Cut at twice the length, so that each character is moved once on average.
    if (tail.length > 2 * characters) tail = tail.slice(-characters);
  });
  return () => tail.slice(-characters);
}
