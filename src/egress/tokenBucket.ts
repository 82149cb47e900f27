import type { Clock } from '../core/clock.ts';
import { BURST_MS } from './egressLimits.ts';

/** A cap on bandwidth that several connections share. It lends: what has come already is let through, and then all of them wait. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number;

  /** Throws `RangeError` when the cap is no positive number. */
  constructor(clock: Clock, bytesPerSecond: number) {
    if (!(bytesPerSecond > 0)) throw new RangeError('a cap on bandwidth must be more than nothing');
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#capacity = this.#bytesPerMs * BURST_MS;
    this.#tokens = this.#capacity;
    this.#filledAt = clock.elapsed();
  }

  /** Takes so many bytes, and says how long to wait before the next ones, milliseconds. */
  take(bytes: number): number {
    const now = this.#clock.elapsed();
    const filled = this.#tokens + (now - this.#filledAt) * this.#bytesPerMs;
    this.#tokens = Math.min(this.#capacity, filled) - bytes;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#bytesPerMs;
  }
}
