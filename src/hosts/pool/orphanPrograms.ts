import { readFile } from 'node:fs/promises';
import { type Clock, pause } from '../../core/clock.ts';
import { systemCodeOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { AT_ONCE, killLadder } from '../../process/killLadder.ts';
import { pidAlive, processesWithEnvironment, statOf } from '../../process/procfs.ts';
import { JOB_VARIABLE } from '../../process/programProcesses.ts';
import { HOST_MARKER, PROGRAM_MARKER } from '../host/hostIdentity.ts';

/**
 * How often one looks again after what was found has been killed: what was forked meanwhile is found by the next look, and what
 * forks faster than it can be killed is stopped by the cage's limit of processes.
 */
const ROUNDS_MAX = 10;
/** Before looking again, milliseconds: the processes of a killed group are gone within a few. */
const LOOK_AGAIN_MS = 20;

export interface OrphanHunt {
  /** The node's run directory, resolved. */
  readonly node: string;
  /** Whether the programs of this host are orphans. */
  isGone(hostId: string): boolean;
  readonly clock: Clock;
  readonly log: Log;
}

interface Orphan {
  readonly pid: number;
  readonly startTicks: number;
  readonly group: number;
  readonly hostId: string;
  readonly jobId: string;
}

/**
 * Ends the programs of this node whose hosts are gone, wherever they went: by what is written in their environment. Their output
 * has no reader any more, so nothing is lost by SIGKILL. Resolves with how many processes there were once nothing of them is
 * left, or when they have SIGKILL pending and do not go: such a process sleeps in the kernel and never runs its own code again.
 */
export async function endOrphanPrograms(hunt: OrphanHunt): Promise<number> {
  const { clock, log } = hunt;
  const ended = new Set<number>();
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const orphans = await orphansOf(hunt);
    if (orphans.length === 0) return ended.size;
    for (const { pid, jobId, hostId } of orphans) {
      if (!ended.has(pid))
        log('warn', 'A program of a dead host is killed.', { pid, jobId, hostId });
      ended.add(pid);
    }
    await Promise.all(
      groupsOf(orphans).map((group) => killLadder({ pid: group, rungs: AT_ONCE, clock })),
    );
    for (const orphan of orphans) endStraggler(orphan);
    await pause(clock, LOOK_AGAIN_MS);
  }
  const left = (await orphansOf(hunt)).map(({ pid }) => pid);
  if (left.length > 0) log('error', 'Programs of a dead host outlive SIGKILL.', { pids: left });
  return ended.size;
}

async function orphansOf({ node, isGone }: OrphanHunt): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  for (const pid of await processesWithEnvironment(PROGRAM_MARKER, node)) {
    const stat = statOf(pid);
    const environment = await environmentOf(pid);
    const hostId = environment.get(HOST_MARKER) ?? '';
    // Asked for again: it may have gone, or become another program, between the two looks.
    const isOurs = environment.get(PROGRAM_MARKER) === node && pid !== process.pid;
    if (stat === undefined || !isOurs || !isGone(hostId)) continue;
    const jobId = environment.get(JOB_VARIABLE) ?? '';
    orphans.push({ pid, startTicks: stat.startTicks, group: stat.group, hostId, jobId });
  }
  return orphans;
}

/**
 * The groups that may be killed as a whole: those whose leader is an orphan itself, or is gone. A group that somebody else leads
 * is his.
 */
function groupsOf(orphans: readonly Orphan[]): number[] {
  const pids = new Set(orphans.map(({ pid }) => pid));
  const groups = new Set(orphans.map(({ group }) => group));
  const own = statOf(process.pid)?.group;
  return [...groups].filter((group) => group !== own && (pids.has(group) || !pidAlive(group)));
}

/** Whoever was not in a group that could be killed. */
function endStraggler({ pid, startTicks }: Orphan): void {
  if (!pidAlive(pid, startTicks)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It went meanwhile.
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

/** The environment with which a process was started; empty when it is gone. */
async function environmentOf(pid: number): Promise<ReadonlyMap<string, string>> {
  try {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8');
    const entries = text.split('\0').map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)] as const;
    });
    return new Map(entries);
  } catch {
    // Gone meanwhile.
    return new Map();
  }
}
