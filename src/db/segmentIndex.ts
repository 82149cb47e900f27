import type { LedgerRecord, SegmentLost, SegmentStored } from '../ledger/record.ts';
import type { Database, KennelDatabase } from './database.ts';
import { settleGaps } from './gapSettlement.ts';
import { askOnce } from './outage.ts';
import { type SegmentCursor, type StoredRow, segmentQueries } from './segmentQueries.ts';

/** Rows in one statement: twelve parameters each, and Postgres takes 65,535. */
const ROWS_PER_STATEMENT = 1_000;
/** Segments in one answer, when nothing else is asked for: a day of six-second segments. */
const SEGMENTS_PER_PAGE = 14_400;

/** A stretch of a journal: whole lines, from one byte up to another. */
export interface JournalStretch {
  readonly jobId: string;
  readonly records: readonly LedgerRecord[];
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface RecordingSummary {
  /** Bytes of the journal that this stands for. */
  readonly journalOffset: number;
  readonly segments: number;
  /** Segments named as lost. */
  readonly lost: number;
  readonly bytes: number;
  /** Media time of the longest track, milliseconds. */
  readonly durationMs: number;
  /** When the first playlist was accepted, milliseconds since the epoch. */
  readonly startedAt?: number;
}

export type SegmentRow = StoredRow;

/**
 * The database's index of the journals. It counts as the ledger does, and can be rebuilt from the journals at any time.
 * Every call asks once and throws `database.unavailable` when there is no answer.
 */
export class SegmentIndex {
  readonly #database: KennelDatabase;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#database = db;
  }

  /** How many bytes of the job's journal are indexed; the next stretch begins there. */
  async position(jobId: string): Promise<number> {
    const [row] = await askOnce(() => segmentQueries(this.#database).summary(jobId));
    return row?.journalOffset ?? 0;
  }

  /**
   * Indexes a stretch, whole or not at all, and returns the position after it. A stretch that does not begin at the position
   * changes nothing (it was indexed already, or something before it is missing): the position is returned.
   */
  async apply(stretch: JournalStretch): Promise<number> {
    return await askOnce(() =>
      this.#database.transaction((transaction) => applyStretch(transaction, stretch)),
    );
  }

  async summary(jobId: string): Promise<RecordingSummary | undefined> {
    const [row] = await askOnce(() => segmentQueries(this.#database).summary(jobId));
    if (!row) return undefined;
    const { journalOffset, segments, lost, bytes, durationsMs, startedAt } = row;
    const durationMs = Math.max(0, ...Object.values(durationsMs));
    const sums = { journalOffset, segments, lost, bytes, durationMs };
    return startedAt === null ? sums : { ...sums, startedAt };
  }

  /** Stored segments by track, epoch and number; the next page begins after the last one of this. */
  async segments(
    jobId: string,
    page: { readonly after?: SegmentCursor; readonly limit?: number } = {},
  ): Promise<SegmentRow[]> {
    const { after, limit = SEGMENTS_PER_PAGE } = page;
    return await askOnce(() => segmentQueries(this.#database).page(jobId, { after, limit }));
  }

  /** What is named as lost, by track, epoch and number. */
  async gaps(jobId: string): Promise<SegmentLost[]> {
    const rows = await askOnce(() => segmentQueries(this.#database).gaps(jobId));
    return rows.map(({ jobId: _job, ...gap }) => ({ t: 'gap', ...gap }));
  }
}

export const segmentIndex = (database: Pick<Database, 'db'>): SegmentIndex =>
  new SegmentIndex(database);

async function applyStretch(
  transaction: KennelDatabase,
  { jobId, records, fromOffset, toOffset }: JournalStretch,
): Promise<number> {
  const queries = segmentQueries(transaction);
  await queries.open(jobId);
  const [before] = await queries.lock(jobId);
  if (!before || before.journalOffset !== fromOffset) return before?.journalOffset ?? 0;

  const lostMore = await settleGaps(queries, jobId, records);
  const sums = { segments: before.segments, bytes: before.bytes };
  const durationsMs: Record<string, number> = { ...before.durationsMs };
  const stored = records.filter((record): record is SegmentStored => record.t === 'segment');
  for (let from = 0; from < stored.length; from += ROWS_PER_STATEMENT) {
    const rows = stored.slice(from, from + ROWS_PER_STATEMENT);
    for (const { track, bytes, durationMs } of await queries.insertSegments(jobId, rows)) {
      sums.segments += 1;
      sums.bytes += bytes;
      durationsMs[track] = (durationsMs[track] ?? 0) + durationMs;
    }
  }
  const started = records.find((record) => record.t === 'started');
  await queries.save(jobId, {
    ...sums,
    durationsMs,
    lost: before.lost + lostMore,
    startedAt: before.startedAt ?? started?.at ?? null,
    journalOffset: toOffset,
  });
  return toOffset;
}
