import { count, instant, json, words, writtenBy } from '../columns.ts';
import { boolean, index, integer, pgTable, sql, text, uniqueIndex, uuid } from '../drizzle.ts';
import { jobs } from './jobs.ts';
import { tenants } from './tenants.ts';

/** `webhook`: somebody who asked to be told. `clipper`: the clipping service that hears complaints. */
export const ENDPOINT_KINDS = ['webhook', 'clipper'] as const;
/** `dead`: given up; it can be sent again by hand. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

/** Who is told of events. */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    id: uuid('id').primaryKey(),
    kind: text('kind', { enum: ENDPOINT_KINDS }).notNull().default('webhook'),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Only what concerns this job. */
    jobId: uuid('job_id').references(() => jobs.id, { onDelete: 'cascade' }),
    /** Only what concerns jobs that were submitted with this key. */
    keyId: text('key_id'),
    url: words('url').notNull(),
    /** `whsec_` and base64, as Standard Webhooks has it; two while a secret is being changed, the newest first. */
    secrets: json<readonly string[]>('secrets').notNull(),
    /** Until when the older secrets sign as well; null: they do not. */
    oldSecretsUntil: instant('old_secrets_until'),
    /** Types of events, `*` at the end stands for anything; empty: all. */
    types: json<readonly string[]>('types').notNull().default([]),
    enabled: boolean('enabled').notNull().default(true),
    /** Why it was switched off, when it was not the operator: the receiver said 410, or was away for too long. */
    disabledWhy: words('disabled_why'),
    /** How far the log of events has been turned into deliveries: the place of the last event seen. */
    cursorXid: writtenBy('cursor_xid').notNull(),
    cursorId: count('cursor_id').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [index('webhook_endpoints_tenant').on(table.tenantId)],
);

/** One event for one receiver, until it has it. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    /** The webhook-id that receivers tell repetitions by is made of it, and stays the same in every try. */
    id: uuid('id').primaryKey(),
    /** The order in which a receiver is told: that of the log, since its row is locked while deliveries are made. */
    place: count('place').notNull().generatedAlwaysAsIdentity(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
    eventId: count('event_id').notNull(),
    /** Deliveries of one job to one receiver follow each other. */
    jobId: uuid('job_id'),
    type: words('type').notNull(),
    /** What is sent, byte for byte the same in every try. */
    body: words('body').notNull(),
    state: text('state', { enum: DELIVERY_STATES }).notNull().default('waiting'),
    attempts: integer('attempts').notNull().default(0),
    nextAt: instant('next_at').notNull(),
    lastStatus: integer('last_status'),
    lastError: words('last_error'),
    createdAt: instant('created_at').notNull(),
    deliveredAt: instant('delivered_at'),
  },
  (table) => [
    uniqueIndex('webhook_deliveries_once').on(table.endpointId, table.eventId),
    index('webhook_deliveries_due').on(table.state, table.nextAt),
    // Who is next for each job, however many have been delivered.
    index('webhook_deliveries_next')
      .on(table.endpointId, table.jobId, table.place)
      .where(sql`${table.state} = 'waiting'`),
    index('webhook_deliveries_shown').on(table.endpointId, table.place),
  ],
);
