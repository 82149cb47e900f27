import type { Row } from './measureBatch.ts';

interface Panel {
  readonly title: string;
  value(row: Row): number;
}

const PANELS: readonly Panel[] = [
  { title: 'CPU, steady (s for each GB)', value: (row) => row.cpuSPerGb },
  {
    title: 'memory (PSS, MB for each stream)',
    value: (row) => row.pssMeanBytes / 1e6 / row.streams,
  },
];
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const [WIDTH, HEIGHT, LEFT, TOP, LEGEND] = [420, 260, 60, 40, 30];

/** Two plots with logarithmic axes, one line for each recorder. */
export function plot(rows: readonly Row[]): string {
  const whole = rows.filter(({ role }) => role === 'whole');
  const subjects = [...new Set(whole.map(({ subject }) => subject))];
  const width = PANELS.length * (WIDTH + LEFT) + LEFT;
  const height = HEIGHT + TOP * 2 + LEGEND;
  const body = PANELS.map((panel, at) => panelAt(panel, { rows: whole, subjects, at })).join('\n');
  const legend = subjects
    .map((subject, at) => {
      const x = LEFT + at * 120;
      return `<rect x="${x}" y="${height - 20}" width="12" height="12" fill="${colour(at)}"/>${text(x + 18, height - 10, subject)}`;
    })
    .join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="white"/>
${body}
${legend}
</svg>
`;
}

interface Placed {
  readonly rows: readonly Row[];
  readonly subjects: readonly string[];
  readonly at: number;
}

function panelAt({ title, value }: Panel, { rows, subjects, at }: Placed): string {
  const shown = rows.filter((row) => value(row) > 0);
  const counts = [...new Set(shown.map(({ streams }) => streams))].sort((a, b) => a - b);
  const left = LEFT + at * (WIDTH + LEFT);
  const x = logarithmic(counts, { from: left, to: left + WIDTH });
  const y = logarithmic(shown.map(value), { from: TOP + HEIGHT, to: TOP });
  const lines = subjects.map((subject, index) => {
    const points = shown
      .filter((row) => row.subject === subject)
      .sort((one, other) => one.streams - other.streams)
      .map((row) => [x.place(row.streams), y.place(value(row))] as const);
    const path = points.map((point) => point.map((part) => part.toFixed(1)).join(',')).join(' ');
    const dots = points.map(
      ([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour(index)}"/>`,
    );
    return `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="2"/>${dots.join('')}`;
  });
  const xTicks = counts.map((count) => text(x.place(count), TOP + HEIGHT + 16, String(count)));
  const yTicks = y.ticks.map(
    (tick) =>
      `<line x1="${left}" x2="${left + WIDTH}" y1="${y.place(tick)}" y2="${y.place(tick)}" stroke="#ddd"/>${text(left - 34, y.place(tick) + 4, String(tick))}`,
  );
  return [
    text(left, TOP - 14, `${title} by number of streams`),
    ...yTicks,
    ...xTicks,
    ...lines,
  ].join('\n');
}

function logarithmic(values: readonly number[], { from, to }: { from: number; to: number }) {
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low * 10, 10 ** Math.ceil(Math.log10(Math.max(...values))));
  const share = (value: number) => Math.log10(value / low) / Math.log10(high / low);
  const ticks: number[] = [];
  for (let tick = low; tick <= high * 1.001; tick *= 10) ticks.push(Number(tick.toPrecision(2)));
  return { place: (value: number) => from + share(value) * (to - from), ticks };
}

const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? 'black';
const text = (x: number, y: number, words: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}">${words}</text>`;
