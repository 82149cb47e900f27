import type { Clock } from '../../core/clock.ts';

/** A rate follows a change of bit rate within so many milliseconds; bursts of one segment are shorter. */
const SMOOTHING_MS = 10_000;
/** Shorter spans between two reports tell nothing. */
const SPAN_MS_MIN = 500;

/** How much one recorder receives, as it was reported. */
export class RecorderLoad {
  readonly #clock: Clock;
  #at: number;
  #bytes = 0;
  #rate: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.elapsed();
  }

  /** Bytes a second; undefined until two reports have come. */
  get bytesPerSecond(): number | undefined {
    return this.#rate;
  }

  /** @param bytes all that it has received so far */
  report(bytes: number): void {
    const now = this.#clock.elapsed();
    const spanMs = now - this.#at;
    if (spanMs < SPAN_MS_MIN) return;
    const rate = (Math.max(0, bytes - this.#bytes) * 1_000) / spanMs;
    const weight = Math.min(1, spanMs / SMOOTHING_MS);
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * weight;
    this.#at = now;
    this.#bytes = bytes;
  }
}
