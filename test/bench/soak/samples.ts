import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One look at a process from outside. */
export interface Sample {
  /** Milliseconds since the recordings began. */
  readonly atMs: number;
  readonly pid: number;
  readonly role: 'supervisor' | 'host';
  readonly rssBytes: number;
  /** Open ones, without the embedded database's files, of which it keeps as many open as it likes, up to a limit. */
  readonly descriptors: number;
}

/** Undefined for a process that is gone. */
export function look(who: Pick<Sample, 'pid' | 'role' | 'atMs'>): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${who.pid}/status`, 'utf8');
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? [];
    const descriptors = descriptorsOf(who.pid).filter((target) => !DATABASE.test(target)).length;
    return kilobytes === undefined
      ? undefined
      : { ...who, rssBytes: Number(kilobytes) * 1_024, descriptors };
  } catch {
    return undefined;
  }
}

const DATABASE = /\/pgdata\//;

/** What a process has open: paths, and things such as `socket:[123]`. */
const descriptorsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return []; // it was just closed
    }
  });

/** A straight line through samples of one process. */
export interface Trend {
  readonly perHour: number;
  /** Standard error of `perHour`, as if samples were independent. */
  readonly error: number;
  readonly samples: number;
}

/**
 * Least squares.
 *
 * @param points hours and values
 */
export function trendOf(points: readonly (readonly [hours: number, value: number])[]): Trend {
  const count = points.length;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / count;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { perHour: slope, error: Math.sqrt(rest / (count - 2) / spread), samples: count };
}
