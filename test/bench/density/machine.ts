import { readFileSync, statfsSync } from 'node:fs';
import { loadavg } from 'node:os';

/** How busy the whole machine was. */
export interface Busyness {
  /** Of all cores, percent: above 90 the figures are those of the machine, not of a recorder. */
  readonly busyPercent: number;
  readonly loadAverage: number;
}

/** Returns a function that tells how busy the machine was since then. */
export function watchMachine(): () => Busyness {
  const before = times();
  return () => {
    const after = times();
    const idle = after.idle - before.idle;
    const [loadAverage = 0] = loadavg();
    return { busyPercent: 100 * (1 - idle / (after.all - before.all)), loadAverage };
  };
}

/** Of proc(5): ticks of all cores together; the fourth and fifth field are idle and waiting for a disk. */
function times(): { readonly idle: number; readonly all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, one) => sum + one, 0) };
}

/** Free space and the kind of file system of a directory. */
export function diskOf(directory: string): { readonly kind: string; readonly freeBytes: number } {
  const { bavail, bsize } = statfsSync(directory);
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, place = ' ']) => `${directory}/`.startsWith(place === '/' ? '/' : `${place}/`))
    .sort(([, one = ''], [, other = '']) => other.length - one.length);
  return { kind: mounts[0]?.[2] ?? 'unknown', freeBytes: bavail * bsize };
}
