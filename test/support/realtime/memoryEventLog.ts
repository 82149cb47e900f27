import { KennelError } from '../../../src/core/errors.ts';
import type { EventFilter, EventLog, LoggedEvent } from '../../../src/jobs/eventLog.ts';
import { comparePlaces } from '../../../src/jobs/eventPlace.ts';
import { isWanted, outgoingLogged } from '../../../src/jobs/streamedEvent.ts';

/** A log of events in memory. Transactions are counted, ten events each. */
export class MemoryEventLog implements EventLog {
  /** Questions that were asked so far. */
  readonly asked = { end: 0, after: 0 };
  /** What `after` does besides: fail, or wait. */
  beforeAfter: () => Promise<void> = () => Promise.resolve();
  #events: LoggedEvent[] = [];
  #begin = '0-0';
  #made = 0;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  async end(): Promise<string> {
    this.asked.end += 1;
    return this.#events.at(-1)?.place ?? this.#begin;
  }

  async after(place: string, filter: EventFilter, limit: number) {
    this.asked.after += 1;
    await this.beforeAfter();
    if (!/^\d+-\d+$/.test(place)) throw new KennelError('request.invalid', `${place} is no place`);
    if (comparePlaces(place, this.#begin) < 0) throw new KennelError('event.gone', 'gone');
    return this.#events
      .filter((event) => comparePlaces(event.place, place) > 0)
      .filter((event) => isWanted(outgoingLogged(event), filter))
      .slice(0, limit);
  }

  async append(event: Omit<LoggedEvent, 'place'>): Promise<void> {
    this.add(event);
  }

  /** As a trigger does. Returns the place. */
  add(event: Partial<LoggedEvent> = {}): string {
    this.#made += 1;
    const place = `${98 + Math.floor(this.#made / 10)}-${this.#made}`;
    const { type = 'job.moved', tenantId = 'default', data = { n: this.#made } } = event;
    this.#events.push({
      at: 1_700_000_000_000 + this.#made,
      ...event,
      type,
      tenantId,
      data,
      place,
    });
    this.ring();
    return place;
  }

  /** Forgets the oldest events up to here. */
  clearUpTo(place: string): void {
    this.#begin = place;
    this.#events = this.#events.filter((event) => comparePlaces(event.place, place) > 0);
  }

  ring(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }

  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
