import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventSchema, type KennelEvent } from '../../src/jobs/events.ts';
import { ledgerOf } from '../../src/jobs/recordings.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { copyDatabase } from './database.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the real command line, in a process of its own. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Resolves once the text stands in standard error; rejects when the run ends first. */
  saw(text: string | RegExp): Promise<void>;
  /** All that it has printed so far. */
  said(): string;
}

/**
 * A place of its own for one test: data directory, output directory, and the command line to use them.
 *
 * @param options.isNew begin without a database, as a new user does
 */
export function kennelHome({ isNew = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-e2e-'));
  const dataDir = join(directory, 'data');
  if (!isNew) copyDatabase(dataDir);

  const start = (args: readonly string[], env: Record<string, string> = {}): Running => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: directory,
        KENNEL_DATA_DIR: dataDir,
        ...env,
      },
    });
    return follow(child);
  };

  /** The process ids of the living recorder hosts. */
  const hostPids = (): number[] =>
    globSync(join(dataDir, 'run', '*.json')).flatMap((file) => {
      try {
        return [Number(JSON.parse(readFileSync(file, 'utf8')).pid)];
      } catch {
        return []; // it is being written, or was just removed
      }
    });

  /** Every process that has this home in its environment or arguments. */
  const processes = (): number[] =>
    globSync('/proc/[0-9]*/cmdline')
      .filter(
        (file) =>
          mentions(file, directory) || mentions(file.replace('cmdline', 'environ'), directory),
      )
      .map((file) => Number(file.split('/')[2]))
      .filter((pid) => pid !== process.pid);

  const recordings = (): string[] => globSync(join(dataDir, 'recordings', '*'));
  const ledger = (): Promise<Ledger> => ledgerOf(recordings()[0] ?? '');

  return {
    directory,
    dataDir,
    start,
    run: (args: readonly string[], env?: Record<string, string>) => start(args, env).ended,
    hostPids,
    processes,
    recordings,
    ledger,
    file: (name: string) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
export type KennelHome = ReturnType<typeof kennelHome>;

function follow(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  let over = false;
  const watchers = new Set<() => void>();
  const woken = () => {
    for (const watch of watchers) watch();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    woken();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    woken();
  });
  const ended = new Promise<Ran>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      woken();
      resolve({ code, signal, stdout, stderr });
    });
  });
  const saw = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        const all = `${stdout}\n${stderr}`;
        const isThere = typeof text === 'string' ? all.includes(text) : text.test(all);
        if (!isThere && !over) return;
        watchers.delete(look);
        if (isThere) resolve();
        else reject(new Error(`it ended without saying ${text}:\n${all}`));
      };
      watchers.add(look);
      look();
    });
  return { child, ended, saw, said: () => `${stderr}${stdout}` };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function mentions(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(text);
  } catch {
    return false;
  }
}

/** The events that `--json` printed, each checked against the published schema. */
export const eventsOf = (stdout: string): KennelEvent[] =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => eventSchema.parse(JSON.parse(line)));

/** Polls for what no event tells: that a process or file is there or gone. */
export async function until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
