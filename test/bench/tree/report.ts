import type { Verdict } from './goals.ts';
import type { Measurement } from './measurement.ts';

interface Column {
  readonly title: string;
  cell(measurement: Measurement): string;
}

const COLUMNS: readonly Column[] = [
  { title: 'watcher', cell: ({ watcher }) => watcher },
  { title: 'jobs', cell: ({ jobs }) => jobs.toLocaleString('en') },
  { title: 'heartbeat s', cell: ({ heartbeatMs }) => String(heartbeatMs / 1000) },
  { title: 'spawn µs CPU/job', cell: ({ spawnCpuUs }) => spawnCpuUs.toFixed(0) },
  { title: 'heap KB/job', cell: ({ heapKb }) => heapKb.toFixed(1) },
  { title: 'steady % core', cell: ({ steadyCpuPercent }) => steadyCpuPercent.toFixed(1) },
  { title: 'loop p50 ms', cell: ({ loopP50Ms }) => loopP50Ms.toFixed(1) },
  { title: 'p99 ms', cell: ({ loopP99Ms }) => loopP99Ms.toFixed(1) },
  { title: 'storm ms CPU/job', cell: ({ stormCpuMs }) => stormCpuMs.toFixed(3) },
  { title: 'wall ms', cell: ({ stormWallMs }) => stormWallMs.toFixed(0) },
  { title: 'stall ms', cell: ({ stormStallMs }) => stormStallMs.toFixed(0) },
];

const HEADER = COLUMNS.map(({ title }) => title);

const rowOf = (measurement: Measurement) => COLUMNS.map(({ cell }) => cell(measurement));

/** One line for each configuration, and one more for how many times the plain floor the tree costs. */
export function table(measurements: readonly Measurement[]): string {
  const rows = measurements.flatMap((measurement) => {
    const floor = floorOf(measurement, measurements);
    return floor ? [rowOf(measurement), ratios(measurement, floor)] : [rowOf(measurement)];
  });
  return aligned([HEADER, ...rows]);
}

const floorOf = (tree: Measurement, measurements: readonly Measurement[]) =>
  tree.watcher === 'tree'
    ? measurements.find(
        ({ watcher, jobs, heartbeatMs }) =>
          watcher === 'plain' && jobs === tree.jobs && heartbeatMs === tree.heartbeatMs,
      )
    : undefined;

const ratios = (tree: Measurement, plain: Measurement): string[] => {
  const times = (
    figure: 'spawnCpuUs' | 'heapKb' | 'steadyCpuPercent' | 'stormCpuMs' | 'stormWallMs',
  ) => `×${(tree[figure] / plain[figure]).toFixed(1)}`;
  return [
    '  tree/plain',
    '',
    '',
    times('spawnCpuUs'),
    times('heapKb'),
    times('steadyCpuPercent'),
    '',
    '',
    times('stormCpuMs'),
    times('stormWallMs'),
    '',
  ];
};

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADER.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return rows.map(line).join('\n');
}

export const verdictLine = ({ goal, isMet, worst }: Verdict): string =>
  `${isMet ? 'met    ' : 'NOT MET'}  ${goal} (worst ${worst.toFixed(worst < 1 ? 3 : 1)})`;
