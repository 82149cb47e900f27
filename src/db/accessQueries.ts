import type { KennelDatabase } from './database.ts';
import { and, asc, desc, eq, gt, isNull, or, sql } from './drizzle.ts';
import { apiKeys, tenants } from './schema.ts';

export type KeyRow = typeof apiKeys.$inferSelect;
export type NewKeyRow = typeof apiKeys.$inferInsert;
export type TenantRow = typeof tenants.$inferSelect;

/** The statements on keys and tenants, one function each. */
export function accessQueries(database: Pick<KennelDatabase, 'select' | 'insert' | 'update'>) {
  return {
    /** Nothing comes back when there is no such tenant. */
    tenant: (id: string) => database.select().from(tenants).where(eq(tenants.id, id)),

    insertKey: (key: NewKeyRow) => database.insert(apiKeys).values(key),

    anyKey: () => database.select({ id: apiKeys.id }).from(apiKeys).limit(1),

    /** Nothing comes back when there is a key of this id. */
    insertKeyOnce: (key: NewKeyRow) =>
      database.insert(apiKeys).values(key).onConflictDoNothing().returning({ id: apiKeys.id }),

    key: (id: string) => database.select().from(apiKeys).where(eq(apiKeys.id, id)),

    /** Newest first. */
    keys: (tenantId: string | undefined) =>
      database
        .select()
        .from(apiKeys)
        .where(tenantId === undefined ? undefined : eq(apiKeys.tenantId, tenantId))
        .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id)),

    /** At `at`, unless it is revoked earlier. */
    revoke: (id: string, at: number) =>
      database
        .update(apiKeys)
        .set({ revokedAt: sql`least(${apiKeys.revokedAt}, ${sql.param(at, apiKeys.revokedAt)})` })
        .where(eq(apiKeys.id, id))
        .returning(),

    /** Nothing comes back when the key is not there or not good any more. */
    revokeGood: (
      id: string,
      { now, revokedAt }: { readonly now: number; readonly revokedAt: number },
    ) =>
      database
        .update(apiKeys)
        .set({
          revokedAt: sql`least(${apiKeys.revokedAt}, ${sql.param(revokedAt, apiKeys.revokedAt)})`,
        })
        .where(
          and(
            eq(apiKeys.id, id),
            or(isNull(apiKeys.revokedAt), gt(apiKeys.revokedAt, now)),
            or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
          ),
        )
        .returning({ id: apiKeys.id }),

    used: (id: string, at: number) =>
      database.update(apiKeys).set({ lastUsedAt: at }).where(eq(apiKeys.id, id)),

    tenants: () => database.select().from(tenants).orderBy(asc(tenants.createdAt), asc(tenants.id)),

    putTenant: ({ createdAt, ...tenant }: TenantRow) =>
      database
        .insert(tenants)
        .values({ ...tenant, createdAt })
        .onConflictDoUpdate({ target: tenants.id, set: tenant })
        .returning(),
  };
}
