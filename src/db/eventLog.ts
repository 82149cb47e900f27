import { Bell } from '../core/bell.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database, KennelDatabase } from './database.ts';
import {
  type EventChoice,
  type EventQueries,
  eventQueries,
  isBefore,
  type Place,
} from './eventQueries.ts';
import { askOnce, causeOf, isOutage } from './outage.ts';

/** How often the log is looked at when nobody rang, milliseconds: what other nodes wrote is told that much later at most. */
const LOOK_EVERY_MS = 1_000;
/** The same while something is committed that a transaction which is still running keeps from being read. */
const LOOK_AGAIN_MS = 25;
/** Events that one transaction of a clearing takes: half a second of the embedded database. */
const CLEARED_TOGETHER_MAX = 10_000;

const PLACE = /^(\d{1,20})-(\d{1,16})$/;

/** An event as it is read (`jobs/eventLog.ts`). */
interface EventRead {
  readonly place: string;
  readonly tenantId: string;
  readonly jobId?: string;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventLogOptions {
  readonly clock: Clock;
  readonly log?: Log;
}

/** `<transaction>-<id>`, as readers see it. */
export const placeText = ({ xid, id }: Place): string => `${xid}-${id}`;

/** Throws `request.invalid`. */
export function placeOf(text: string): Place {
  const [, xid, id] = PLACE.exec(text) ?? [];
  if (xid === undefined || id === undefined || BigInt(xid) > 2n ** 64n - 1n) {
    throw new KennelError(
      'request.invalid',
      `${JSON.stringify(text)} is no place in the log of events`,
    );
  }
  return { xid, id: Number(id) };
}

/**
 * The log of events. It is read in the order of transactions, and only as far as no running transaction may still add to: so
 * a reader who goes on from the last place it has seen misses nothing and sees nothing twice. A transaction that stays open
 * anywhere on the server holds readers back for as long. Every call asks once and throws `database.unavailable` when there
 * is no answer.
 */
export class EventLogStore {
  readonly #database: KennelDatabase;
  readonly #queries: EventQueries;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #bell = new Bell();
  readonly #listeners = new Set<() => void>();
  #isWatching = false;

  constructor({ db }: Pick<Database, 'db'>, { clock, log }: EventLogOptions) {
    this.#database = db;
    this.#queries = eventQueries(db);
    this.#clock = clock;
    this.#log = log ?? (() => undefined);
  }

  /**
   * From here on nothing is missed. What was committed while other transactions were running may lie behind it, and is then
   * read again.
   */
  async end(): Promise<string> {
    const { oldestRunning } = await this.#heads();
    return placeText({ xid: oldestRunning, id: 0 });
  }

  /** Throws `request.invalid` for what is no place, `event.gone` for one from before the log begins. */
  async after(from: string, filter: EventChoice, limit: number): Promise<readonly EventRead[]> {
    const place = placeOf(from);
    const rows = await askOnce(() => this.#queries.after(place, filter, limit));
    // Asked last: what is cleared while the rows are read shows.
    await this.#assertReaches(place);
    return rows.map(({ xid, id, jobId, ...rest }) => ({
      place: placeText({ xid, id }),
      ...rest,
      ...(jobId !== null && { jobId }),
    }));
  }

  async append(event: Omit<EventRead, 'place'>): Promise<void> {
    await askOnce(() => this.#queries.append({ ...event }));
    this.ring();
  }

  /**
   * Listeners are called when something can be read that could not before: within a second after it was committed, and at once
   * when this process rang. Sometimes they are called for nothing. Outages are waited out.
   */
  onAdded(listener: () => void): () => void {
    // Its own function object, so that the same listener may be there twice.
    const mine = () => listener();
    this.#listeners.add(mine);
    if (!this.#isWatching) void this.#watch();
    return () => {
      this.#listeners.delete(mine);
      this.#bell.ring();
    };
  }

  /** Something was committed: look now. */
  ring(): void {
    this.#bell.ring();
  }

  /** Removes what is older than `before` (milliseconds since the epoch), from the beginning on; returns how many events. */
  async clear(before: number): Promise<number> {
    let cleared = 0;
    for (;;) {
      const rows = await askOnce(() => this.#queries.oldest(CLEARED_TOGETHER_MAX));
      const young = rows.findIndex(({ at }) => at >= before);
      const old = young === -1 ? rows : rows.slice(0, young);
      const last = old.at(-1);
      if (last === undefined) return cleared;
      await askOnce(() =>
        this.#database.transaction(async (transaction) => {
          const queries = eventQueries(transaction);
          await queries.moveHorizon(last);
          await queries.clearUpTo(last);
        }),
      );
      cleared += old.length;
      if (young !== -1) return cleared;
    }
  }

  async #assertReaches(place: Place): Promise<void> {
    const [horizon] = await askOnce(() => this.#queries.horizon());
    if (!horizon || !isBefore(place, { xid: horizon.xid, id: horizon.eventId })) return;
    const begin = placeText({ xid: horizon.xid, id: horizon.eventId });
    throw new KennelError(
      'event.gone',
      `the log of events does not reach back to ${placeText(place)} any more; it begins after ${begin}`,
      { details: { begin } },
    );
  }

  async #heads() {
    const [heads] = await askOnce(() => this.#queries.heads());
    if (!heads) throw new Error('a query that always has a row had none');
    return heads;
  }

  /** One look after the other, for as long as anybody listens. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    let told: string | null | undefined;
    while (this.#listeners.size > 0) {
      let delayMs = LOOK_EVERY_MS;
      try {
        const { newest, readable } = await this.#heads();
        if (readable !== told) this.#tell();
        told = readable;
        if (newest !== readable) delayMs = LOOK_AGAIN_MS;
      } catch (error) {
        told = undefined;
        if (!isOutage(error)) {
          this.#log('warn', 'The log of events cannot be looked at', { error: causeOf(error) });
        }
      }
      if (this.#listeners.size > 0) await this.#bell.wait(this.#clock, delayMs);
    }
    this.#isWatching = false;
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener();
      });
    }
  }
}

export const eventLog = (database: Pick<Database, 'db'>, options: EventLogOptions): EventLogStore =>
  new EventLogStore(database, options);
