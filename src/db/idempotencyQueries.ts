import type { KennelDatabase } from './database.ts';
import { and, eq, lte } from './drizzle.ts';
import { idempotencyKeys } from './schema.ts';

/** The statements on answers that may be asked for again, one function each. */
export function idempotencyQueries(database: KennelDatabase) {
  return {
    answer: (tenantId: string, key: string) =>
      database
        .select()
        .from(idempotencyKeys)
        .where(and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.key, key))),

    /** Nothing comes back when there is an answer already. */
    insert: (row: typeof idempotencyKeys.$inferInsert) =>
      database
        .insert(idempotencyKeys)
        .values(row)
        .onConflictDoNothing()
        .returning({ key: idempotencyKeys.key }),

    remove: (tenantId: string, key: string) =>
      database
        .delete(idempotencyKeys)
        .where(and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.key, key))),

    forget: (now: number) =>
      database.delete(idempotencyKeys).where(lte(idempotencyKeys.expiresAt, now)),
  };
}
