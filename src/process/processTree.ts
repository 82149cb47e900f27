import { readdirSync, readFileSync } from 'node:fs';
import { allProcesses, isDead, type ProcessStat, statOf, TICK_MS } from './procfs.ts';

/** What a program and all that it started look like at one moment. */
export interface TreeLook {
  /** Those that live, the leader first. */
  readonly processes: readonly ProcessStat[];
  /** CPU time that all of them have used, with what those that are gone had used, milliseconds. It only grows. */
  readonly cpuMs: number;
  /** Resident memory of those that live, bytes; pages that they share are counted for each. */
  readonly residentBytes: number;
}

/**
 * A process and its descendants (Linux; elsewhere nothing is seen). Whoever was seen once is remembered: a process that has lost its
 * parent belongs to it still. One look costs some reads for each process of the tree, whatever else runs on the machine.
 */
export class ProcessTree {
  readonly #leader: ProcessStat | undefined;
  #members = new Map<number, ProcessStat>();
  #goneTicks = 0;
  #cpuTicks = 0;

  constructor(leader: number) {
    this.#leader = statOf(leader);
  }

  async look(): Promise<TreeLook> {
    const processes = await this.#living();
    const living = new Map(processes.map((process) => [process.pid, process]));
    for (const [pid, { startTicks, cpuTicks }] of this.#members) {
      if (living.get(pid)?.startTicks !== startTicks) this.#goneTicks += cpuTicks;
    }
    this.#members = living;
    const own = sum(processes.map(({ cpuTicks }) => cpuTicks));
    const reaped = sum(processes.map(({ childTicks }) => childTicks));
    // Either misses something: the first those who lived and died between two looks, the second those whom nobody waited for.
    this.#cpuTicks = Math.max(this.#cpuTicks, this.#goneTicks + own, own + reaped);
    return {
      processes,
      cpuMs: this.#cpuTicks * TICK_MS,
      residentBytes: sum(processes.map(({ pid }) => residentBytesOf(pid))),
    };
  }

  async #living(): Promise<ProcessStat[]> {
    const known = this.#leader === undefined ? [] : [this.#leader, ...this.#members.values()];
    const seen = new Set<number>();
    const living: ProcessStat[] = [];
    const waiting: ProcessStat[] = [];
    const meet = (stat: ProcessStat | undefined) => {
      if (stat === undefined || isDead(stat) || seen.has(stat.pid)) return;
      seen.add(stat.pid);
      living.push(stat);
      waiting.push(stat);
    };
    for (const { pid, startTicks } of known) {
      const stat = statOf(pid);
      if (stat?.startTicks === startTicks) meet(stat);
    }
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const pid of await childrenOf(next.pid)) meet(statOf(pid));
    }
    return living;
  }
}

/** Each thread has a list of the children that it made. Kernels without these lists are searched for the parent's number. */
async function childrenOf(pid: number): Promise<number[]> {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
        .split(' ')
        .filter((child) => child !== '')
        .map(Number),
    );
  } catch {
    return (await allProcesses()).filter(({ parent }) => parent === pid).map((stat) => stat.pid);
  }
}

/** From `status`, which says it in kB and not in pages of a size that nobody tells. */
function residentBytesOf(pid: number): number {
  try {
    const [, kilobytes] =
      /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
