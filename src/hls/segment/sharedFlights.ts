import { unlessAborted } from '../../core/unlessAborted.ts';

interface Flight<Value> {
  readonly landing: Promise<Value>;
  readonly controller: AbortController;
  waiters: number;
}

const nobodyWaits = new Error('nobody waits for it any more');

/** Work that several ask for at the same time is done once, for all of them. */
export class SharedFlights<Value> {
  readonly #flights = new Map<string, Flight<Value>>();

  /**
   * Resolves, or rejects, with what `begin` does, or what is under way under this name does. Rejects with the signal's reason when
   * that aborts: the work goes on while anybody else waits for it, and is aborted when nobody does.
   */
  async join(
    name: string,
    signal: AbortSignal,
    begin: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    signal.throwIfAborted();
    const flight = this.#flights.get(name) ?? this.#begin(name, begin);
    flight.waiters++;
    try {
      return await unlessAborted(flight.landing, signal);
    } finally {
      flight.waiters--;
      if (flight.waiters === 0) {
        this.#forget(name, flight);
        flight.controller.abort(nobodyWaits);
      }
    }
  }

  #begin(name: string, begin: (signal: AbortSignal) => Promise<Value>): Flight<Value> {
    const controller = new AbortController();
    const landing = begin(controller.signal).finally(() => this.#forget(name, flight));
    // Whoever still waits is told; when nobody does, nobody need be.
    landing.catch(() => undefined);
    const flight: Flight<Value> = { landing, controller, waiters: 0 };
    this.#flights.set(name, flight);
    return flight;
  }

  #forget(name: string, flight: Flight<Value>): void {
    if (this.#flights.get(name) === flight) this.#flights.delete(name);
  }
}
