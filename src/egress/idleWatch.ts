import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { SWEEP_MS } from './egressLimits.ts';

interface Watched {
  limitMs: number;
  /** Bytes do not put it off: for what has to be over by then. */
  isDeadline: boolean;
  bytes: number;
  since: number;
}

/** Ends sockets that are silent for too long. One timer for all, and nothing to do for a byte. */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #watched = new Map<Socket, Watched>();
  #timer: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to watch a socket, or gives it another limit, which counts from now. */
  watch(socket: Socket, limitMs: number, isDeadline = false): void {
    if (socket.destroyed) return;
    if (!this.#watched.has(socket)) socket.once('close', () => this.#watched.delete(socket));
    const since = this.#clock.elapsed();
    this.#watched.set(socket, { limitMs, isDeadline, bytes: bytesOf(socket), since });
    this.#arm();
  }

  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#watched.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#watched.size === 0) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      this.#arm();
    }, SWEEP_MS);
    // Silent sockets must not keep the process alive.
    if (this.#timer instanceof Object && 'unref' in this.#timer) {
      (this.#timer as NodeJS.Timeout).unref(); // A system timer: only those have `unref`.
    }
  }

  #sweep(): void {
    const now = this.#clock.elapsed();
    for (const [socket, watched] of this.#watched) {
      const bytes = bytesOf(socket);
      if (bytes !== watched.bytes && !watched.isDeadline) {
        watched.bytes = bytes;
        watched.since = now;
      } else if (now - watched.since >= watched.limitMs) {
        socket.destroy();
      }
    }
  }
}

const bytesOf = (socket: Socket): number => socket.bytesRead + socket.bytesWritten;
