import type { Principal } from '../core/access.ts';
import { KennelError } from '../core/errors.ts';
import type { EventListener } from '../jobs/eventListener.ts';
import type { EventStreams, EventWish } from '../jobs/eventStream.ts';
import type { ControlTransport } from './controlTransport.ts';

export interface SubscriptionsParts {
  readonly who: Principal;
  readonly streams: Pick<EventStreams, 'open'>;
  readonly transport: ControlTransport;
  readonly subscriptionsMax: number;
}

/** How long a listener without news waits before it waits again, milliseconds: any time will do. */
const WAIT_MS = 60_000;

/** What one session listens to. A next event is sent when the network has taken the one before: who reads slowly is the stream's affair. */
export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  /** Undefined while one is being opened. */
  readonly #listeners = new Map<string, EventListener | undefined>();
  #isClosed = false;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
  }

  /** @returns the place that events will come after; they flow once `begin` is called */
  async open(id: string, wish: EventWish): Promise<{ readonly place: string; begin(): void }> {
    const { streams, who, subscriptionsMax } = this.#parts;
    if (this.#listeners.has(id))
      throw new KennelError('request.invalid', `${id} is the id of a subscription already`);
    if (this.#listeners.size >= subscriptionsMax)
      throw new KennelError('rate.limited', `a session may have ${subscriptionsMax} subscriptions`);
    this.#listeners.set(id, undefined);
    try {
      const listener = await streams.open(who, wish);
      if (this.#isClosed || !this.#listeners.has(id)) listener.close('service.unavailable');
      else this.#listeners.set(id, listener);
      return { place: listener.place, begin: () => void this.#tell(id, listener) };
    } catch (error) {
      this.#listeners.delete(id);
      throw error;
    }
  }

  end(id: string): void {
    if (!this.#listeners.has(id))
      throw new KennelError('request.invalid', `${id} is no subscription of this session`);
    const listener = this.#listeners.get(id);
    this.#listeners.delete(id);
    listener?.close('service.unavailable');
  }

  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners.values()) listener?.close('service.unavailable');
    this.#listeners.clear();
  }

  async #tell(id: string, listener: EventListener): Promise<void> {
    const { transport } = this.#parts;
    const label = JSON.stringify(id);
    for (;;) {
      const events = await listener.next(WAIT_MS);
      if (events === undefined) break;
      for (const { text } of events) {
        // Whoever has unsubscribed hears no more, not even that it has ended.
        if (this.#listeners.get(id) !== listener) return;
        await transport.send(`{"id":${label},"type":"event","event":${text}}`);
      }
    }
    if (this.#listeners.get(id) === listener) this.#listeners.delete(id);
  }
}
