import type { SQL } from 'drizzle-orm';
import type { KennelDatabase } from './database.ts';
import { and, asc, desc, eq, inArray, like, or, sql } from './drizzle.ts';
import { eventHorizon, events } from './schema.ts';

/** A place in the log: the transaction that wrote an event, and the event's id. */
export interface Place {
  readonly xid: string;
  readonly id: number;
}

export function isBefore(one: Place, other: Place): boolean {
  const [mine, theirs] = [BigInt(one.xid), BigInt(other.xid)];
  return mine < theirs || (mine === theirs && one.id < other.id);
}

/** Which events are asked for; absent and empty: all. */
export interface EventChoice {
  readonly tenantId?: string | undefined;
  readonly jobId?: string | undefined;
  /** Types, with `*` at the end for anything. */
  readonly types?: readonly string[] | undefined;
}

const place = { xid: events.xid, id: events.id };

/** Events after a place. The pair is compared as such, so that the index serves it. */
export const isAfter = ({ xid, id }: Place): SQL =>
  sql`(${events.xid}, ${events.id}) > (${xid}::xid8, ${id}::bigint)`;

export const isUpTo = ({ xid, id }: Place): SQL =>
  sql`(${events.xid}, ${events.id}) <= (${xid}::xid8, ${id}::bigint)`;

/** Of transactions older than every running one: nothing will come before or between these any more. */
const isSettled = sql`${events.xid} < pg_snapshot_xmin(pg_current_snapshot())`;

/** Undefined when every type is meant. */
export function isOfTypes(types: readonly string[] = []): SQL | undefined {
  if (types.length === 0) return undefined;
  const exact = types.filter((type) => !type.endsWith('*'));
  const begun = types.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1));
  const escaped = (text: string) => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
  return or(
    exact.length > 0 ? inArray(events.type, exact) : undefined,
    ...begun.map((start) => like(events.type, `${escaped(start)}%`)),
  );
}

/** The statements on the log of events, one function each. */
export function eventQueries(database: KennelDatabase) {
  return {
    /** The newest event that can be read, and the newest that is committed; null where there is none. One row. */
    heads: () =>
      database
        .select({
          oldestRunning: sql<string>`pg_snapshot_xmin(pg_current_snapshot())::text`,
          newest: sql<string | null>`(${database
            .select({ at: sql`${events.xid}::text || '-' || ${events.id}::text` })
            .from(events)
            .orderBy(desc(events.xid), desc(events.id))
            .limit(1)})`,
          readable: sql<string | null>`(${database
            .select({ at: sql`${events.xid}::text || '-' || ${events.id}::text` })
            .from(events)
            .where(isSettled)
            .orderBy(desc(events.xid), desc(events.id))
            .limit(1)})`,
        })
        .from(sql`(select 1) as one`),

    after: (from: Place, { tenantId, jobId, types }: EventChoice, limit: number) =>
      database
        .select({
          ...place,
          tenantId: events.tenantId,
          jobId: events.jobId,
          type: events.type,
          at: events.at,
          data: events.data,
        })
        .from(events)
        .where(
          and(
            isAfter(from),
            isSettled,
            tenantId === undefined ? undefined : eq(events.tenantId, tenantId),
            jobId === undefined ? undefined : eq(events.jobId, jobId),
            isOfTypes(types),
          ),
        )
        .orderBy(asc(events.xid), asc(events.id))
        .limit(limit),

    append: (event: typeof events.$inferInsert) => database.insert(events).values(event),

    horizon: () => database.select().from(eventHorizon),

    /** The first events of the log, in order. */
    oldest: (limit: number) =>
      database
        .select({ ...place, at: events.at })
        .from(events)
        .where(isSettled)
        .orderBy(asc(events.xid), asc(events.id))
        .limit(limit),

    clearUpTo: (last: Place) => database.delete(events).where(isUpTo(last)),

    /** Places only grow. */
    moveHorizon: ({ xid, id }: Place) =>
      database
        .insert(eventHorizon)
        .values({ id: 1, xid, eventId: id })
        .onConflictDoUpdate({
          target: eventHorizon.id,
          set: { xid, eventId: id },
          setWhere: sql`(${eventHorizon.xid}, ${eventHorizon.eventId}) < (${xid}::xid8, ${id}::bigint)`,
        }),
  };
}

export type EventQueries = ReturnType<typeof eventQueries>;
