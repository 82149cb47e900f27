import type { ProcessStat } from './procfs.ts';

/** What stands around a program and only waits for it. None of them hands a signal on. */
const WRAPPERS: ReadonlySet<string> = new Set(['bwrap', 'nsenter', 'setpriv', 'prlimit']);

/** A tree of processes, told apart into what is around the program, the program, and what that has started. */
export interface ProgramParties {
  /** Undefined while the wrappers have not started it yet, and once it is gone. */
  readonly program?: ProcessStat;
  /** The program and all that it started; without the wrappers. */
  readonly inside: readonly ProcessStat[];
}

/** `leader`: what was spawned; the program itself, or the outermost wrapper. */
export function programParties(processes: readonly ProcessStat[], leader: number): ProgramParties {
  const wrappers = new Set<number>();
  let program = processes.find(({ pid }) => pid === leader);
  while (program !== undefined && WRAPPERS.has(program.name)) {
    const { pid } = program;
    wrappers.add(pid);
    // A wrapper that is the first of its pid namespace also gets orphans: the program is the oldest.
    const children = processes.filter(({ parent }) => parent === pid);
    [program] = children.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
  }
  const inside = processes.filter(({ pid }) => !wrappers.has(pid));
  return { ...(program !== undefined && { program }), inside };
}

/** Whether every process of it is stopped (SIGSTOP, a debugger). */
export const isFrozen = ({ inside }: ProgramParties): boolean =>
  inside.length > 0 && inside.every(({ state }) => state === 'T' || state === 't');
