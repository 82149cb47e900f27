import type { MeasuredCost } from '../../core/jobCost.ts';
import { instant, json, words } from '../columns.ts';
import { integer, pgTable } from '../drizzle.ts';

/** What jobs of a kind have cost so far, learnt while they ran. */
export const jobCosts = pgTable('job_costs', {
  /** Such as `hls|example.org|4000k` (`capacity/`). */
  key: words('key').primaryKey(),
  /** Measurements that the numbers stand for. */
  samples: integer('samples').notNull(),
  cost: json<{ readonly mean: MeasuredCost; readonly deviation: MeasuredCost }>('cost').notNull(),
  updatedAt: instant('updated_at').notNull(),
});
