import type { Database, KennelDatabase } from './database.ts';
import { and, eq, inArray, lt } from './drizzle.ts';
import { askOnce } from './outage.ts';
import { idempotencyKeys, webhookDeliveries } from './schema.ts';

type Kept = 'delivered' | 'dead';

/** The statements that remove what is kept for a while only. Each takes `limit` rows at most: a long one would hold others up. */
function retentionQueries(database: KennelDatabase) {
  return {
    answers: (before: number, limit: number) =>
      database
        .delete(idempotencyKeys)
        .where(
          and(
            // A key is unique within its tenant only: another tenant's of the same name may be young.
            lt(idempotencyKeys.expiresAt, before),
            inArray(
              idempotencyKeys.key,
              database
                .select({ key: idempotencyKeys.key })
                .from(idempotencyKeys)
                .where(lt(idempotencyKeys.expiresAt, before))
                .limit(limit),
            ),
          ),
        )
        .returning({ key: idempotencyKeys.key }),

    deliveries: ({ state, before, limit }: OldDeliveries) =>
      database
        .delete(webhookDeliveries)
        .where(
          inArray(
            webhookDeliveries.id,
            database
              .select({ id: webhookDeliveries.id })
              .from(webhookDeliveries)
              .where(
                and(eq(webhookDeliveries.state, state), lt(webhookDeliveries.createdAt, before)),
              )
              .limit(limit),
          ),
        )
        .returning({ id: webhookDeliveries.id }),
  };
}

interface OldDeliveries {
  readonly state: Kept;
  /** When they were made, milliseconds since the epoch. */
  readonly before: number;
  readonly limit: number;
}

/** Removes what is kept for a while only; each says how many rows it took. Throws `database.unavailable`. */
export function retention({ db }: Pick<Database, 'db'>) {
  const queries = retentionQueries(db);
  return {
    /** Answers to requests with an Idempotency-Key that have expired. */
    removeAnswers: async (now: number, limit: number) =>
      (await askOnce(() => queries.answers(now, limit))).length,
    /** Deliveries of webhooks that were made long ago and need no try any more. */
    removeDeliveries: async (old: OldDeliveries) =>
      (await askOnce(() => queries.deliveries(old))).length,
  };
}
