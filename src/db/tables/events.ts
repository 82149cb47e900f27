import { count, instant, json, words, writtenBy } from '../columns.ts';
import { index, integer, pgTable, sql, text, uuid } from '../drizzle.ts';

/**
 * The log of what happened, as streams and webhooks tell it. Triggers write it in the transaction that made it happen (moves,
 * decisions, gaps, see the migrations); alerts are inserted. So nothing that is committed stays untold, and nothing else is told.
 *
 * The ids of transactions that overlap may become visible out of order. Whoever reads the log onwards takes only rows of
 * transactions that are older than every running one (`xid < pg_snapshot_xmin(pg_current_snapshot())`), in the order (xid, id).
 */
export const events = pgTable(
  'events',
  {
    id: count('id').primaryKey().generatedAlwaysAsIdentity(),
    xid: writtenBy('xid').notNull().default(sql`pg_current_xact_id()`),
    tenantId: text('tenant_id').notNull(),
    /** Absent for what concerns the whole node. */
    jobId: uuid('job_id'),
    /** `job.moved`, `job.decided`, `segment.lost`, `disk.outlook`, … (`jobs/events.ts`). */
    type: words('type').notNull(),
    at: instant('at').notNull(),
    /** What the event has besides. */
    data: json<Readonly<Record<string, unknown>>>('data').notNull(),
  },
  (table) => [
    index('events_order').on(table.xid, table.id),
    index('events_job').on(table.jobId, table.id),
    index('events_at').on(table.at),
  ],
);

/** How far the log was cleared: one row, none before the first clearing. Whoever reads from before it has missed something. */
export const eventHorizon = pgTable('event_horizon', {
  id: integer('id').primaryKey().default(1),
  xid: writtenBy('xid').notNull(),
  eventId: count('event_id').notNull(),
});
