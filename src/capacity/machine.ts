import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { cgroupLimits } from './cgroup.ts';

/** What the machine, or the container that Kennel is in, has to give. */
export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
  /** Whether these are a limit of the container's own, which nobody else takes from. */
  readonly isOwn: { readonly cores: boolean; readonly memory: boolean };
  /** Of the fastest network interface that tells its speed, bytes a second; absent: none tells (virtual machines). */
  readonly networkBytesPerSecond?: number;
  /** Files and sockets that one process may have open. */
  readonly descriptors: number;
}

/** What Linux gives a process when nobody says otherwise. */
const DESCRIPTORS_DEFAULT = 1024;

export function readMachine(): Machine {
  const limits = cgroupLimits();
  const { cores = Number.POSITIVE_INFINITY, memoryBytes = Number.POSITIVE_INFINITY } = limits;
  const network = networkBytesPerSecond();
  return {
    cores: Math.min(cores, availableParallelism()),
    memoryBytes: Math.min(memoryBytes, totalmem()),
    isOwn: { cores: limits.cores !== undefined, memory: limits.memoryBytes !== undefined },
    descriptors: descriptorsMax(),
    ...(network !== undefined && { networkBytesPerSecond: network }),
  };
}

/** `speed` is in Mb/s, and -1 or unreadable where there is no such thing. */
function networkBytesPerSecond(directory = '/sys/class/net'): number | undefined {
  const speeds = namesIn(directory)
    .filter((name) => name !== 'lo')
    .map((name) => Number(textOf(`${directory}/${name}/speed`)))
    .filter((megabits) => megabits > 0);
  return speeds.length > 0 ? (Math.max(...speeds) * 1_000_000) / 8 : undefined;
}

function descriptorsMax(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(textOf('/proc/self/limits')) ?? [];
  return soft === undefined ? DESCRIPTORS_DEFAULT : Number(soft);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
