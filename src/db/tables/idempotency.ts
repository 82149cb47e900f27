import { hexBytes, instant, json } from '../columns.ts';
import { index, integer, pgTable, primaryKey, text } from '../drizzle.ts';
import { tenants } from './tenants.ts';

/** What was answered to requests that carried an Idempotency-Key. The row is written in the transaction of what was asked for. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    key: text('key').notNull(),
    /** SHA-256 of what was asked for: method, path and canonical body. */
    fingerprint: hexBytes('fingerprint').notNull(),
    status: integer('status').notNull(),
    body: json<unknown>('body').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.key] }),
    index('idempotency_keys_expiry').on(table.expiresAt),
  ],
);
