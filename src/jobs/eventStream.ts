import { mayDo, maySee, type Principal } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import {
  EventListener,
  LISTENER_LIMITS,
  type ListenerLimits,
  type StreamEnd,
} from './eventListener.ts';
import type { EventFilter, EventLog, EventPlace } from './eventLog.ts';
import { comparePlaces } from './eventPlace.ts';
import type { EventFeed, KennelEvent } from './events.ts';
import { EventTail } from './eventTail.ts';
import { fewTogether } from './fewTogether.ts';
import { isPassing, type OutgoingEvent, outgoingPassing } from './streamedEvent.ts';

/** Listeners that catch up read the log so many at a time: the database has other things to do. */
const READS_AT_ONCE = 4;
/** Jobs whose tenants are remembered. */
const TENANTS_KEPT = 10_000;
/** Events of a job that wait for its tenant to be found out. */
const AWAITING_MAX = 100;

export interface EventStreamsOptions {
  readonly eventLog: EventLog;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Log;
  /** Whose job it is; undefined when there is none. */
  tenantOf(jobId: string): Promise<string | undefined>;
  readonly limits?: ListenerLimits;
}

export interface EventWish {
  readonly jobId?: string | undefined;
  /** Types, with `*` at the end for anything; absent or empty: all. */
  readonly types?: readonly string[] | undefined;
  /** From where on; absent: from now. */
  readonly after?: EventPlace | undefined;
}

/**
 * Everything that happens, for whoever listens: the log (whole, in order, resumable), and between it what is only told (segments,
 * beginnings, ends), as far as they may see it. However many listen, the log's end is read once; while nobody does, nothing is.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #listeners = new Map<EventListener, Principal>();
  readonly #reads = fewTogether(READS_AT_ONCE);
  readonly #tenants = new Map<string, string>();
  readonly #awaiting = new Map<string, KennelEvent[]>();
  #tail: EventTail | undefined;
  #unsubscribe: (() => void) | undefined;
  #opening = 0;
  #isStopped = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /**
   * @throws KennelError `access.forbidden` without the right to see jobs, `job.notFound`, `event.gone` and `request.invalid` for
   *   places, `service.unavailable` when the service ends
   */
  async open(who: Principal, { jobId, types, after }: EventWish): Promise<EventListener> {
    if (!mayDo(who, 'jobs.read'))
      throw new KennelError('access.forbidden', 'this needs the scope jobs.read');
    if (jobId !== undefined) await this.#assertSeen(who, jobId);
    const filter: EventFilter = {
      ...(!mayDo(who, 'admin') && { tenantId: who.tenantId }),
      ...(jobId !== undefined && { jobId }),
      ...(types && { types }),
    };
    this.#opening += 1;
    try {
      return await this.#listen(who, filter, after);
    } finally {
      this.#opening -= 1;
      this.#rest();
    }
  }

  /** Ends the streams of those whom this holds for. */
  closeWhere(isMeant: (who: Principal) => boolean, end: StreamEnd): void {
    for (const [listener, who] of [...this.#listeners]) if (isMeant(who)) listener.close(end);
  }

  stop(): void {
    this.#isStopped = true;
    this.closeWhere(() => true, 'service.unavailable');
  }

  async #listen(
    who: Principal,
    filter: EventFilter,
    after: EventPlace | undefined,
  ): Promise<EventListener> {
    const { eventLog, clock, limits = LISTENER_LIMITS } = this.#options;
    const tail = this.#begin();
    await tail.ready;
    if (this.#isStopped) throw new KennelError('service.unavailable', 'the service ends');
    const listener = new EventListener({
      filter,
      ...(after !== undefined && { after: await this.#checked(after, tail) }),
      limits,
      clock,
      readAfter: (...question) => this.#reads(() => eventLog.after(...question)),
      tailPlace: () => tail.place,
      onClose: () => {
        this.#listeners.delete(listener);
        this.#rest();
      },
    });
    this.#listeners.set(listener, who);
    try {
      await listener.prime();
    } catch (error) {
      listener.close('bug');
      throw error;
    }
    return listener;
  }

  /** Throws for a place that the log does not reach back to, or not up to: of another database, or from before a restore. */
  async #checked(after: EventPlace, tail: EventTail): Promise<EventPlace> {
    const { eventLog } = this.#options;
    await this.#reads(() => eventLog.after(after, {}, 1));
    if (comparePlaces(after, tail.place) > 0 && comparePlaces(after, await eventLog.end()) > 0)
      throw new KennelError('event.gone', `the log of events does not reach up to ${after}`);
    return after;
  }

  #begin(): EventTail {
    const { eventLog, clock, log, feed } = this.#options;
    this.#tail ??= new EventTail({
      eventLog,
      clock,
      log,
      deliver: (events) => this.#deliver(events),
      onTorn: () => this.closeWhere(() => true, 'event.gone'),
    });
    this.#unsubscribe ??= feed.subscribe((event) => {
      if (isPassing(event)) this.#pass(event);
      // It was committed just now: nobody waits for the next look at the log.
      else eventLog.ring();
    });
    return this.#tail;
  }

  /** Nobody listens, and nobody is about to: nothing is read or remembered. */
  #rest(): void {
    if (this.#listeners.size > 0 || this.#opening > 0) return;
    this.#tail?.stop();
    this.#tail = undefined;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#tenants.clear();
  }

  #deliver(events: readonly OutgoingEvent[]): void {
    for (const event of events) {
      const { jobId, tenantId } = event.event;
      if (jobId !== undefined && tenantId !== undefined) this.#remember(jobId, tenantId);
      for (const listener of this.#listeners.keys()) listener.offerLogged(event);
    }
  }

  /** Events that are only told do not say whose they are. */
  #pass(told: KennelEvent): void {
    const { jobId } = told;
    const tenantId = this.#tenants.get(jobId);
    const awaiting = this.#awaiting.get(jobId);
    if (awaiting) {
      if (awaiting.length < AWAITING_MAX) awaiting.push(told);
    } else if (tenantId === undefined) {
      this.#awaiting.set(jobId, [told]);
      void this.#findTenant(jobId);
    } else {
      const event = outgoingPassing(told, tenantId);
      for (const listener of this.#listeners.keys()) listener.offerPassing(event);
    }
  }

  async #findTenant(jobId: string): Promise<void> {
    try {
      const tenantId = await this.#reads(() => this.#options.tenantOf(jobId));
      if (tenantId !== undefined) this.#remember(jobId, tenantId);
    } catch (error) {
      this.#options.log('warn', 'It is not known whose job it is', {
        jobId,
        error: messageOf(error),
      });
    }
    const events = this.#awaiting.get(jobId) ?? [];
    this.#awaiting.delete(jobId);
    // Without a tenant they would wait again, for ever.
    if (this.#tenants.has(jobId)) for (const told of events) this.#pass(told);
  }

  #remember(jobId: string, tenantId: string): void {
    this.#tenants.set(jobId, tenantId);
    if (this.#tenants.size <= TENANTS_KEPT) return;
    const [oldest] = this.#tenants.keys();
    if (oldest !== undefined) this.#tenants.delete(oldest);
  }

  async #assertSeen(who: Principal, jobId: string): Promise<void> {
    const tenantId = await this.#options.tenantOf(jobId);
    if (tenantId === undefined || !maySee(who, tenantId))
      throw new KennelError('job.notFound', `There is no job ${jobId}.`, { details: { jobId } });
  }
}
