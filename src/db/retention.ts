import type { Database, KennelDatabase } from './database.ts';
import { and, eq, inArray, lt } from './drizzle.ts';
import { askOnce } from './outage.ts';
import { webhookDeliveries } from './schema.ts';

type Kept = 'delivered' | 'dead';

/** The statements that remove what is kept for a while only. Each takes `limit` rows at most: a long one would hold others up. */
function retentionQueries(database: KennelDatabase) {
  return {
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
    /** Deliveries of webhooks that were made long ago and need no try any more. */
    removeDeliveries: async (old: OldDeliveries) =>
      (await askOnce(() => queries.deliveries(old))).length,
  };
}
