import type { MeasuredCost } from '../core/jobCost.ts';
import type { Database, KennelDatabase } from './database.ts';
import { askOnce } from './outage.ts';
import { jobCosts } from './schema.ts';

/** What was learnt of a kind of job. */
export interface StoredCost {
  readonly mean: MeasuredCost;
  readonly deviation: MeasuredCost;
  readonly samples: number;
}

/** What jobs cost, kept between lives. Every call asks once and throws `database.unavailable` when there is no answer. */
export class CostStore {
  readonly #database: KennelDatabase;
  readonly #now: () => number;

  constructor({ db }: Pick<Database, 'db'>, now: () => number) {
    this.#database = db;
    this.#now = now;
  }

  async all(): Promise<readonly (StoredCost & { readonly key: string })[]> {
    const rows = await askOnce(() => this.#database.select().from(jobCosts));
    return rows.map(({ key, samples, cost }) => ({ key, samples, ...cost }));
  }

  async put(key: string, { samples, ...cost }: StoredCost): Promise<void> {
    const row = { samples, cost, updatedAt: this.#now() };
    await askOnce(() =>
      this.#database
        .insert(jobCosts)
        .values({ key, ...row })
        .onConflictDoUpdate({ target: jobCosts.key, set: row }),
    );
  }
}
