import type { Verdict } from './goals.ts';
import type { Measurement } from './measurement.ts';

/** A figure, and how it is told. Where it says `isRatio`, a further line tells how many times the floor the tree costs. */
interface Column {
  readonly title: string;
  readonly figure: Exclude<keyof Measurement, 'watcher' | 'commits'>;
  readonly digits: number;
  readonly isRatio: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'jobs', figure: 'jobs', digits: 0, isRatio: false },
  { title: 'heartbeat ms', figure: 'heartbeatMs', digits: 0, isRatio: false },
  { title: 'spawn µs CPU/job', figure: 'spawnCpuUs', digits: 0, isRatio: true },
  { title: 'heap KB/job', figure: 'heapKb', digits: 1, isRatio: true },
  { title: 'steady % core', figure: 'steadyCpuPercent', digits: 1, isRatio: true },
  { title: 'loop p50 ms', figure: 'loopP50Ms', digits: 1, isRatio: false },
  { title: 'p99 ms', figure: 'loopP99Ms', digits: 1, isRatio: false },
  { title: 'storm ms CPU/job', figure: 'stormCpuMs', digits: 3, isRatio: true },
  { title: 'on main', figure: 'stormMainCpuMs', digits: 3, isRatio: true },
  { title: 'wall ms', figure: 'stormWallMs', digits: 0, isRatio: true },
  { title: 'stall ms', figure: 'stormStallMs', digits: 0, isRatio: false },
];

/** One line for each configuration, and beneath each tree's its ratios to the floor. */
export function table(measurements: readonly Measurement[]): string {
  const rows = measurements.flatMap((measurement) => {
    const floor = floorOf(measurement, measurements);
    return floor ? [figures(measurement), ratios(measurement, floor)] : [figures(measurement)];
  });
  return aligned([['watcher', ...COLUMNS.map(({ title }) => title)], ...rows]);
}

const floorOf = ({ watcher, jobs, heartbeatMs }: Measurement, others: readonly Measurement[]) =>
  watcher === 'tree'
    ? others.find(
        (other) =>
          other.watcher === 'plain' && other.jobs === jobs && other.heartbeatMs === heartbeatMs,
      )
    : undefined;

const figures = (measurement: Measurement): readonly string[] => [
  measurement.watcher,
  ...COLUMNS.map(({ figure, digits }) => measurement[figure].toFixed(digits)),
];

const ratios = (tree: Measurement, floor: Measurement): readonly string[] => [
  '  tree/plain',
  ...COLUMNS.map(({ figure, isRatio }) =>
    isRatio ? `×${(tree[figure] / floor[figure]).toFixed(1)}` : '',
  ),
];

function aligned(rows: readonly (readonly string[])[]): string {
  const widthAt = (at: number) => Math.max(...rows.map((row) => row[at]?.length ?? 0));
  const widths = Array.from({ length: COLUMNS.length + 1 }, (_, at) => widthAt(at));
  const padded = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  const line = (row: readonly string[]) => row.map(padded).join('  ').trimEnd();
  return rows.map(line).join('\n');
}

export const verdictLine = ({ goal, isMet, best, worst }: Verdict): string => {
  const figure = (value: number) => value.toFixed(worst < 1 ? 3 : 1);
  return `${isMet ? 'met    ' : 'NOT MET'}  ${goal} (${figure(best)} to ${figure(worst)})`;
};
