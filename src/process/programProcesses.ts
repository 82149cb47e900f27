import { type Clock, pause } from '../core/clock.ts';
import { systemCodeOf } from '../core/errors.ts';
import { ProcessTree, type TreeLook } from './processTree.ts';
import { groupMembers, isDead, processesWithEnvironment, statOf } from './procfs.ts';

/** How often to look whether they are gone, milliseconds: the processes of a group die within one after SIGKILL. */
const LOOK_EVERY_MS = 20;

/** The variable in the environment of everything that runs for a job. */
export const JOB_VARIABLE = 'KENNEL_JOB';

/**
 * Everything that one program brought into the world: its process group, its descendants, and whoever carries its job's mark in the
 * environment, which finds those that left the group and lost their parents.
 */
export class ProgramProcesses {
  readonly #leader: number;
  readonly #startTicks: number | undefined;
  readonly #jobId: string;
  readonly #tree: ProcessTree;

  /** `leader`: just started, and not waited for yet. It leads a process group. */
  constructor(leader: number, jobId: string) {
    this.#leader = leader;
    this.#startTicks = statOf(leader)?.startTicks;
    this.#jobId = jobId;
    this.#tree = new ProcessTree(leader);
  }

  async look(): Promise<TreeLook> {
    return await this.#tree.look();
  }

  /** All that live, found in every way there is. It reads the environment of all processes of the machine: not for every second. */
  async living(): Promise<number[]> {
    const { processes } = await this.#tree.look();
    const group = this.#isReused() ? [] : await groupMembers(this.#leader);
    const marked = await processesWithEnvironment(JOB_VARIABLE, this.#jobId);
    const all = new Set([...processes.map(({ pid }) => pid), ...group, ...marked]);
    all.delete(process.pid);
    return [...all];
  }

  /** SIGKILL to all of them, again and again until nothing is left. Resolves with what outlived `withinMs`. */
  async endAll(clock: Clock, withinMs: number): Promise<readonly number[]> {
    const since = clock.elapsed();
    for (;;) {
      const living = await this.living();
      if (living.length === 0) return living;
      for (const pid of living) sendSignal(pid, 'SIGKILL');
      if (clock.elapsed() - since >= withinMs) return living;
      await pause(clock, LOOK_EVERY_MS);
    }
  }

  /** Another process has the leader's number: its group is not ours. */
  #isReused(): boolean {
    const now = statOf(this.#leader);
    return now !== undefined && !isDead(now) && now.startTicks !== this.#startTicks;
  }
}

/** Ends what an earlier life left running for a job. Resolves with how many there were, within `withinMs` or so. */
export async function endMarked(
  jobId: string,
  { clock, withinMs }: { clock: Clock; withinMs: number },
): Promise<number> {
  const since = clock.elapsed();
  const found = new Set<number>();
  for (;;) {
    const marked = await processesWithEnvironment(JOB_VARIABLE, jobId);
    const living = marked.filter((pid) => pid !== process.pid);
    for (const pid of living) {
      found.add(pid);
      sendSignal(pid, 'SIGKILL');
    }
    if (living.length === 0 || clock.elapsed() - since >= withinMs) return found.size;
    await pause(clock, LOOK_EVERY_MS);
  }
}

/** Sends a signal to a process that may be gone, or somebody else's by now. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
