import type { ProcessStat } from './procfs.ts';

/**
 * The program and all that it started, out of a tree of processes; without what stands around the program and only waits for it.
 * `program`: its pid; undefined while it is not there yet, or gone: then nobody is told from what is around.
 */
export function insideOf(
  processes: readonly ProcessStat[],
  program: number | undefined,
): readonly ProcessStat[] {
  if (program === undefined) return [];
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const around = new Set<number>();
  for (
    let pid = parents.get(program);
    pid !== undefined && parents.has(pid) && !around.has(pid);
    pid = parents.get(pid)
  ) {
    around.add(pid);
  }
  return processes.filter(({ pid }) => !around.has(pid));
}

/** Whether every process of it is stopped (SIGSTOP, a debugger). */
export const isFrozen = (inside: readonly ProcessStat[]): boolean =>
  inside.length > 0 && inside.every(({ state }) => state === 'T' || state === 't');
