import type { Clock } from '../../core/clock.ts';
import type { AddressRules } from '../../egress/addressRules.ts';
import type { Connection } from './connection.ts';
import { CONNECTION_AGE_MS_MAX, IDLE_SOCKET_MARGIN_MS } from './limits.ts';

export interface ConnectionPoolOptions {
  /** How long a connection is kept without a request, milliseconds. */
  readonly idleSocketMs: number;
  readonly socketsPerOrigin: number;
  readonly clock: Clock;
  connect(url: URL, rules: AddressRules | undefined): Connection;
}

interface Origin {
  /** Connections of this origin, in use or idle. */
  open: number;
  /** The one used last is at the end and is taken first, so that the others can grow old. */
  readonly idle: { readonly connection: Connection; readonly until: number }[];
  readonly waiting: Waiter[];
}

/** What a request wants of its connection. */
export interface Wanted {
  readonly url: URL;
  /** One that was never used. */
  readonly fresh: boolean;
  /** Who may be connected to; absent: everybody. */
  readonly rules: AddressRules | undefined;
}

interface Waiter extends Wanted {
  readonly use: (connection: Connection) => void;
}

/** Connections by origin: kept for the next request, and never more of one origin than the limit. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #origins = new Map<string, Origin>();
  #sweep: unknown;
  #closed = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  /**
   * Hands over a connection, at once or when one is free, in the order of asking; never one that the asker's own rules would
   * not have let it open. Returns a function that gives up waiting.
   */
  acquire(wanted: Wanted, use: (connection: Connection) => void): () => void {
    const origin = this.#origin(wanted.url);
    const waiter: Waiter = { ...wanted, use };
    if (!this.#serve(origin, waiter)) origin.waiting.push(waiter);
    return () => {
      const index = origin.waiting.indexOf(waiter);
      if (index >= 0) origin.waiting.splice(index, 1);
    };
  }

  /** Takes a connection back that may be used again. `serverIdleMs`: how long its server promises to keep it. */
  release(url: URL, connection: Connection, serverIdleMs?: number): void {
    const origin = this.#origin(url);
    const { clock, idleSocketMs } = this.#options;
    const now = clock.elapsed();
    const promisedMs = (serverIdleMs ?? Number.POSITIVE_INFINITY) - IDLE_SOCKET_MARGIN_MS;
    const leftMs = connection.openedAt + CONNECTION_AGE_MS_MAX - now;
    const keptMs = Math.min(idleSocketMs, promisedMs, leftMs);
    const waiter = origin.waiting.shift();
    if (this.#closed || keptMs <= 0) {
      if (waiter !== undefined) origin.waiting.unshift(waiter);
      connection.drop();
      return;
    }
    origin.idle.push({ connection, until: now + keptMs });
    if (waiter !== undefined && !this.#serve(origin, waiter)) origin.waiting.unshift(waiter);
    this.#armSweep();
  }

  /** A connection has closed, whoever closed it. */
  forget(url: URL, connection: Connection): void {
    const origin = this.#origin(url);
    origin.open--;
    const index = origin.idle.findIndex((entry) => entry.connection === connection);
    if (index >= 0) origin.idle.splice(index, 1);
    const waiter = origin.waiting.shift();
    if (waiter !== undefined && !this.#serve(origin, waiter)) origin.waiting.unshift(waiter);
    if (origin.open === 0 && origin.waiting.length === 0) this.#origins.delete(url.origin);
  }

  /** Closes what is idle, and from now on whatever comes back. */
  close(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#sweep);
    this.#dropIdle(() => true);
  }

  #serve(origin: Origin, waiter: Waiter): boolean {
    const { url, fresh, rules, use } = waiter;
    const kept = fresh ? undefined : this.#idleFor(origin, rules);
    if (kept !== undefined) {
      use(kept);
      return true;
    }
    if (origin.open >= this.#options.socketsPerOrigin) {
      // The place of an idle one, which is not for this waiter, comes free when it has closed; `forget` serves the waiter then.
      origin.idle.shift()?.connection.drop();
      return false;
    }
    origin.open++;
    use(this.#options.connect(url, rules));
    return true;
  }

  #idleFor(origin: Origin, rules: AddressRules | undefined): Connection | undefined {
    const now = this.#options.clock.elapsed();
    const { idle } = origin;
    for (let index = idle.length - 1; index >= 0; index--) {
      const { connection, until } = idle[index] ?? {};
      if (connection === undefined || until === undefined) continue;
      const isUsable = until > now && connection.usable;
      if (isUsable && !connection.isWithin(rules)) continue;
      idle.splice(index, 1);
      if (isUsable) return connection;
      connection.drop();
    }
    return undefined;
  }

  #origin(url: URL): Origin {
    let origin = this.#origins.get(url.origin);
    if (origin === undefined) {
      origin = { open: 0, idle: [], waiting: [] };
      this.#origins.set(url.origin, origin);
    }
    return origin;
  }

  #armSweep(): void {
    if (this.#sweep !== undefined) return;
    const { clock, idleSocketMs } = this.#options;
    this.#sweep = clock.setTimeout(() => {
      this.#sweep = undefined;
      const now = clock.elapsed();
      this.#dropIdle((until) => until <= now);
      if ([...this.#origins.values()].some(({ idle }) => idle.length > 0)) this.#armSweep();
    }, idleSocketMs);
    // Idle connections must not keep the process alive.
    if (this.#sweep instanceof Object && 'unref' in this.#sweep) {
      (this.#sweep as NodeJS.Timeout).unref(); // A system timer: only those have `unref`.
    }
  }

  #dropIdle(condition: (until: number) => boolean): void {
    for (const { idle } of this.#origins.values()) {
      for (const entry of idle.splice(0)) {
        if (condition(entry.until)) entry.connection.drop();
        else idle.push(entry);
      }
    }
  }
}
