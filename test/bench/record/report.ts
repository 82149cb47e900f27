import type { Figures } from './figures.ts';

interface Column {
  readonly title: string;
  readonly figure: (figures: Figures) => number;
  readonly digits: number;
  readonly isRatio: boolean;
}

const MB = 1e6;

const COLUMNS: readonly Column[] = [
  { title: 'start CPU s', figure: (row) => row.startCpuS, digits: 2, isRatio: true },
  { title: 'steady % core', figure: (row) => row.steadyCorePercent, digits: 1, isRatio: true },
  { title: 'CPU-s/GB', figure: (row) => row.cpuSPerGb, digits: 1, isRatio: true },
  { title: 'ms/segment', figure: (row) => row.cpuMsPerSegment, digits: 2, isRatio: false },
  { title: 'RSS peak MB', figure: (row) => row.rssPeakBytes / MB, digits: 0, isRatio: true },
  { title: 'RSS mean MB', figure: (row) => row.rssMeanBytes / MB, digits: 0, isRatio: true },
  { title: 'PSS mean MB', figure: (row) => row.pssMeanBytes / MB, digits: 0, isRatio: true },
  { title: 'stored MB', figure: (row) => row.bytes / MB, digits: 2, isRatio: true },
];

/** One line for each part, and beneath each Kennel how many times ffmpeg it costs, when ffmpeg ran. */
export function table(rows: readonly Figures[]): string {
  const peer = rows.find(({ subject }) => subject.startsWith('ffmpeg'));
  const lines = rows.flatMap((row) => {
    const isKennel = row.role === 'whole' && row !== peer;
    return [figureLine(row), ...(isKennel && peer ? [ratioLine(row, peer)] : [])];
  });
  return aligned([['', ...COLUMNS.map(({ title }) => title)], ...lines]);
}

const INDENT = { whole: '', part: '  of it: ', beside: '  beside it: ' } as const;

const figureLine = (row: Figures): readonly string[] => [
  `${INDENT[row.role]}${row.part}`,
  ...COLUMNS.map(({ figure, digits }) => text(figure(row), digits)),
];

const ratioLine = (row: Figures, peer: Figures): readonly string[] => [
  '  kennel / ffmpeg',
  ...COLUMNS.map(({ figure, isRatio }) => {
    const ratio = text(figure(row) / figure(peer), 1);
    return isRatio && ratio !== '' ? `×${ratio}` : '';
  }),
];

const text = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '';

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = Array.from({ length: COLUMNS.length + 1 }, (_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const padded = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}
