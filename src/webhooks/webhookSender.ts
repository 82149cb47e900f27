import { Bell } from '../core/bell.ts';
import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import type { EventLog } from '../jobs/eventLog.ts';
import type { WebhookPoster } from './postWebhook.ts';
import { pauseAfterMs, retryAfterMs } from './retryPlan.ts';
import { signatureHeaders, signingSecrets } from './signature.ts';
import type {
  ClaimedDelivery,
  DeliveryRecords,
  MakeDelivery,
  Settlement,
} from './webhookRecords.ts';

/** How much is sent at once, and for how long it may take. */
export interface SenderLimits {
  /** From the first look at the name to the head of the answer, milliseconds. Standard Webhooks: 15 to 30 s. */
  readonly timeoutMs: number;
  /** How long a claimed delivery is nobody else's, milliseconds: longer than the timeout. After a crash it is tried again then. */
  readonly claimMs: number;
  /** Deliveries on their way to one receiver. */
  readonly perReceiverMax: number;
  /** Deliveries on their way to all of them: sockets, and 20 kB each. */
  readonly totalMax: number;
}

export const SENDER_LIMITS: SenderLimits = {
  timeoutMs: 15_000,
  claimMs: 20_000,
  perReceiverMax: 8,
  totalMax: 64,
};

/** How often is looked for what has become due, milliseconds. The shortest pause between two tries is 5 s. */
const LOOK_EVERY_MS = 1_000;
/** How long deliveries that are on their way may take when the service stops, milliseconds. What they come to is written if it can be. */
const STOP_WITHIN_MS = 3_000;

export interface WebhookSenderOptions {
  readonly records: DeliveryRecords;
  readonly eventLog: Pick<EventLog, 'onAdded'>;
  readonly makeDelivery: MakeDelivery;
  /** By the kind of the receiver: each has its own rules of who may be connected to, and so its own connections. */
  readonly posters: Readonly<Record<ClaimedDelivery['receiver']['kind'], WebhookPoster>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: SenderLimits;
  /** For the jitter of pauses. Default: `Math.random`. */
  random?(): number;
}

/** Ends what goes on in one life between `start` and `stop`. */
interface Life {
  readonly stopping: AbortController;
  /** Aborted a while later: cuts off what is still on its way. */
  readonly stopped: AbortController;
  readonly unsubscribe: () => void;
  readonly looking: Promise<void>;
}

/**
 * Makes deliveries of the log of events and sends them: those of one job to one receiver one after the other, each until it is
 * taken or given up. A try is written down before it is made, and what became of it after: a crash in between sends it again,
 * under the same id. An absent database is waited for.
 */
export class WebhookSender implements Service {
  readonly #options: WebhookSenderOptions;
  readonly #limits: SenderLimits;
  readonly #bell = new Bell();
  /** Deliveries on their way, by id; what they come to may still have to be written. */
  readonly #underway = new Map<
    string,
    { readonly receiverId: string; readonly done: Promise<void> }
  >();
  #hasNews = true;
  #isAway = false;
  #life: Life | undefined;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    this.#limits = options.limits ?? SENDER_LIMITS;
  }

  async start(): Promise<void> {
    if (this.#life) return;
    const stopping = new AbortController();
    const stopped = new AbortController();
    this.#hasNews = true;
    const unsubscribe = this.#options.eventLog.onAdded(() => {
      this.#hasNews = true;
      this.ring();
    });
    const looking = this.#lookUntil(stopping.signal, stopped.signal);
    this.#life = { stopping, stopped, unsubscribe, looking };
  }

  async stop(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    this.#life = undefined;
    life.unsubscribe();
    life.stopping.abort();
    this.ring();
    await life.looking;
    const underway = Promise.all([...this.#underway.values()].map(({ done }) => done));
    const late = new AbortController();
    await Promise.race([
      underway.finally(() => late.abort()),
      pause(this.#options.clock, STOP_WITHIN_MS, late.signal),
    ]);
    life.stopped.abort(new Error('the service stops'));
    await underway;
  }

  /** There is something to send, or a receiver has changed: look now. */
  ring(): void {
    this.#bell.ring();
  }

  async #lookUntil(stopping: AbortSignal, stopped: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!stopping.aborted) {
      try {
        await this.#look(stopped);
        if (this.#isAway) log('info', 'Webhooks are sent again', {});
        this.#isAway = false;
      } catch (error) {
        this.#hasNews = true;
        if (!this.#isAway)
          log('warn', 'Webhooks wait for the database', { error: messageOf(error) });
        this.#isAway = true;
      }
      await this.#bell.wait(clock, LOOK_EVERY_MS);
    }
  }

  async #look(stopped: AbortSignal): Promise<void> {
    const { records, makeDelivery, clock, log } = this.#options;
    if (this.#hasNews) {
      this.#hasNews = false;
      const { missed } = await records.spread(makeDelivery, clock.now());
      for (const webhook of missed) {
        log('error', 'A receiver of webhooks was away from the log of events for too long', {
          webhook,
        });
      }
    }
    for (const delivery of await this.#claim()) this.#begin(delivery, stopped);
  }

  async #claim(): Promise<readonly ClaimedDelivery[]> {
    const { records, clock } = this.#options;
    const { perReceiverMax, totalMax, claimMs } = this.#limits;
    const free = totalMax - this.#underway.size;
    if (free <= 0) return [];
    const now = clock.now();
    const due = await records.due(now, { perReceiver: perReceiverMax, total: totalMax });
    const counts = new Map<string, number>();
    for (const { receiverId } of this.#underway.values()) {
      counts.set(receiverId, (counts.get(receiverId) ?? 0) + 1);
    }
    const chosen: string[] = [];
    for (const { id, endpointId } of due) {
      const count = counts.get(endpointId) ?? 0;
      if (this.#underway.has(id) || count >= perReceiverMax || chosen.length >= free) continue;
      counts.set(endpointId, count + 1);
      chosen.push(id);
    }
    return chosen.length > 0 ? await records.claim(chosen, now, now + claimMs) : [];
  }

  #begin(delivery: ClaimedDelivery, stopped: AbortSignal): void {
    const { id, receiver } = delivery;
    const done = this.#deliver(delivery, stopped).finally(() => {
      this.#underway.delete(id);
      this.ring();
    });
    this.#underway.set(id, { receiverId: receiver.id, done });
  }

  async #deliver(delivery: ClaimedDelivery, stopped: AbortSignal): Promise<void> {
    const settlement = await this.#try(delivery, stopped);
    if (!settlement) return;
    await this.#outlast(stopped, async () => await this.#write(delivery, settlement));
  }

  /** Undefined when it was cut off: nobody knows what became of it. */
  async #try(delivery: ClaimedDelivery, stopped: AbortSignal): Promise<Settlement | undefined> {
    const { posters, clock } = this.#options;
    const { id, body, receiver } = delivery;
    const begunAt = clock.now();
    try {
      const { status, retryAfter } = await posters[receiver.kind].post({
        url: receiver.url,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Kennel',
          ...signatureHeaders({ id, body }, signingSecrets(receiver, begunAt), begunAt),
        },
        body,
        signal: stopped,
      });
      const at = clock.now();
      if (status >= 200 && status < 300) return { state: 'delivered', at, status };
      const error =
        status >= 300 && status < 400
          ? `HTTP ${status}: redirects are not followed`
          : `HTTP ${status}`;
      return this.#failed(delivery, { error, status, retryAfterMs: retryAfterMs(retryAfter, at) });
    } catch (error) {
      if (stopped.aborted) return undefined;
      return this.#failed(delivery, { error: reasonOf(error) });
    }
  }

  #failed(
    { attempts, receiver }: ClaimedDelivery,
    { error, status, retryAfterMs: wishMs }: Failure,
  ): Settlement {
    const { clock, random = Math.random } = this.#options;
    const at = clock.now();
    const facts = { error, at, ...(status !== undefined && { status }) };
    // It stays as it is until somebody switches the receiver on again.
    if (isGone(status, receiver)) return { ...facts, state: 'waiting', nextAt: at };
    const pauseMs = pauseAfterMs(attempts, { retryAfterMs: wishMs, random: random() });
    return pauseMs === undefined
      ? { ...facts, state: 'dead' }
      : { ...facts, state: 'waiting', nextAt: Math.ceil(at + pauseMs) };
  }

  async #write(delivery: ClaimedDelivery, settlement: Settlement): Promise<void> {
    const { records, log } = this.#options;
    const { id, receiver, attempts, createdAt } = delivery;
    const facts = { webhook: receiver.id, delivery: id, attempts };
    if (isGone(settlement.status, receiver)) {
      // Before the delivery is free again: nobody must try it once more.
      await records.disable(receiver.id, 'the receiver answered 410 Gone');
      log('warn', 'A receiver of webhooks is gone, it is switched off', facts);
    }
    await records.settle(delivery, settlement);
    if (settlement.state === 'delivered') return;
    log('warn', 'A webhook was not taken', { ...facts, ...settlement });
    if (settlement.state !== 'dead' || receiver.kind === 'clipper') return;
    const why = 'nothing was taken for as long as deliveries are tried';
    if (await records.disableIfAway(receiver.id, createdAt, why)) {
      log('error', 'A receiver of webhooks was away for too long, it is switched off', facts);
    }
  }

  /** What was sent has to be written, or it is sent again: tried until the database takes it, or the service has stopped. */
  async #outlast(stopped: AbortSignal, write: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        await write();
        return;
      } catch (error) {
        if (stopped.aborted) return;
        const isOutage = isKennelError(error) && error.retryable;
        if (!isOutage) {
          log('error', 'What became of a webhook could not be written', {
            error: messageOf(error),
          });
          return;
        }
      }
      await pause(clock, LOOK_EVERY_MS, stopped);
    }
  }
}

interface Failure {
  readonly error: string;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
}

/** The clipping service was configured by the operator: an answer does not unsay that. */
const isGone = (status: number | undefined, { kind }: ClaimedDelivery['receiver']): boolean =>
  status === 410 && kind === 'webhook';

/** Without what the answer to a lookup may say of the network within: an address that is refused is named by its rule alone. */
function reasonOf(error: unknown): string {
  if (isKennelError(error)) return error.code;
  return systemCodeOf(error) ?? messageOf(error);
}
