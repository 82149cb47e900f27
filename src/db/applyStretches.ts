import type { LedgerRecord, SegmentStored } from '../ledger/record.ts';
import type { KennelDatabase } from './database.ts';
import { gapQueries } from './gapQueries.ts';
import { settleGaps } from './gapSettlement.ts';
import { type RecordingRow, type SegmentQueries, segmentQueries } from './segmentQueries.ts';

/** Rows in one statement: twelve parameters each, and Postgres takes 65,535. */
const ROWS_PER_STATEMENT = 1_000;

/** A stretch of a journal: whole lines, from one byte up to another. */
export interface JournalStretch {
  readonly jobId: string;
  readonly records: readonly LedgerRecord[];
  readonly fromOffset: number;
  readonly toOffset: number;
}

/**
 * Brings the index after stretches of different jobs, within a transaction, and returns each job's position then. Where
 * nothing is lost it takes three statements, however many jobs there are.
 */
export async function applyStretches(
  transaction: KennelDatabase,
  stretches: readonly JournalStretch[],
): Promise<ReadonlyMap<string, number>> {
  const queries = segmentQueries(transaction);
  const rows = await lockRows(
    queries,
    stretches.map(({ jobId }) => jobId),
  );
  const taken = stretches.filter(
    ({ jobId, fromOffset }) => rows.get(jobId)?.journalOffset === fromOffset,
  );
  for (const { jobId, records, toOffset } of taken) {
    const row = rows.get(jobId);
    if (row === undefined) continue;
    const mayTouchGaps = row.lost > 0 || records.some(({ t }) => t === 'gap');
    const lostMore = mayTouchGaps ? await settleGaps(gapQueries(transaction), jobId, records) : 0;
    const started = records.find((record) => record.t === 'started');
    rows.set(jobId, {
      ...row,
      journalOffset: toOffset,
      lost: row.lost + lostMore,
      startedAt: row.startedAt ?? started?.at ?? null,
    });
  }
  await insertSegments(queries, taken, rows);
  const changed = taken.flatMap(({ jobId }) => rows.get(jobId) ?? []);
  if (changed.length > 0) await queries.save(changed);
  return new Map([...rows].map(([jobId, { journalOffset }]) => [jobId, journalOffset]));
}

type Rows = Map<string, RecordingRow>;

/** The jobs' rows, made where missing, and locked until the transaction ends. */
async function lockRows(queries: SegmentQueries, jobIds: readonly string[]): Promise<Rows> {
  const rows: Rows = new Map();
  for (const row of await queries.lock(jobIds)) rows.set(row.jobId, row);
  const missing = jobIds.filter((jobId) => !rows.has(jobId));
  if (missing.length === 0) return rows;
  await queries.open(missing);
  for (const row of await queries.lock(missing)) rows.set(row.jobId, row);
  return rows;
}

/** Adds the segments that are new to their jobs' sums. */
async function insertSegments(
  queries: SegmentQueries,
  stretches: readonly JournalStretch[],
  rows: Rows,
): Promise<void> {
  const isStored = (record: JournalStretch['records'][number]): record is SegmentStored =>
    record.t === 'segment';
  const stored = stretches.flatMap(({ jobId, records }) =>
    records.filter(isStored).map((segment) => ({ ...segment, jobId })),
  );
  for (let from = 0; from < stored.length; from += ROWS_PER_STATEMENT) {
    const some = stored.slice(from, from + ROWS_PER_STATEMENT);
    for (const { jobId, track, bytes, durationMs } of await queries.insertSegments(some)) {
      const row = rows.get(jobId);
      if (row === undefined) continue;
      const { durationsMs } = row;
      rows.set(jobId, {
        ...row,
        segments: row.segments + 1,
        bytes: row.bytes + bytes,
        durationsMs: { ...durationsMs, [track]: (durationsMs[track] ?? 0) + durationMs },
      });
    }
  }
}
