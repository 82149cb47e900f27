import type { Clock } from '../core/clock.ts';
import { pause } from '../core/clock.ts';
import { systemCodeOf } from '../core/errors.ts';
import { groupMembers, pidAlive, signalReaches } from './procfs.ts';

/** One rung: a signal for the whole group, and how long to wait for the group to become empty, milliseconds. */
export interface Rung {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  readonly waitMs: number;
}

/** For something that has shown that it does not listen. */
export const AT_ONCE: readonly Rung[] = [{ signal: 'SIGKILL', waitMs: 5_000 }];

/** How often to look whether the group is empty, milliseconds: short beside any rung, cheap as one `kill(2)`. */
const LOOK_EVERY_MS = 20;

export interface KillLadderOptions {
  /** The leader of the process group, which gives the group its number. */
  readonly pid: number;
  /** When the leader started (`startTicksOf`); keeps a reused pid from being signalled. */
  readonly startTicks?: number | undefined;
  readonly rungs: readonly Rung[];
  readonly clock: Clock;
}

/** Another process has the leader's number now, so the old group has no members: Linux does not reuse a group's number. */
function isReused(pid: number, startTicks: number | undefined): boolean {
  return startTicks !== undefined && pidAlive(pid) && !pidAlive(pid, startTicks);
}

/** Whether nothing lives in the process group. Zombies that nobody has reaped yet do not count as living. */
export async function groupIsEmpty(pid: number, startTicks?: number): Promise<boolean> {
  if (!signalReaches(-pid) || isReused(pid, startTicks)) return true;
  if (process.platform !== 'linux') return false;
  return (await groupMembers(pid)).length === 0;
}

function signalGroup(pid: number, signal: Rung['signal']): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: nobody is left to hear it, which the caller is about to verify.
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

/**
 * Ends a process group, rung by rung, and resolves once it is known whether anything is left. False: the group still has
 * living members after the last rung (a process in uninterruptible sleep can outlive SIGKILL for a while).
 */
export async function killLadder(options: KillLadderOptions): Promise<boolean> {
  const { pid, startTicks, rungs, clock } = options;
  for (const { signal, waitMs } of rungs) {
    if (await groupIsEmpty(pid, startTicks)) return true;
    signalGroup(pid, signal);
    const since = clock.elapsed();
    while (clock.elapsed() - since < waitMs) {
      await pause(clock, LOOK_EVERY_MS);
      if (await groupIsEmpty(pid, startTicks)) return true;
    }
  }
  return await groupIsEmpty(pid, startTicks);
}
