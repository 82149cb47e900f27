import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended, Subject, Taken } from '../record/subject.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface ProgramSubjectOptions {
  readonly name: string;
  /** Its own, and removed with it. */
  readonly directory: string;
  /** What to run, each in a process of its own. */
  commands(directory: string): readonly Command[];
  taken(): Promise<Taken>;
}

/** A recorder that is a program: as many processes as there are streams, unless it takes several. */
export function programSubject(options: ProgramSubjectOptions): Subject {
  const { name, taken } = options;
  const directory = join(options.directory, name);
  mkdirSync(directory, { recursive: true });
  const children = options.commands(directory).map(({ file, args }) =>
    spawn(file, args, {
      cwd: directory,
      stdio: 'ignore',
      // A group of its own: yt-dlp that is killed leaves its ffmpeg behind.
      detached: true,
      env: { PATH: process.env['PATH'] ?? '', HOME: directory },
    }),
  );
  const exits = children.map(exitOf);
  const roots = children.flatMap(({ pid }) => pid ?? []);
  const signal = (which: NodeJS.Signals) => {
    for (const pid of roots) killGroup(pid, which);
  };
  return {
    name,
    parts: [{ name, role: 'whole', pids: (table) => table.treesOf(roots) }],
    taken,
    stop: () => signal('SIGINT'),
    ended: Promise.all(exits).then((codes): Ended => {
      const counts = Map.groupBy(codes, String);
      const said = [...counts].map(([code, { length }]) => `${length} × ${code}`).join(', ');
      return { exitCode: codes[0] ?? null, said: `exit codes ${said}` };
    }),
    remove: () => {
      signal('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended already.
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
