import type { SegmentLost } from '../ledger/record.ts';
import { applyStretches, type JournalStretch } from './applyStretches.ts';
import type { Database, KennelDatabase } from './database.ts';
import { gapQueries } from './gapQueries.ts';
import { askOnce, isOutage } from './outage.ts';
import { type SegmentCursor, type StoredRow, segmentQueries } from './segmentQueries.ts';

/** Segments in one answer, when nothing else is asked for: a day of six-second segments. */
const SEGMENTS_PER_PAGE = 14_400;

/**
 * Jobs in one transaction. Beyond some hundred nothing is gained, and a transaction that waits for a row keeps all others
 * from theirs.
 */
const JOBS_TOGETHER_MAX = 250;
/** Lines in one transaction, unless one stretch alone has more: a second of work for the embedded database. */
const RECORDS_TOGETHER_MAX = 5_000;

export type { JournalStretch } from './applyStretches.ts';

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

interface Waiting {
  readonly stretch: JournalStretch;
  resolve(position: number): void;
  reject(error: unknown): void;
}

/**
 * The database's index of the journals. It counts as the ledger does, and can be rebuilt from the journals at any time.
 * Every call asks once and throws `database.unavailable` when there is no answer.
 */
export class SegmentIndex {
  readonly #database: KennelDatabase;
  #waiting: Waiting[] = [];
  #applying: Promise<void> | undefined;

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
   * changes nothing (it was indexed already, or something before it is missing): the position is returned. Stretches of
   * several jobs that come at about the same time share a transaction.
   */
  apply(stretch: JournalStretch): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ stretch, resolve, reject });
      this.#applying ??= this.#applyAll();
    });
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
    const rows = await askOnce(() => gapQueries(this.#database).gaps(jobId));
    return rows.map(({ jobId: _job, ...gap }) => ({ t: 'gap', ...gap }));
  }

  /** Whatever gathered during one transaction goes with the next. */
  async #applyAll(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commit(this.#takeBatch());
    this.#applying = undefined;
  }

  /** At most one stretch of each job: the next one of the same job builds on it. */
  #takeBatch(): Waiting[] {
    const batch = new Map<string, Waiting>();
    let records = 0;
    const left = this.#waiting.filter((one) => {
      const { jobId, records: more } = one.stretch;
      const isFull = batch.size > 0 && records + more.length > RECORDS_TOGETHER_MAX;
      if (batch.has(jobId) || batch.size >= JOBS_TOGETHER_MAX || isFull) return true;
      batch.set(jobId, one);
      records += more.length;
      return false;
    });
    this.#waiting = left;
    return [...batch.values()];
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const stretches = batch.map(({ stretch }) => stretch);
    try {
      const positions = await askOnce(() =>
        this.#database.transaction((transaction) => applyStretches(transaction, stretches)),
      );
      for (const { stretch, resolve } of batch) resolve(positions.get(stretch.jobId) ?? 0);
    } catch (error) {
      if (batch.length === 1 || isOutage(error)) for (const { reject } of batch) reject(error);
      // One job that the database does not take must not keep the others from being indexed.
      else for (const one of batch) await this.#commit([one]);
    }
  }
}

export const segmentIndex = (database: Pick<Database, 'db'>): SegmentIndex =>
  new SegmentIndex(database);
