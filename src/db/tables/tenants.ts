import type { Scope } from '../../core/access.ts';
import { hexBytes, instant, json, words } from '../columns.ts';
import { doublePrecision, index, integer, pgTable, text } from '../drizzle.ts';

/** Who shares this Kennel with others. */
export const tenants = pgTable('tenants', {
  id: text('id').primaryKey(),
  name: words('name').notNull(),
  /** Its share while several wait, against the others' weights. */
  weight: doublePrecision('weight').notNull().default(1),
  /** Jobs at once; null: as many as fit. */
  runningMax: integer('running_max'),
  /** Jobs that wait; null: any number. */
  waitingMax: integer('waiting_max'),
  createdAt: instant('created_at').notNull(),
});

/** Keys of the API. Their secrets are not here: only what a secret is recognised by. */
export const apiKeys = pgTable(
  'api_keys',
  {
    /** The public part of the key. */
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    name: words('name').notNull(),
    /** SHA-256 of the secret part, which has 256 random bits. */
    secretHash: hexBytes('secret_hash').notNull(),
    scopes: json<readonly Scope[]>('scopes').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    /** To the minute. */
    lastUsedAt: instant('last_used_at'),
  },
  (table) => [index('api_keys_tenant').on(table.tenantId)],
);
