import type { SegmentKey, SegmentLost, SegmentStored } from '../ledger/record.ts';
import type { KennelDatabase } from './database.ts';
import { and, asc, eq, gte, lt, sql } from './drizzle.ts';
import { gaps, recordings, segments } from './schema.ts';

export type SegmentCursor = SegmentKey;

/** Sequence numbers of one epoch of one track, from one up to, but not with, another. */
export interface NumberRange {
  readonly track: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

interface SegmentPage {
  readonly after: SegmentCursor | undefined;
  readonly limit: number;
}

export type StoredRow = Omit<SegmentStored, 't' | 'file' | 'init' | 'wallClock'> & {
  readonly init: number | null;
  readonly wallClock: number | null;
};

type RecordingSums = Omit<typeof recordings.$inferInsert, 'jobId'>;

/** The statements on a recording's index, one function each. */
export function segmentQueries(database: KennelDatabase) {
  const gapsWithin = (jobId: string, { track, epoch, from, to }: NumberRange) =>
    and(
      eq(gaps.jobId, jobId),
      eq(gaps.track, track),
      eq(gaps.epoch, epoch),
      lt(gaps.msn, to),
      sql`${gaps.msn} + ${gaps.count} > ${from}`,
    );
  return {
    open: (jobId: string) => database.insert(recordings).values({ jobId }).onConflictDoNothing(),

    lock: (jobId: string) =>
      database.select().from(recordings).where(eq(recordings.jobId, jobId)).for('update'),

    summary: (jobId: string) =>
      database.select().from(recordings).where(eq(recordings.jobId, jobId)),

    save: (jobId: string, sums: RecordingSums) =>
      database.update(recordings).set(sums).where(eq(recordings.jobId, jobId)),

    /** Returns the rows that are new; the first segment under a key stands. */
    insertSegments: (jobId: string, stored: readonly SegmentStored[]) =>
      database
        .insert(segments)
        .values(stored.map(({ t: _t, file: _file, ...row }) => ({ jobId, ...row })))
        .onConflictDoNothing()
        .returning({
          track: segments.track,
          bytes: segments.bytes,
          durationMs: segments.durationMs,
        }),

    insertGaps: (jobId: string, lost: readonly SegmentLost[]) =>
      database.insert(gaps).values(lost.map(({ t: _t, ...row }) => ({ jobId, ...row }))),

    deleteGaps: (jobId: string, range: NumberRange) =>
      database.delete(gaps).where(gapsWithin(jobId, range)),

    gapsIn: (jobId: string, range: NumberRange) =>
      database.select().from(gaps).where(gapsWithin(jobId, range)),

    numbersIn: (jobId: string, { track, epoch, from, to }: NumberRange) =>
      database
        .select({ msn: segments.msn })
        .from(segments)
        .where(
          and(
            eq(segments.jobId, jobId),
            eq(segments.track, track),
            eq(segments.epoch, epoch),
            gte(segments.msn, from),
            lt(segments.msn, to),
          ),
        ),

    page: (jobId: string, { after, limit }: SegmentPage) => {
      const columns = {
        track: segments.track,
        epoch: segments.epoch,
        msn: segments.msn,
        at: segments.at,
        durationMs: segments.durationMs,
        bytes: segments.bytes,
        checksum: segments.checksum,
        container: segments.container,
        discontinuity: segments.discontinuity,
        init: segments.init,
        wallClock: segments.wallClock,
      };
      return database
        .select(columns)
        .from(segments)
        .where(and(eq(segments.jobId, jobId), after && isAfter(after)))
        .orderBy(asc(segments.track), asc(segments.epoch), asc(segments.msn))
        .limit(limit);
    },

    gaps: (jobId: string) =>
      database
        .select()
        .from(gaps)
        .where(eq(gaps.jobId, jobId))
        .orderBy(asc(gaps.track), asc(gaps.epoch), asc(gaps.msn)),
  };
}

export type SegmentQueries = ReturnType<typeof segmentQueries>;

const isAfter = ({ track, epoch, msn }: SegmentCursor) =>
  sql`(${segments.track}, ${segments.epoch}, ${segments.msn}) > (${track}, ${epoch}, ${msn})`;
