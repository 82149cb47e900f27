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
              .where(and(eq(webhookDeliveries.state, state), lt(webhookDeliveries.nextAt, before)))
              .limit(limit),
          ),
        )
        .returning({ id: webhookDeliveries.id }),
  };
}

interface OldDeliveries {
  readonly state: Kept;
  /** When they arrived or were given up, milliseconds since the epoch: `next_at` keeps the moment. */
  readonly before: number;
  readonly limit: number;
}

/** Removes what is kept for a while only; each says how many rows it took. Throws `database.unavailable`. */
export function retention({ db }: Pick<Database, 'db'>) {
  const queries = retentionQueries(db);
  return {
    /** Deliveries of webhooks that arrived, or were given up, long ago. */
    removeDeliveries: async (old: OldDeliveries) =>
      (await askOnce(() => queries.deliveries(old))).length,
  };
}
