import { readFileSync } from 'node:fs';
import type { MeasuredCost } from '../core/jobCost.ts';
import type { Machine } from './machine.ts';

/** Clock ticks of all cores since boot, `/proc/stat`. */
interface Ticks {
  readonly busy: number;
  readonly all: number;
}

/** What others than Kennel take of the machine. */
export interface OtherUse {
  /** Cores. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly ticks?: Ticks;
}

/** How fast the estimate follows: neighbours come in bursts, and a burst is no reason to refuse a recording of hours. */
const WEIGHT = 0.1;

/**
 * Cores and memory that others use, smoothed: what the machine is busy with, less what Kennel takes. In a container with limits of
 * its own others do not count: what is given to it, it has.
 */
export function otherUse(machine: Machine, own: MeasuredCost, before: OtherUse): OtherUse {
  const { isOwn } = machine;
  const ticks = readTicks();
  const smoothed = (now: number, was: number) => was + (Math.max(0, now) - was) * WEIGHT;
  const busyCores = coresBusy(before.ticks, ticks, machine.cores);
  return {
    cpu: isOwn.cores || busyCores === undefined ? 0 : smoothed(busyCores - own.cpu, before.cpu),
    memoryBytes: isOwn.memory
      ? 0
      : smoothed(memoryUsedBytes() - own.memoryBytes, before.memoryBytes),
    ...(ticks && { ticks }),
  };
}

function coresBusy(before: Ticks | undefined, now: Ticks | undefined, cores: number) {
  if (before === undefined || now === undefined || now.all <= before.all) return undefined;
  return ((now.busy - before.busy) / (now.all - before.all)) * cores;
}

function readTicks(): Ticks | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
    const numbers = line.split(/\s+/).slice(1).map(Number);
    const all = numbers.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
    // Fields 4 and 5 of proc(5): idle, and idle while waiting for a disk.
    const idle = (numbers[3] ?? 0) + (numbers[4] ?? 0);
    return { busy: all - idle, all };
  } catch {
    return undefined;
  }
}

function memoryUsedBytes(): number {
  try {
    const text = readFileSync('/proc/meminfo', 'latin1');
    const kilobytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    return (kilobytes('MemTotal') - kilobytes('MemAvailable')) * 1024;
  } catch {
    return 0;
  }
}
