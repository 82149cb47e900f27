import type { DrillFault } from './drillFault.ts';
import type { Drilled } from './judgeDrill.ts';

/** The part of sorted numbers below which a share of them lies; undefined without any. */
export function percentile(numbers: readonly number[], share: number): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

type Spread = readonly [p50: number | undefined, p99: number | undefined];

/** All faults of one kind. Times are milliseconds. */
export interface DrillRow {
  readonly kind: string;
  readonly recordings: number;
  readonly faults: number;
  /** From the fault until the program was over or Kennel had said what is wrong with it. */
  readonly noticed: Spread;
  /** From then until the next program started. */
  readonly restart: Spread;
  /** From then until its first media was stored. */
  readonly media: Spread;
  /** From the fault until that. */
  readonly all: Spread;
  /** From the order to end until the recording was over. */
  readonly ended: Spread;
  /** Faults whose reason was told. */
  readonly reasons: number;
  readonly orphans: number;
  readonly strays: number;
  /** Recordings with an untrue proof. */
  readonly untrue: number;
}

export function rowOf(kind: string, drilled: readonly Drilled[]): DrillRow {
  const faults = drilled.flatMap((one) => one.faults);
  const spread = (of: (fault: DrillFault) => number | undefined): Spread => {
    const all = faults.flatMap((fault) => of(fault) ?? []);
    return [percentile(all, 0.5), percentile(all, 0.99)];
  };
  const since = (ms: number | undefined, { noticedMs = 0 }: DrillFault) => ms && ms - noticedMs;
  const ended = drilled.flatMap(({ endedMs }) => endedMs ?? []);
  const count = (of: (one: Drilled) => number) => drilled.reduce((sum, one) => sum + of(one), 0);
  return {
    kind,
    recordings: drilled.length,
    faults: faults.length,
    noticed: spread(({ noticedMs }) => noticedMs),
    restart: spread((fault) => since(fault.restartMs, fault)),
    media: spread((fault) => since(fault.mediaMs, fault)),
    all: spread(({ mediaMs }) => mediaMs),
    ended: [percentile(ended, 0.5), percentile(ended, 0.99)],
    reasons: faults.filter(({ isTold }) => isTold).length,
    orphans: count(({ orphans }) => orphans.length),
    strays: count(({ strays }) => strays.length),
    untrue: count(({ untruths }) => Math.min(1, untruths.length)),
  };
}

const COLUMNS = [
  'fault',
  'times (recordings)',
  'noticed after',
  'then next program',
  'then next media',
  'media, from the fault',
  'stopped in',
  'reasons told',
  'orphans',
  'stray files',
  'untrue proofs',
];

/** Times are p50 / p99 in seconds. */
export function drillTable(rows: readonly DrillRow[]): string {
  const seconds = (ms: number) => (ms / 1_000).toFixed(2);
  const pair = ([low, high]: Spread) =>
    low === undefined || high === undefined ? '–' : `${seconds(low)} / ${seconds(high)}`;
  const cells = rows.map((row) => [
    row.kind,
    `${row.faults} (${row.recordings})`,
    ...[row.noticed, row.restart, row.media, row.all, row.ended].map(pair),
    `${row.reasons} of ${row.faults}`,
    ...[row.orphans, row.strays, row.untrue].map(String),
  ]);
  const widths = COLUMNS.map((column, at) =>
    Math.max(column.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(COLUMNS), rule, ...cells.map(line)].join('\n');
}
