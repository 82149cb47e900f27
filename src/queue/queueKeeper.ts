import { Bell } from '../core/bell.ts';
import { pause } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Service } from '../core/service.ts';
import type { QueueRecords } from './queueRecords.ts';
import { type QueueOutcome, QueueRound, type QueueRoundParts } from './queueRound.ts';
import { retryFailed } from './retryFailed.ts';

/** The queue is looked at so often although nobody says that anything has changed, milliseconds: other nodes add jobs too. */
const POLL_MS = 5_000;
/** What could not be done in time (a window whose tenant has no room in the queue) is tried again after so long, milliseconds. */
const OVERDUE_MS = 1_000;
/** Pauses while the database is away, milliseconds. */
const BACKOFF_FIRST_MS = 500;
const BACKOFF_LONGEST_MS = 10_000;
/** Answers that nobody can ask for any more are cleared away so often, milliseconds. */
const TIDY_EVERY_MS = 3_600_000;

/** What starts recordings that come again. */
export interface Windows {
  /** Puts windows that have begun into the queue. */
  open(now: number): Promise<void>;
  /** When the next one begins, milliseconds since the epoch. */
  nextMoment(): Promise<number | undefined>;
}

export interface QueueKeeperOptions extends Omit<QueueRoundParts, 'onOutcome'> {
  readonly records: QueueRecords & { forgetAnswers(now: number): Promise<void> };
  readonly windows?: Windows;
  /** For the id of another try. */
  newId(): string;
  random?(): number;
}

interface Asker {
  resolve(outcome: QueueOutcome): void;
  reject(error: unknown): void;
}

/**
 * Keeps the queue of a node: one round after the other, as soon as something may have changed, and every five seconds. While the
 * database is away it waits; nothing that it decides is lost by that or by its own end, because what has not left the queue in the
 * database is still there, and what has left it and was not begun is taken up by the next start.
 */
export class QueueKeeper implements Service {
  readonly #options: QueueKeeperOptions;
  readonly #round: QueueRound;
  readonly #bell = new Bell();
  readonly #askers = new Map<string, Asker[]>();
  #stopping: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #tidyAt = 0;

  constructor(options: QueueKeeperOptions) {
    this.#options = options;
    this.#round = new QueueRound({
      ...options,
      record: (decision) => options.record(decision),
      onOutcome: (jobId, outcome) => this.#answer(jobId, outcome),
    });
  }

  async start(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Resolves once no round runs, and nothing is being begun or refused any more. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    this.#bell.ring();
    await this.#running;
    await this.#round.settled();
    for (const jobId of [...this.#askers.keys()]) this.#answer(jobId, { kind: 'waiting' });
  }

  /** Something has changed: a job has come, has ended, has other terms; there is room. */
  poke(): void {
    this.#bell.ring();
  }

  /** A job has ended: there is room, and perhaps something to try again. */
  ended(jobId: string): void {
    this.#options.capacity.ended(jobId);
    this.poke();
  }

  /** Somebody else took a job out of the queue, or may have, and cannot go on with it: it is put back before the next round. */
  doubt(jobId: string): void {
    this.#round.doubt(jobId);
    this.poke();
  }

  /**
   * What becomes of a job that is in the queue: resolves as soon as it was begun or refused, or a whole round has left it where it
   * is (it waits for its time, for room, or it is no longer in the queue). Rejects with `database.unavailable` when that is away;
   * the job is decided on later then.
   */
  decide(jobId: string): Promise<QueueOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<QueueOutcome>();
    if (this.#stopping === undefined) {
      resolve({ kind: 'waiting' });
      return promise;
    }
    this.#askers.set(jobId, [...(this.#askers.get(jobId) ?? []), { resolve, reject }]);
    this.poke();
    return promise;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log, random = Math.random } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const askers = new Map(this.#askers);
      try {
        await this.#once();
        this.#leave(askers);
        const waitMs = await this.#waitMs();
        if (failures > 0) log('info', 'the queue goes on', { failures });
        failures = 0;
        await this.#bell.wait(clock, waitMs);
      } catch (error) {
        if (failures++ === 0) log('warn', 'the queue has to wait', { error: messageOf(error) });
        this.#disappoint(askers, error);
        const backoffMs = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
        await pause(clock, backoffMs * (0.5 + random() / 2), signal);
      }
    }
  }

  async #once(): Promise<void> {
    const { windows, clock, records } = this.#options;
    const now = clock.now();
    await windows?.open(now);
    await retryFailed(this.#options, now);
    await this.#round.run();
    if (clock.elapsed() < this.#tidyAt) return;
    this.#tidyAt = clock.elapsed() + TIDY_EVERY_MS;
    await records.forgetAnswers(now);
  }

  /** Until something is to be done at a certain time, at most until the next poll. */
  async #waitMs(): Promise<number> {
    const { records, windows, clock } = this.#options;
    const now = clock.now();
    const moments = [await records.nextMoment(now), await windows?.nextMoment()];
    const next = Math.min(...moments.map((at) => at ?? Number.POSITIVE_INFINITY));
    return next > now ? Math.min(POLL_MS, next - now) : OVERDUE_MS;
  }

  #answer(jobId: string, outcome: QueueOutcome): void {
    const askers = this.#askers.get(jobId) ?? [];
    this.#askers.delete(jobId);
    for (const { resolve } of askers) resolve(outcome);
  }

  /** The round is over: whoever asked before it, and whose job was not decided on, hears that it waits. */
  #leave(askers: ReadonlyMap<string, readonly Asker[]>): void {
    for (const jobId of askers.keys()) {
      if (!this.#round.isUnderway(jobId)) this.#answer(jobId, { kind: 'waiting' });
    }
  }

  #disappoint(asked: ReadonlyMap<string, readonly Asker[]>, error: unknown): void {
    for (const jobId of asked.keys()) {
      if (this.#round.isUnderway(jobId)) continue;
      const askers = this.#askers.get(jobId) ?? [];
      this.#askers.delete(jobId);
      for (const { reject } of askers) reject(error);
    }
  }
}
