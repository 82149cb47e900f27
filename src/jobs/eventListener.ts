import { Bell } from '../core/bell.ts';
import type { Clock } from '../core/clock.ts';
import { isKennelError, type KennelErrorCode } from '../core/errors.ts';
import type { EventFilter, EventLog, EventPlace } from './eventLog.ts';
import { comparePlaces } from './eventPlace.ts';
import { isWanted, OutgoingEvent, outgoingLogged } from './streamedEvent.ts';

/**
 * What one listener may leave unread. Buffers hold references to events that all listeners share: ten thousand full ones are
 * some 100 MB at worst. A busy job logs an event a second and stores a segment every other.
 */
export interface ListenerLimits {
  readonly loggedEventsMax: number;
  readonly passingEventsMax: number;
}
export const LISTENER_LIMITS: ListenerLimits = { loggedEventsMax: 1_000, passingEventsMax: 200 };

/** Events that are read at once by who catches up. */
const PAGE_EVENTS = 250;

/** Why a stream ended: the listener was too slow for the log, or what else happened: the service ends, the key was revoked, … */
export type StreamEnd = 'stream.outrun' | KennelErrorCode;

export interface ListenerParts {
  readonly filter: EventFilter;
  /** Where it goes on from; absent: from now. */
  readonly after?: EventPlace;
  readonly limits: ListenerLimits;
  readonly clock: Clock;
  /** Reads of the log by all listeners together are few at a time. */
  readAfter(...question: Parameters<EventLog['after']>): ReturnType<EventLog['after']>;
  /** Up to where the log was told to those who listen live. */
  tailPlace(): EventPlace;
  onClose(): void;
}

/**
 * One listener: first it catches up with the log by itself, page by page as it is asked, and then it is told live. What it does
 * not take in time is dropped when it is passing, and ends the stream when it is of the log: it resumes from `place`.
 */
export class EventListener {
  /** Resolves when it is closed, with why, also while nobody asks for more. */
  readonly closed: Promise<StreamEnd>;
  readonly #close: (end: StreamEnd) => void;
  readonly #parts: ListenerParts;
  readonly #bell = new Bell();
  #buffer: OutgoingEvent[] = [];
  #loggedEvents = 0;
  #dropped = 0;
  #isLive = false;
  /** The tail may still tell what was read already. */
  #isOverlapping = true;
  /** Up to here it was told, or is in the buffer. */
  #read: EventPlace;
  /** Up to here it has taken. */
  #taken: EventPlace;
  #end: StreamEnd | undefined;
  #isEndTold = false;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#read = parts.after ?? parts.tailPlace();
    this.#taken = this.#read;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.closed = promise;
    this.#close = resolve;
  }

  /** From here on nothing was taken yet. */
  get place(): EventPlace {
    return this.#taken;
  }

  /** Reads the first page, so that it shows whether there is one. Throws what the log throws. */
  async prime(): Promise<void> {
    this.#keep(await this.#catchUp());
  }

  /**
   * What is new, in order; empty when nothing is after `waitMs`; undefined after the end. How it ended, and what was dropped, are
   * events themselves: `stream.closed`, `stream.dropped`. One at a time may ask.
   */
  async next(waitMs: number): Promise<readonly OutgoingEvent[] | undefined> {
    if (this.#isEndTold) return undefined;
    if (this.#buffer.length === 0 && this.#end === undefined) await this.#fill(waitMs);
    return this.#take();
  }

  /** Of the log, in order. */
  offerLogged(event: OutgoingEvent): void {
    if (!this.#isLive || this.#end !== undefined) return;
    const { place = this.#read } = event.event;
    if (this.#isOverlapping && comparePlaces(place, this.#read) <= 0) return;
    this.#isOverlapping = false;
    if (!isWanted(event, this.#parts.filter)) {
      if (this.#loggedEvents === 0) this.#taken = place;
      this.#read = place;
      return;
    }
    if (this.#loggedEvents === this.#parts.limits.loggedEventsMax) {
      this.close('stream.outrun');
      return;
    }
    this.#read = place;
    this.#keep([event]);
    this.#bell.ring();
  }

  offerPassing(event: OutgoingEvent): void {
    // Who reads of yesterday is not told of now in between.
    if (!this.#isLive || this.#end !== undefined || !isWanted(event, this.#parts.filter)) return;
    if (this.#buffer.length - this.#loggedEvents >= this.#parts.limits.passingEventsMax) {
      this.#dropped += 1;
      return;
    }
    this.#buffer.push(event);
    this.#bell.ring();
  }

  /** Idempotent: the first reason stays. */
  close(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (end === 'stream.outrun') this.#empty();
    this.#parts.onClose();
    this.#bell.ring();
    this.#close(end);
  }

  async #fill(waitMs: number): Promise<void> {
    const { clock } = this.#parts;
    const until = clock.elapsed() + waitMs;
    try {
      if (!this.#isLive) this.#keep(await this.#catchUp());
      while (this.#buffer.length === 0 && this.#end === undefined) {
        const leftMs = until - clock.elapsed();
        if (leftMs <= 0) return;
        // It may ring for what was taken already.
        await this.#bell.wait(clock, leftMs);
      }
    } catch (error) {
      this.close(isKennelError(error) ? error.code : 'bug');
    }
  }

  /** The next events of the log; none: it has caught up, and is live. */
  async #catchUp(): Promise<readonly OutgoingEvent[]> {
    const { readAfter, tailPlace, filter } = this.#parts;
    for (;;) {
      const target = tailPlace();
      if (comparePlaces(this.#read, target) >= 0) {
        this.#isLive = true;
        return [];
      }
      const page = await readAfter(this.#read, filter, PAGE_EVENTS);
      this.#read = page.at(-1)?.place ?? this.#read;
      // A page that is not full has everything up to where the tail was, and maybe more.
      if (page.length < PAGE_EVENTS && comparePlaces(this.#read, target) < 0) this.#read = target;
      const wanted = page.map(outgoingLogged).filter((event) => isWanted(event, filter));
      if (wanted.length > 0) return wanted;
      this.#taken = this.#read;
    }
  }

  #keep(events: readonly OutgoingEvent[]): void {
    if (this.#end !== undefined) return;
    this.#buffer.push(...events);
    this.#loggedEvents += events.length;
  }

  #empty(): readonly OutgoingEvent[] {
    const events = this.#buffer;
    this.#buffer = [];
    this.#loggedEvents = 0;
    return events;
  }

  #take(): readonly OutgoingEvent[] {
    const hadLogged = this.#loggedEvents > 0;
    const events = [...this.#empty()];
    if (hadLogged || this.#end === undefined) this.#taken = this.#read;
    if (this.#dropped > 0) {
      events.push(this.#notice('stream.dropped', { events: this.#dropped }));
      this.#dropped = 0;
    }
    if (this.#end !== undefined) {
      this.#isEndTold = true;
      events.push(this.#notice('stream.closed', { code: this.#end, place: this.#taken }));
    }
    return events;
  }

  #notice(type: string, data: Readonly<Record<string, unknown>>): OutgoingEvent {
    const at = new Date(this.#parts.clock.now()).toISOString();
    return new OutgoingEvent({ type, at, data: { ...data } });
  }
}
