import type { Clock } from '../core/clock.ts';
import { TokenBucket } from './tokenBucket.ts';

/** What went through a pass, and how fast it may go on. */
export class PassMeter {
  readonly clock: Clock;
  readonly #bucket: TokenBucket | undefined;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(clock: Clock, bytesPerSecondMax: number | undefined) {
    this.clock = clock;
    this.#bucket =
      bytesPerSecondMax === undefined ? undefined : new TokenBucket(clock, bytesPerSecondMax);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** To the program. Returns how long nothing more should follow, milliseconds. */
  readonly received = (bytes: number): number => {
    this.#receivedBytes += bytes;
    return this.#bucket?.take(bytes) ?? 0;
  };

  /** From the program. */
  readonly sent = (bytes: number): number => {
    this.#sentBytes += bytes;
    return 0;
  };
}
