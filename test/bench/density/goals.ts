import type { Row } from './measureBatch.ts';

/** One thing that the figures have to show. */
export interface Goal {
  readonly text: string;
  readonly isMet: boolean;
}

/** With so many streams the ratios are held against the goals; with others they are told. */
const STREAMS_JUDGED = 50;
const STREAMS_WITHOUT_LOSS = 200;
const MB_PER_ADDED_STREAM_MAX = 1;
/** Of what ffmpeg takes for the same streams. */
const RATIOS = {
  engine: { cpu: { plain: 0.6, tls: 0.5 }, pss: 0.12 },
  product: { cpu: { plain: 0.8, tls: 0.8 }, pss: 0.2 },
} as const;

export function goalsOf(rows: readonly Row[]): Goal[] {
  const whole = rows.filter(({ role }) => role === 'whole');
  const kennels = whole.filter(({ subject }) => isKennel(subject));
  return [
    ...kennels.flatMap((row) => ratioGoals(row, whole)),
    ...[...Map.groupBy(kennels, ({ subject }) => subject).values()].flatMap(growthGoals),
    ...kennels
      .filter(({ streams, lost }) => streams >= STREAMS_WITHOUT_LOSS || lost > 0)
      .map((row) => goal(`${nameOf(row)}: segments lost`, row.lost, { max: 0, digits: 0 })),
  ];
}

const isKennel = (subject: string): boolean => subject === 'engine' || subject.startsWith('kennel');
const nameOf = ({ subject, streams, tls }: Row): string =>
  `${subject}, ${streams} streams${tls ? ' over TLS' : ''}`;

function ratioGoals(row: Row, whole: readonly Row[]): Goal[] {
  const peer = whole.find(
    ({ subject, streams }) => subject === 'ffmpeg' && streams === row.streams,
  );
  if (peer === undefined || row.streams !== STREAMS_JUDGED) return [];
  const { cpu, pss } = RATIOS[row.subject === 'engine' ? 'engine' : 'product'];
  const max = row.tls ? cpu.tls : cpu.plain;
  const name = nameOf(row);
  return [
    goal(`${name}: CPU / ffmpeg, steady`, row.cpuSPerGb / peer.cpuSPerGb, { max, digits: 2 }),
    goal(`${name}: PSS / ffmpeg`, row.pssMeanBytes / peer.pssMeanBytes, { max: pss, digits: 2 }),
  ];
}

function growthGoals(rows: readonly Row[]): Goal[] {
  const [fewest, ...more] = rows.toSorted((one, other) => one.streams - other.streams);
  const most = more.at(-1);
  if (fewest === undefined || most === undefined) return [];
  const addedBytes = most.pssMeanBytes - fewest.pssMeanBytes;
  const mbPerStream = addedBytes / 1e6 / (most.streams - fewest.streams);
  const text = `${fewest.subject}: PSS MB for each stream from ${fewest.streams} to ${most.streams}`;
  return [goal(text, mbPerStream, { max: MB_PER_ADDED_STREAM_MAX, digits: 2 })];
}

function goal(what: string, value: number, { max, digits }: { max: number; digits: number }): Goal {
  return { text: `${what}: ${value.toFixed(digits)} (goal: at most ${max})`, isMet: value <= max };
}
