import { type Clock, pause } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';

/** One thing that is not kept for ever. */
export interface Chore {
  /** What is removed, for the log. */
  readonly what: string;
  /** Removes `limit` of it at most, and says how many: what comes from before now and the stated time. */
  remove(now: number, limit: number): Promise<number>;
}

export interface JanitorOptions {
  readonly chores: readonly Chore[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The first round waits until a start is over, and recordings have been taken up; milliseconds. */
const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 3_600_000;
/** Rows of one statement: it takes tens of milliseconds, and nobody who moves a job has to wait for it. */
const ROWS_MAX = 2_000;
/** Between two statements, so that others come to their turn; milliseconds. */
const BREATH_MS = 100;

/** Removes what is older than it is kept. A database that is away costs a round, no more. */
export class Janitor implements Service {
  readonly #options: JanitorOptions;
  #stopping = new AbortController();
  #working: Promise<void> | undefined;

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#working) return;
    this.#stopping = new AbortController();
    this.#working = this.#work(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
    this.#working = undefined;
  }

  /** One round: everything that is due. */
  async clear(signal: AbortSignal): Promise<void> {
    const { chores, clock, log } = this.#options;
    for (const { what, remove } of chores) {
      let removed = 0;
      try {
        for (let rows = ROWS_MAX; rows === ROWS_MAX && !signal.aborted; ) {
          rows = await remove(clock.now(), ROWS_MAX);
          removed += rows;
          if (rows === ROWS_MAX) await pause(clock, BREATH_MS, signal);
        }
      } catch (error) {
        log('warn', 'what is too old could not be removed', { what, error: messageOf(error) });
      }
      if (removed > 0) log('info', 'what was too old was removed', { what, removed });
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    await pause(clock, FIRST_AFTER_MS, signal);
    while (!signal.aborted) {
      await this.clear(signal);
      await pause(clock, EVERY_MS, signal);
    }
  }
}
