import type { KennelDatabase } from './database.ts';
import { and, asc, desc, eq, inArray, lt, lte, or, sql } from './drizzle.ts';
import { isAfter, isOfTypes, isUpTo, type Place } from './eventQueries.ts';
import { events, jobs, webhookDeliveries, webhookEndpoints } from './schema.ts';

const endpoints = webhookEndpoints;
const deliveries = webhookDeliveries;

export type EndpointRow = typeof endpoints.$inferSelect;
export type DeliveryRow = typeof deliveries.$inferSelect;
export type DeliveryState = DeliveryRow['state'];

/** Receivers as they are shown, one function each. */
export function receiverViewQueries(database: KennelDatabase) {
  const counted = (state: DeliveryState) =>
    sql<number>`(${database
      .select({ count: sql`count(*)::int` })
      .from(deliveries)
      .where(and(eq(deliveries.endpointId, endpoints.id), eq(deliveries.state, state)))})`;
  const shown = {
    id: endpoints.id,
    kind: endpoints.kind,
    tenantId: endpoints.tenantId,
    jobId: endpoints.jobId,
    keyId: endpoints.keyId,
    url: endpoints.url,
    types: endpoints.types,
    enabled: endpoints.enabled,
    disabledWhy: endpoints.disabledWhy,
    createdAt: endpoints.createdAt,
    waiting: counted('waiting'),
    dead: counted('dead'),
  };
  return {
    views: (tenantId: string | undefined) =>
      database
        .select(shown)
        .from(endpoints)
        .where(tenantId === undefined ? undefined : eq(endpoints.tenantId, tenantId))
        .orderBy(desc(endpoints.createdAt), desc(endpoints.id)),

    view: (id: string) => database.select(shown).from(endpoints).where(eq(endpoints.id, id)),
  };
}

/** The statements on receivers, one function each. */
export function receiverQueries(database: KennelDatabase) {
  return {
    insert: (row: typeof endpoints.$inferInsert) => database.insert(endpoints).values(row),

    /** The clipping service's: what the configuration says stands. */
    put: (row: typeof endpoints.$inferInsert) =>
      database
        .insert(endpoints)
        .values(row)
        .onConflictDoUpdate({
          target: endpoints.id,
          set: { url: row.url, types: row.types, enabled: true, disabledWhy: null },
        }),

    byId: (id: string) => database.select().from(endpoints).where(eq(endpoints.id, id)),

    byIds: (ids: readonly string[]) =>
      database
        .select()
        .from(endpoints)
        .where(inArray(endpoints.id, [...ids])),

    change: (id: string, set: Partial<typeof endpoints.$inferInsert>) =>
      database
        .update(endpoints)
        .set(set)
        .where(eq(endpoints.id, id))
        .returning({ id: endpoints.id }),

    remove: (id: string) =>
      database.delete(endpoints).where(eq(endpoints.id, id)).returning({ id: endpoints.id }),

    disableIfAway: (id: string, since: number, why: string) =>
      database
        .update(endpoints)
        .set({ enabled: false, disabledWhy: why })
        .where(
          and(
            eq(endpoints.id, id),
            endpoints.enabled,
            sql`not exists (${database
              .select({ one: sql`1` })
              .from(deliveries)
              .where(
                and(
                  eq(deliveries.endpointId, id),
                  eq(deliveries.state, 'delivered'),
                  sql`${deliveries.deliveredAt} >= ${new Date(since).toISOString()}::timestamptz`,
                ),
              )})`,
          ),
        )
        .returning({ id: endpoints.id }),

    /** The job, when it is the tenant's. */
    jobOf: (jobId: string, tenantId: string) =>
      database
        .select({ id: jobs.id })
        .from(jobs)
        .where(and(eq(jobs.id, jobId), eq(jobs.tenantId, tenantId))),
  };
}

/** The statements that make deliveries of events, one function each. */
export function spreadQueries(database: KennelDatabase) {
  return {
    /**
     * Receivers that are before `head`. Those of one job only when it was told of after `since`, or when they are new: of
     * thousands of jobs nearly all have nothing to tell.
     */
    behind: ({ xid, id }: Place, since: Place) =>
      database
        .select({ id: endpoints.id })
        .from(endpoints)
        .where(
          and(
            endpoints.enabled,
            sql`(${endpoints.cursorXid}, ${endpoints.cursorId}) < (${xid}::xid8, ${id}::bigint)`,
            or(
              sql`${endpoints.jobId} is null`,
              sql`${endpoints.cursorXid} = '0'::xid8`,
              inArray(
                endpoints.jobId,
                database
                  .select({ jobId: events.jobId })
                  .from(events)
                  .where(and(isAfter(since), isUpTo({ xid, id }))),
              ),
            ),
          ),
        ),

    /** The receiver, kept from everybody else who would tell it until the transaction ends. */
    lock: (id: string) =>
      database
        .select()
        .from(endpoints)
        .where(and(eq(endpoints.id, id), endpoints.enabled))
        .for('update'),

    /** What the receiver asked to be told of, after its place and up to another, in order. */
    toTell: (endpoint: EndpointRow, upTo: Place, limit: number) =>
      database
        .select({
          id: events.id,
          xid: events.xid,
          tenantId: events.tenantId,
          jobId: events.jobId,
          type: events.type,
          at: events.at,
          data: events.data,
          sourceUrl: sql<string | null>`public_url(${jobs.sourceUrl})`,
        })
        .from(events)
        .leftJoin(jobs, eq(jobs.id, events.jobId))
        .where(
          and(
            isAfter({ xid: endpoint.cursorXid, id: endpoint.cursorId }),
            isUpTo(upTo),
            endpoint.kind === 'clipper' ? isRejection : isFor(endpoint),
          ),
        )
        .orderBy(asc(events.xid), asc(events.id))
        .limit(limit),

    insert: (rows: readonly (typeof deliveries.$inferInsert)[]) =>
      database
        .insert(deliveries)
        .values([...rows])
        .onConflictDoNothing({ target: [deliveries.endpointId, deliveries.eventId] })
        .returning({ id: deliveries.id }),

    moveCursor: (endpointId: string, { xid, id }: Place) =>
      database
        .update(endpoints)
        .set({ cursorXid: xid, cursorId: id })
        .where(eq(endpoints.id, endpointId)),

    insertEvent: (event: typeof events.$inferInsert) =>
      database.insert(events).values(event).returning({ id: events.id, xid: events.xid }),
  };
}

/** What the clipping service is told of, whoever's job it is. */
const isRejection = and(eq(events.type, 'job.moved'), sql`${events.data} ->> 'to' = 'rejected'`);

const isFor = ({ tenantId, jobId, keyId, types }: EndpointRow) =>
  and(
    eq(events.tenantId, tenantId),
    jobId === null ? undefined : eq(events.jobId, jobId),
    keyId === null ? undefined : eq(jobs.keyId, keyId),
    isOfTypes(types),
    // Its one delivery is made together with it.
    sql`${events.type} <> 'webhook.ping'`,
  );

/** The statements on deliveries, one function each. */
export function deliveryQueries(database: KennelDatabase) {
  return {
    page: (
      endpointId: string,
      { state, before, limit }: { state?: DeliveryState; before?: number; limit: number },
    ) =>
      database
        .select()
        .from(deliveries)
        .where(
          and(
            eq(deliveries.endpointId, endpointId),
            state && eq(deliveries.state, state),
            before === undefined ? undefined : lt(deliveries.place, before),
          ),
        )
        .orderBy(desc(deliveries.place))
        .limit(limit),

    again: (endpointId: string, id: string, now: number) =>
      database
        .update(deliveries)
        .set({ state: 'waiting', attempts: 0, nextAt: now })
        .where(and(eq(deliveries.id, id), eq(deliveries.endpointId, endpointId)))
        .returning(),

    claim: (ids: readonly string[], now: number, until: number) =>
      database
        .update(deliveries)
        .set({ attempts: sql`${deliveries.attempts} + 1`, nextAt: until })
        .where(
          and(
            inArray(deliveries.id, [...ids]),
            eq(deliveries.state, 'waiting'),
            lte(deliveries.nextAt, now),
          ),
        )
        .returning(),

    settle: (
      { id, attempts }: { readonly id: string; readonly attempts: number },
      set: Partial<typeof deliveries.$inferInsert>,
    ) =>
      database
        .update(deliveries)
        .set(set)
        .where(
          and(
            eq(deliveries.id, id),
            eq(deliveries.attempts, attempts),
            eq(deliveries.state, 'waiting'),
          ),
        ),
  };
}

/** The first of each job for each receiver that is switched on, when it is due: the longest due first. */
export function dueDeliveries(
  database: KennelDatabase,
  now: number,
  { perReceiver, total }: { readonly perReceiver: number; readonly total: number },
) {
  const heads = database
    .selectDistinctOn([deliveries.endpointId, deliveries.jobId], {
      id: deliveries.id,
      endpointId: deliveries.endpointId,
      nextAt: deliveries.nextAt,
    })
    .from(deliveries)
    .innerJoin(endpoints, and(eq(endpoints.id, deliveries.endpointId), endpoints.enabled))
    .where(eq(deliveries.state, 'waiting'))
    .orderBy(deliveries.endpointId, deliveries.jobId, asc(deliveries.place))
    .as('heads');
  const ranked = database
    .select({
      id: heads.id,
      endpointId: heads.endpointId,
      nextAt: heads.nextAt,
      rank: sql<number>`row_number() over (partition by ${heads.endpointId} order by ${heads.nextAt}, ${heads.id})`.as(
        'rank',
      ),
    })
    .from(heads)
    .where(lte(heads.nextAt, now))
    .as('ranked');
  return database
    .select({ id: ranked.id, endpointId: ranked.endpointId })
    .from(ranked)
    .where(lte(ranked.rank, perReceiver))
    .orderBy(asc(ranked.nextAt))
    .limit(total);
}
