import type { JobSpec } from '../../machines/vocabulary.ts';
import { PRIORITY_POINT_MS } from '../core/queueTerms.ts';
import type { KennelDatabase } from './database.ts';
import { and, eq, isNull, lte, or, sql } from './drizzle.ts';
import { jobs, tenants } from './schema.ts';

const pointMs = sql.raw(String(PRIORITY_POINT_MS));
/** As `queue/queueOrder.ts` has it. Priorities are small: the intervals are exact. */
const standsAt = sql`${jobs.runAt} - ${jobs.priority} * interval '${pointMs} milliseconds'`;

/** Of the spec, nothing but what the queue needs: there may be secrets in the rest. */
const millisecondsOf = (name: keyof JobSpec & ('durationMs' | 'endAt')) =>
  sql<number | null>`(${jobs.spec} ->> ${sql.raw(`'${name}'`)})::double precision`;

const waitingColumns = {
  id: jobs.id,
  tenantId: jobs.tenantId,
  costKey: jobs.costKey,
  priority: jobs.priority,
  runAt: jobs.runAt,
  createdAt: jobs.createdAt,
  mayWait: jobs.mayWait,
  expiresAt: jobs.expiresAt,
  durationMs: millisecondsOf('durationMs').as('duration_ms'),
  endAt: millisecondsOf('endAt').as('end_at'),
};

/** The statements on jobs that wait, one function each. */
export function queueQueries(database: KennelDatabase) {
  return {
    byId: (id: string) => database.select().from(jobs).where(eq(jobs.id, id)),

    due: (now: number, limit: number) => {
      const ranked = database
        .select({
          ...waitingColumns,
          standsAt: sql`${standsAt}`.as('stands_at'),
          place:
            sql<number>`row_number() over (partition by ${jobs.tenantId} order by ${standsAt}, ${jobs.id})`.as(
              'place',
            ),
        })
        .from(jobs)
        .where(and(eq(jobs.waiting, true), lte(jobs.runAt, now)))
        .as('ranked');
      const { standsAt: _, place, ...columns } = ranked._.selectedFields;
      return database
        .select(columns)
        .from(ranked)
        .where(or(sql`${place} <= ${limit}`, eq(ranked.mayWait, false)))
        .orderBy(ranked.tenantId, place);
    },

    standings: () =>
      database
        .select({
          tenantId: tenants.id,
          weight: tenants.weight,
          runningMax: tenants.runningMax,
          waitingMax: tenants.waitingMax,
          running: sql<number>`(count(*) filter (where not ${jobs.waiting}))::int`,
          waiting: sql<number>`(count(*) filter (where ${jobs.waiting}))::int`,
        })
        .from(jobs)
        .innerJoin(tenants, eq(tenants.id, jobs.tenantId))
        .where(isNull(jobs.endedAt))
        .groupBy(tenants.id),

    takeOut: (id: string) =>
      database
        .update(jobs)
        .set({ waiting: false })
        .where(and(eq(jobs.id, id), eq(jobs.waiting, true)))
        .returning({ id: jobs.id }),

    /** A job that has moved is somebody's. */
    putBack: (id: string) =>
      database
        .update(jobs)
        .set({ waiting: true })
        .where(and(eq(jobs.id, id), eq(jobs.state, 'pending'))),

    overdue: (now: number) =>
      database
        .select(waitingColumns)
        .from(jobs)
        .where(and(eq(jobs.waiting, true), lte(jobs.expiresAt, now)))
        .orderBy(jobs.expiresAt, jobs.id),

    nextMoments: (now: number) => {
      const at = sql`${sql.param(now, jobs.runAt)}::timestamptz`;
      const next = (column: typeof jobs.runAt | typeof jobs.expiresAt) =>
        sql<
          number | null
        >`extract(epoch from min(${column}) filter (where ${column} > ${at}))::double precision * 1000`;
      return database
        .select({ runAt: next(jobs.runAt), expiresAt: next(jobs.expiresAt) })
        .from(jobs)
        .where(eq(jobs.waiting, true));
    },
  };
}

export type QueueQueries = ReturnType<typeof queueQueries>;

/** The statements on jobs that failed and may be tried again, one function each. */
export function retryQueries(database: KennelDatabase) {
  return {
    retriesDue: () =>
      database
        .select({
          id: jobs.id,
          tenantId: jobs.tenantId,
          tries: jobs.tries,
          retry: jobs.retry,
          endedAt: jobs.endedAt,
          verdict: sql<string | null>`coalesce(${jobs.verdict}, ${jobs.ending})`,
          endAt: millisecondsOf('endAt'),
        })
        .from(jobs)
        .where(
          and(
            sql`${jobs.retry} is not null and not ${jobs.retrySettled}`,
            sql`${jobs.endedAt} is not null`,
            eq(jobs.state, 'failed'),
          ),
        )
        .orderBy(jobs.endedAt),

    settleRetry: (id: string) =>
      database.update(jobs).set({ retrySettled: true }).where(eq(jobs.id, id)),
  };
}

export type RetryQueries = ReturnType<typeof retryQueries>;
