import type { JobState } from '../../machines/vocabulary.ts';
import { storableJson } from './columns.ts';
import type { KennelDatabase } from './database.ts';
import { and, eq, inArray, isNull, or, sql } from './drizzle.ts';
import { jobs, tenants } from './schema.ts';

/** Jobs that record, or are about to: what finishes does not keep others from recording the same. */
const RECORDING_STATES: readonly JobState[] = ['pending', 'recording', 'retrying'];

/** What a lock is known by to all nodes: 64 bits of a hash, so that two locks are practically never one. */
const lockOf = (kind: string, ...parts: readonly string[]) =>
  sql`hashtextextended(${storableJson([kind, ...parts])}, 0)`;

/** The statements of taking a job into the queue, one function each; for within a transaction. */
export function enqueueQueries(database: KennelDatabase) {
  const alone = sql`(values (1)) as alone`;
  const lock = async (name: ReturnType<typeof lockOf>) => {
    await database.select({ held: sql`pg_advisory_xact_lock(${name})::text` }).from(alone);
  };
  return {
    /** Until the end of the transaction; false when another one has it. */
    tryLockKey: async (tenantId: string, key: string): Promise<boolean> => {
      const name = lockOf('idempotency', tenantId, key);
      const rows = await database
        .select({ isHeld: sql<boolean>`pg_try_advisory_xact_lock(${name})` })
        .from(alone);
      return rows[0]?.isHeld === true;
    },

    /** Whoever adds jobs of the tenant that record the same follow each other until the ends of their transactions. */
    lockSource: (tenantId: string, sourceKey: string) =>
      lock(lockOf('source', tenantId, sourceKey)),

    /** Whoever adds jobs of the tenant follow each other. */
    lockTenant: (tenantId: string) => lock(lockOf('tenant', tenantId)),

    tenant: (tenantId: string) => database.select().from(tenants).where(eq(tenants.id, tenantId)),

    waitingOf: (tenantId: string) =>
      database
        .select({ waiting: sql<number>`count(*)::int` })
        .from(jobs)
        .where(and(eq(jobs.tenantId, tenantId), eq(jobs.waiting, true))),

    /** A job of the tenant that records the same or is about to. Another window of the same schedule is none. */
    recordsTheSame: (tenantId: string, sourceKey: string, scheduleId: string | undefined) =>
      database
        .select({ id: jobs.id })
        .from(jobs)
        .where(
          and(
            eq(jobs.tenantId, tenantId),
            eq(jobs.sourceKey, sourceKey),
            isNull(jobs.endedAt),
            inArray(jobs.state, [...RECORDING_STATES]),
            scheduleId === undefined
              ? undefined
              : or(isNull(jobs.scheduleId), sql`${jobs.scheduleId} <> ${scheduleId}`),
          ),
        )
        .limit(1),

    /** Nothing comes back when there is that job already: by its id, as a try of the same job, or for the same window. */
    insert: (row: typeof jobs.$inferInsert) =>
      database.insert(jobs).values(row).onConflictDoNothing().returning({ id: jobs.id }),

    byRetryOf: (jobId: string) =>
      database.select({ id: jobs.id }).from(jobs).where(eq(jobs.retryOf, jobId)),

    byWindow: (scheduleId: string, runAt: number) =>
      database
        .select({ id: jobs.id })
        .from(jobs)
        .where(and(eq(jobs.scheduleId, scheduleId), eq(jobs.runAt, runAt))),

    byId: (id: string) => database.select({ id: jobs.id }).from(jobs).where(eq(jobs.id, id)),

    settleRetry: (id: string) =>
      database.update(jobs).set({ retrySettled: true }).where(eq(jobs.id, id)),
  };
}

export type EnqueueQueries = ReturnType<typeof enqueueQueries>;
