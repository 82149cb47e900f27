import type { Drilled } from './runDrill.ts';

/** The part of sorted numbers below which a share of them lies; undefined without any. */
export function percentile(numbers: readonly number[], share: number): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

export interface DrillRow {
  readonly kind: string;
  readonly recordings: number;
  readonly faults: number;
  /** Faults after which there was media again within three seconds. */
  readonly within3s: number;
  readonly restartMs: readonly [p50: number | undefined, p99: number | undefined];
  readonly mediaMs: readonly [p50: number | undefined, p99: number | undefined];
  /** Recordings that told every reason. */
  readonly reasons: number;
  readonly orphans: number;
  readonly strays: number;
  readonly proofs: number;
}

const RECOVERED_MS = 3_000;

export function rowOf(kind: string, drilled: readonly Drilled[]): DrillRow {
  const faults = drilled.flatMap((one) => one.faults);
  const restarts = faults.flatMap(({ restartMs }) => restartMs ?? []);
  const media = faults.flatMap(({ mediaMs }) => mediaMs ?? []);
  const both = (all: readonly number[]) => [percentile(all, 0.5), percentile(all, 0.99)] as const;
  return {
    kind,
    recordings: drilled.length,
    faults: faults.length,
    within3s: media.filter((ms) => ms <= RECOVERED_MS).length,
    restartMs: both(restarts),
    mediaMs: both(media),
    reasons: drilled.filter(({ hasReason }) => hasReason).length,
    orphans: drilled.reduce((sum, { orphans }) => sum + orphans.length, 0),
    strays: drilled.reduce((sum, { strays }) => sum + strays.length, 0),
    proofs: drilled.filter(({ untruths }) => untruths.length === 0).length,
  };
}

const COLUMNS = [
  'kind',
  'recordings',
  'faults',
  'media within 3 s',
  'restart p50/p99 ms',
  'media p50/p99 ms',
  'reasons',
  'orphans',
  'strays',
  'proofs true',
];

export function drillTable(rows: readonly DrillRow[]): string {
  const pair = ([low, high]: DrillRow['restartMs']) =>
    low === undefined || high === undefined ? '-' : `${Math.round(low)}/${Math.round(high)}`;
  const cells = rows.map((row) => [
    row.kind,
    ...[row.recordings, row.faults, `${row.within3s}/${row.faults}`].map(String),
    ...[pair(row.restartMs), pair(row.mediaMs)],
    ...[`${row.reasons}/${row.recordings}`, row.orphans, row.strays].map(String),
    `${row.proofs}/${row.recordings}`,
  ]);
  const widths = COLUMNS.map((column, at) =>
    Math.max(column.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(COLUMNS), rule, ...cells.map(line)].join('\n');
}
