import type { SegmentLost } from '../ledger/record.ts';
import type { KennelDatabase } from './database.ts';
import { and, asc, eq, gte, lt, sql } from './drizzle.ts';
import { gaps, segments } from './schema.ts';

/** Sequence numbers of one epoch of one track, from one up to, but not with, another. */
export interface NumberRange {
  readonly track: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/** The statements on what is named as lost, one function each. */
export function gapQueries(database: KennelDatabase) {
  const gapsWithin = (jobId: string, { track, epoch, from, to }: NumberRange) =>
    and(
      eq(gaps.jobId, jobId),
      eq(gaps.track, track),
      eq(gaps.epoch, epoch),
      lt(gaps.msn, to),
      sql`${gaps.msn} + ${gaps.count} > ${from}`,
    );
  return {
    insertGaps: (jobId: string, lost: readonly SegmentLost[]) =>
      database.insert(gaps).values(lost.map(({ t: _t, ...row }) => ({ jobId, ...row }))),

    /** While it is on, gaps that are written are no news to the log of events (`gaps_told`). For this transaction. */
    retelling: (isOn: boolean) =>
      database.execute(sql`select set_config('kennel.retold', ${isOn ? 'on' : 'off'}, true)`),

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

    gaps: (jobId: string) =>
      database
        .select()
        .from(gaps)
        .where(eq(gaps.jobId, jobId))
        .orderBy(asc(gaps.track), asc(gaps.epoch), asc(gaps.msn)),
  };
}

export type GapQueries = ReturnType<typeof gapQueries>;
