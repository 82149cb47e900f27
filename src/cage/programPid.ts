import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { childrenOf } from '../process/procfs.ts';

/** Programs that only lead to the caged one. */
const WRAPPERS = new Set(['bwrap', 'nsenter', 'setpriv', 'prlimit']);

/** bubblewrap's two processes and the program, and two to spare. */
const DEPTH_MAX = 5;

/**
 * The pid, as seen here, of the program that was started by a `CagedCommand`; `outerPid` is the process that was started.
 * Undefined when the program has not started yet, or is gone.
 */
export async function programPidOf(outerPid: number): Promise<number | undefined> {
  let pid: number | undefined = outerPid;
  for (let depth = 0; depth < DEPTH_MAX && pid !== undefined; depth++) {
    if (!isWrapper(pid)) return pid;
    // The oldest: what a program leaves behind becomes a younger child of the cage's first process.
    pid = (await livingChildren(pid))[0];
  }
  return undefined;
}

/** By its file, which a program cannot choose as it can its name. */
function isWrapper(pid: number): boolean {
  try {
    return WRAPPERS.has(basename(readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    // Gone, or a zombie: it has no children either, so it leads nowhere.
    return true;
  }
}

/** In the order in which they became children. */
async function livingChildren(pid: number): Promise<number[]> {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    // The process is gone, or the kernel was built without this file (CONFIG_PROC_CHILDREN).
    return (await childrenOf(pid)).toSorted((a, b) => a - b);
  }
}
