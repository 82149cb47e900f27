import type { Row } from './measureBatch.ts';

interface Column {
  readonly title: string;
  text(row: Row): string;
}

const MB = 1e6;
const number = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '';

const COLUMNS: readonly Column[] = [
  { title: 'streams', text: ({ streams }) => String(streams) },
  { title: 'start CPU s', text: (row) => number(row.startCpuS, 2) },
  { title: 'CPU-s/GB steady', text: (row) => number(row.cpuSPerGb, 2) },
  { title: 'CPU-s/GB with start', text: (row) => number(row.cpuSPerGbWhole, 2) },
  { title: '% core', text: (row) => number(row.steadyCorePercent, 1) },
  { title: 'RSS mean MB', text: (row) => number(row.rssMeanBytes / MB, 0) },
  { title: 'RSS peak MB', text: (row) => number(row.rssPeakBytes / MB, 0) },
  { title: 'PSS mean MB', text: (row) => number(row.pssMeanBytes / MB, 0) },
  { title: 'PSS peak MB', text: (row) => number(row.pssPeakBytes / MB, 0) },
  { title: 'PSS MB/stream', text: (row) => number(row.pssMeanBytes / MB / row.streams, 2) },
  { title: 'lost', text: ({ lost }) => number(lost, 0) },
  { title: 'MB', text: (row) => (row.role === 'whole' ? number(row.bytes / MB, 0) : '') },
];

const INDENT = { whole: '', part: '  of it: ', beside: '  beside it: ' } as const;

/** One line for each recorder and its parts. */
export function table(rows: readonly Row[]): string {
  const lines = [
    ['', ...COLUMNS.map(({ title }) => title)],
    ...rows.map((row) => [
      `${INDENT[row.role]}${row.part}`,
      ...COLUMNS.map(({ text }) => text(row)),
    ]),
  ];
  const widths = ['', ...COLUMNS].map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  );
  const padded = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return lines.map((line) => line.map(padded).join('  ').trimEnd()).join('\n');
}
