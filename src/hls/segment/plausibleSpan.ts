import { invalid } from '../../recording/files/container.ts';

/** Less than this part of what the playlist says is too little: rounding alone makes at most a fifth (3.34 s told as 4). */
const SPAN_SHARE_MIN = 0.75;
/** Below that, rounding is all there is to see, milliseconds. */
const DURATION_MS_MIN = 500;
/** So often it is asked for again before the origin is believed that it has no more. */
const REFUSALS_MAX = 2;
/** After so many segments that really were that short, the playlist's durations are not to be believed. */
const CONFIRMED_MAX = 3;
/** Refused segments that are remembered: more than can be under way at once. */
const REMEMBERED_MAX = 256;

/**
 * Whether a segment lasts as long as its playlist says. Half of a segment with a length that agrees is whole as far as HTTP and the
 * container can tell; only its timestamps show that the rest is missing. A playlist that is wrong about durations costs a few
 * downloads, and then it is known.
 */
export class PlausibleSpan {
  readonly #refusals = new Map<string, number>();
  #confirmed = 0;

  /** `name`: of the segment within its recording. Throws `segment.invalid` while another try may bring the rest. */
  check(name: string, spanMs: number | undefined, durationMs: number): void {
    if (spanMs === undefined || durationMs < DURATION_MS_MIN) return;
    const refusals = this.#refusals.get(name) ?? 0;
    this.#refusals.delete(name);
    if (spanMs >= durationMs * SPAN_SHARE_MIN || this.#confirmed >= CONFIRMED_MAX) return;
    if (refusals >= REFUSALS_MAX) {
      this.#confirmed++;
      return;
    }
    this.#refusals.set(name, refusals + 1);
    for (const oldest of this.#refusals.keys()) {
      if (this.#refusals.size <= REMEMBERED_MAX) break;
      this.#refusals.delete(oldest);
    }
    const rounded = Math.round(spanMs);
    throw invalid(`it lasts ${rounded} of ${durationMs} ms`, { spanMs: rounded, durationMs });
  }
}
