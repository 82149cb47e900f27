import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { EventLog, EventPlace } from './eventLog.ts';
import { type OutgoingEvent, outgoingLogged } from './streamedEvent.ts';

/** Events that one look at the log takes: some hundred KB. */
const PAGE_EVENTS = 500;
/** When a look fails, the next one comes after so long, milliseconds: a database that fails over is away for seconds. */
const LOOK_AGAIN_MS = 1_000;

export interface TailOptions {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly log: Log;
  /** Events, in order, each once. */
  deliver(events: readonly OutgoingEvent[]): void;
  /** The log was cleared from under it: what comes next does not follow what came before. */
  onTorn(): void;
}

/** The end of the log, read once for however many listeners. It begins where the log ends when it is made. */
export class EventTail {
  /** Resolves when `place` is there; rejects when the log could not be asked. */
  readonly ready: Promise<void>;
  readonly #options: TailOptions;
  readonly #stopped = new AbortController();
  readonly #unsubscribe: () => void;
  #place: EventPlace | undefined;
  #isReading = false;
  #isAsked = false;

  constructor(options: TailOptions) {
    this.#options = options;
    // Subscribed first: what is added while the end is looked for is read then.
    this.#unsubscribe = options.eventLog.onAdded(() => this.#read());
    this.ready = this.#begin();
  }

  /** All events up to here were delivered. Known once it is ready. */
  get place(): EventPlace {
    if (this.#place === undefined) throw new Error('the tail of the log is not ready');
    return this.#place;
  }

  stop(): void {
    this.#stopped.abort();
    this.#unsubscribe();
  }

  async #begin(): Promise<void> {
    this.#place = await this.#options.eventLog.end();
    this.#read();
  }

  #read(): void {
    this.#isAsked = true;
    if (!this.#isReading && this.#place !== undefined) void this.#readOn();
  }

  /** One look after the other, until there is nothing more. */
  async #readOn(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopped;
    this.#isReading = true;
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      try {
        this.#isAsked = (await this.#readPage()) || this.#isAsked;
      } catch (error) {
        this.#isAsked = true;
        if (isKennelError(error) && error.code === 'event.gone') await this.#tear();
        else log('warn', 'The log of events cannot be read', { error: messageOf(error) });
        await pause(clock, LOOK_AGAIN_MS, signal);
      }
    }
    this.#isReading = false;
  }

  /** @returns whether there may be more */
  async #readPage(): Promise<boolean> {
    const { eventLog, deliver } = this.#options;
    const page = await eventLog.after(this.place, {}, PAGE_EVENTS);
    const last = page.at(-1);
    if (last === undefined || this.#stopped.signal.aborted) return false;
    this.#place = last.place;
    deliver(page.map(outgoingLogged));
    return page.length === PAGE_EVENTS;
  }

  async #tear(): Promise<void> {
    try {
      this.#place = await this.#options.eventLog.end();
      this.#options.onTorn();
    } catch {
      // The next look finds the same.
    }
  }
}
