import type { SegmentKey, SegmentStored } from '../ledger/record.ts';
import type { KennelDatabase } from './database.ts';
import { and, asc, eq, inArray, sql } from './drizzle.ts';
import { recordings, segments } from './schema.ts';

export type SegmentCursor = SegmentKey;

interface SegmentPage {
  readonly after: SegmentCursor | undefined;
  readonly limit: number;
}

export type StoredRow = Omit<SegmentStored, 't' | 'file' | 'init' | 'wallClock'> & {
  readonly init: number | null;
  readonly wallClock: number | null;
};

/** A recording's row: how far its journal is indexed, and what that adds up to. */
export type RecordingRow = typeof recordings.$inferSelect;

/** A segment and whose it is. */
export type OwnedSegment = SegmentStored & { readonly jobId: string };

/** The statements on recordings and their stored segments, one function each. */
export function segmentQueries(database: KennelDatabase) {
  return {
    open: (jobIds: readonly string[]) =>
      database
        .insert(recordings)
        .values(jobIds.map((jobId) => ({ jobId })))
        .onConflictDoNothing(),

    /** In order, so that two who lock the same rows wait for each other only one way. */
    lock: (jobIds: readonly string[]) =>
      database
        .select()
        .from(recordings)
        .where(inArray(recordings.jobId, [...jobIds]))
        .orderBy(asc(recordings.jobId))
        .for('update'),

    summary: (jobId: string) =>
      database.select().from(recordings).where(eq(recordings.jobId, jobId)),

    /** Of rows that are locked. */
    save: (rows: readonly RecordingRow[]) =>
      database
        .insert(recordings)
        .values([...rows])
        .onConflictDoUpdate({
          target: recordings.jobId,
          set: {
            journalOffset: sql`excluded.journal_offset`,
            segments: sql`excluded.segments`,
            lost: sql`excluded.lost`,
            bytes: sql`excluded.bytes`,
            durationsMs: sql`excluded.durations_ms`,
            startedAt: sql`excluded.started_at`,
          },
        }),

    /** Returns the rows that are new; the first segment under a key stands. */
    insertSegments: (stored: readonly OwnedSegment[]) =>
      database
        .insert(segments)
        .values(stored.map(({ t: _t, file: _file, ...row }) => row))
        .onConflictDoNothing()
        .returning({
          jobId: segments.jobId,
          track: segments.track,
          bytes: segments.bytes,
          durationMs: segments.durationMs,
        }),

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
  };
}

export type SegmentQueries = ReturnType<typeof segmentQueries>;

const isAfter = ({ track, epoch, msn }: SegmentCursor) =>
  sql`(${segments.track}, ${segments.epoch}, ${segments.msn}) > (${track}, ${epoch}, ${msn})`;
