import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { systemCodeOf } from '../core/errors.ts';

/**
 * What `/proc` knows about processes (Linux, proc(5)). Elsewhere every question but `pidAlive` has an empty answer, and
 * `pidAlive` cannot tell a reused pid from the old one.
 */
export interface ProcessStat {
  readonly pid: number;
  /** Of its program, cut at 15 characters. */
  readonly name: string;
  /** One letter; `Z` and `X` are dead, whether or not somebody has reaped them. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** When it started, in clock ticks since boot: with the pid it names a process for as long as the machine is up. */
  readonly startTicks: number;
  /** CPU time that it has used itself, clock ticks. */
  readonly cpuTicks: number;
  /** CPU time of those of its children, and theirs, that have ended and were waited for, clock ticks. */
  readonly childTicks: number;
  /** How many it has, itself included. */
  readonly threads: number;
}

/** A clock tick of `/proc`, milliseconds: USER_HZ is 100 on every Linux that Node runs on. */
export const TICK_MS = 10;

/** The command's name may hold spaces and brackets, so the fields are counted from the last closing bracket. */
function parseStat(pid: number, text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  // Field 22 of proc(5); the state is field 3.
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isFinite(startTicks)) return undefined;
  const ticks = (index: number) => Number(fields[index] ?? 0);
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    state,
    parent: Number(parent),
    group: Number(group),
    startTicks,
    cpuTicks: ticks(11) + ticks(12),
    childTicks: ticks(13) + ticks(14),
    threads: Number(fields[17] ?? 1),
  };
}

/** What is known of a process, a zombie included; undefined when it is gone or the platform does not tell. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // The process is gone, or there is no /proc: both mean that nothing is known.
    return undefined;
  }
}

/** Zombies are dead, whether or not somebody has reaped them. */
export const isDead = (stat: ProcessStat): boolean => stat.state === 'Z' || stat.state === 'X';

/** Whether a signal could be sent to this pid; a negative pid asks for its process group. Zombies count. */
export function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return systemCodeOf(error) === 'EPERM';
  }
}

/** When the process started, in clock ticks since boot; undefined when it is gone or the platform does not tell. */
export const startTicksOf = (pid: number): number | undefined => statOf(pid)?.startTicks;

/** Whether the process runs, and is the one that started at `startTicks` when that is known. Zombies are dead. */
export function pidAlive(pid: number, startTicks?: number): boolean {
  if (!signalReaches(pid)) return false;
  const stat = statOf(pid);
  if (stat === undefined) return process.platform !== 'linux';
  return !isDead(stat) && (startTicks === undefined || stat.startTicks === startTicks);
}

/** All living processes of the machine, as far as it shows them. */
export async function allProcesses(): Promise<ProcessStat[]> {
  if (process.platform !== 'linux') return [];
  const stats: ProcessStat[] = [];
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined && !isDead(stat)) stats.push(stat);
  }
  return stats;
}

/** The pids of the living children of a process. */
export const childrenOf = async (pid: number): Promise<number[]> =>
  (await allProcesses()).filter((stat) => stat.parent === pid).map((stat) => stat.pid);

/** The pids of the living members of a process group. */
export const groupMembers = async (group: number): Promise<number[]> =>
  (await allProcesses()).filter((stat) => stat.group === group).map((stat) => stat.pid);

/** The pids of the living processes of this user whose environment held `name=value` when they were started. */
export async function processesWithEnvironment(name: string, value: string): Promise<number[]> {
  const marker = Buffer.from(`\0${name}=${value}\0`);
  const pids: number[] = [];
  for (const { pid } of await allProcesses()) {
    try {
      const environment = await readFile(`/proc/${pid}/environ`);
      if (Buffer.concat([Buffer.of(0), environment]).includes(marker)) pids.push(pid);
    } catch {
      // Gone meanwhile, or another user's: not ours to find.
    }
  }
  return pids;
}
