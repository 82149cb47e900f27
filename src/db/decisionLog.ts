import { v7 } from 'uuid';
import type { Decision } from '../../machines/vocabulary.ts';
import type { HistoryQueries } from './jobQueries.ts';
import { causeOf, isOutage } from './outage.ts';
import { type Persistence, persist } from './persist.ts';

/** Decisions that wait for the database: half a kilobyte each, so 5 MB at most. A node makes a few for each fall. */
export const DECISIONS_HELD_MAX = 10_000;
/** Decisions in one statement. */
const BATCH_MAX = 100;

interface Held {
  readonly key: string;
  readonly decision: Decision;
  readonly at: number;
}

export interface DecisionLogOptions extends Persistence {
  readonly queries: HistoryQueries;
  readonly signal: AbortSignal;
  onDecision(decision: Decision, at: number): void;
}

/** Decisions, written behind in order. While the database is away they are held, up to a limit. */
export class DecisionLog {
  readonly #options: DecisionLogOptions;
  readonly #held: Held[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
  }

  record(decision: Decision): void {
    if (this.#held.length >= DECISIONS_HELD_MAX) {
      if (this.#dropped++ === 0) {
        this.#options.log('error', 'Too many decisions wait for the database, new ones are lost', {
          held: this.#held.length,
        });
      }
      return;
    }
    this.#held.push({ key: v7(), decision, at: this.#options.clock.now() });
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves once all that was recorded before is on disk, or the store closed. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** What will never be written once the store has closed. */
  get unwritten(): number {
    return this.#held.length;
  }

  async #write(): Promise<void> {
    const { signal, log, onDecision } = this.#options;
    await Promise.resolve(); // what is recorded in one go is written in one go
    while (this.#held.length > 0 && !signal.aborted) {
      const batch = this.#held.slice(0, BATCH_MAX);
      const written = await this.#insert(batch);
      if (!written) return;
      this.#held.splice(0, batch.length);
      for (const { decision, at } of written) onDecision(decision, at);
      if (this.#dropped > 0) {
        log('error', 'Decisions were lost while the database was away', { lost: this.#dropped });
        this.#dropped = 0;
      }
    }
  }

  /** What of the batch was stored; undefined when the store closed first. One bad decision does not take others along. */
  async #insert(batch: readonly Held[]): Promise<readonly Held[] | undefined> {
    const { queries, signal, log } = this.#options;
    try {
      const rows = batch.map(({ key, decision, at }) => ({ key, at, ...decision }));
      await persist(() => queries.insertDecisions(rows), signal, this.#options);
      return batch;
    } catch (error) {
      if (signal.aborted && isOutage(error)) return undefined;
      const [only, ...others] = batch;
      if (only && others.length === 0) {
        log('error', 'A decision could not be stored', {
          ...only.decision,
          error: causeOf(error),
        });
        return [];
      }
    }
    const stored: Held[] = [];
    for (const one of batch) {
      const written = await this.#insert([one]);
      if (!written) return undefined;
      stored.push(...written);
    }
    return stored;
  }
}
