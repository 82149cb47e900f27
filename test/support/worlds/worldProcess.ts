import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** How much of what a server says is kept, characters: enough to see why it failed. */
const TAIL_CHARACTERS = 4_000;
/** Between the polite signal and the other one, milliseconds. */
const GRACE_MS = 2_000;

export interface WorldProcessOptions {
  /** Resolves `ready` when it stands in what the program prints (both outputs). Absent: at once. */
  readonly readyWhen?: RegExp;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What is piped into it, for as long as it lives. */
  readonly input?: Readable;
}

/** One real program of a world: a server or a publisher. */
export interface WorldProcess {
  readonly child: ChildProcess;
  /** Rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  /** The end of what it said. */
  tail(): string;
  /** Ends it and waits until it is gone. Default: SIGTERM, and SIGKILL when that is not enough. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts it; it dies with this process. */
export function startWorldProcess(
  file: string,
  args: readonly string[],
  { readyWhen, cwd, environment, input }: WorldProcessOptions = {},
): WorldProcess {
  const child = spawn(file, args, {
    cwd,
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  if (input && child.stdin) {
    // The reader may die first; that is its own news.
    child.stdin.on('error', () => {});
    input.pipe(child.stdin);
  }
  let said = '';
  let isOver = false;
  const dieWithUs = () => void child.kill('SIGKILL');
  process.once('exit', dieWithUs);
  const ended = new Promise<void>((resolve) => {
    const over = () => {
      isOver = true;
      process.removeListener('exit', dieWithUs);
      resolve();
    };
    child.once('close', over);
    child.once('error', (error) => {
      said += `\n${error.message}`;
      over();
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    if (readyWhen === undefined) resolve();
    const hear = (text: string) => {
      said = (said + text).slice(-TAIL_CHARACTERS);
      if (readyWhen?.test(said)) resolve();
    };
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    void ended.then(() => reject(new Error(`${file} ended before it was ready: ${said}`)));
  });
  // Whoever does not ask whether it is ready sees what it serves.
  ready.catch(() => {});
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (isOver) return;
    child.kill(signal);
    const harder = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(harder);
  };
  return { child, ready, ended, tail: () => said, end };
}
