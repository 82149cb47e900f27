import type { MediaFrame } from './mediaUnit.ts';

/** A hole is at least this long, milliseconds: less is jitter of timestamps. */
export const HOLE_MS = 200;
/** And so many times the usual distance of frames. */
const HOLE_FRAMES = 4;
/** After damage, a hole of one frame is one. */
const DAMAGED_HOLE_FRAMES = 0.5;
/** A hole that is longer is none: the clock was set. Milliseconds. */
const JUMP_MS = 600_000;
/** A stream is steady when, of at least so many distances, no more than two are so much longer than usual. */
const STEADY_DISTANCES = 12;
const UNSTEADY_FRAMES = 1.5;
const UNSTEADY_MAX = 2;
/** Distances that the usual one is the middle of; at 25 frames/s those of a second. */
const DISTANCES = 31;
/** What is taken for usual while nothing is known: 25 frames/s. */
const USUAL_MS = 40;
/** Before any distance is known, only this much is a hole. */
const FIRST_HOLE_MS = 2_000;

/** How a frame follows the one before it. `lastedMs`: how long that one lasted. */
export type Step =
  | { readonly step: 'on'; readonly lastedMs: number }
  | { readonly step: 'hole'; readonly lastedMs: number; readonly holeMs: number }
  | { readonly step: 'jump'; readonly lastedMs: number };

export interface Circumstances {
  /** Bytes were lost before the frame: a hole of one frame is one. */
  readonly isDamaged?: boolean;
  /** A new run of the program begins with it, as much later as it may. */
  readonly isLater?: boolean;
}

/** Keeps the account of the timestamps of one stream: what lasted how long, and where time is missing. */
export class FrameClock {
  #last: MediaFrame | undefined;
  readonly #distances: number[] = [];
  #next = 0;
  #usualMs: number | undefined;

  /** How the frame follows; undefined for the first one. */
  step(frame: MediaFrame, circumstances: Circumstances = {}): Step | undefined {
    const step = this.look(frame, circumstances);
    const last = this.#last;
    this.#last = frame;
    if (last !== undefined && step?.step !== 'jump') {
      this.#learn(Math.max(0, frame.startMs - last.startMs));
    }
    return step;
  }

  /** How the frame would follow. */
  look(frame: MediaFrame, circumstances: Circumstances = {}): Step | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const distanceMs = frame.startMs - last.startMs;
    const expectedMs = this.#expected(last);
    const threshold = this.#threshold(circumstances.isDamaged === true);
    const aheadMs = circumstances.isLater === true ? Number.POSITIVE_INFINITY : JUMP_MS;
    if (distanceMs < -Math.max(threshold, HOLE_MS) || distanceMs > aheadMs) {
      return { step: 'jump', lastedMs: expectedMs };
    }
    const isHole = distanceMs - expectedMs > threshold;
    if (isHole) return { step: 'hole', lastedMs: expectedMs, holeMs: distanceMs - expectedMs };
    return { step: 'on', lastedMs: Math.max(0, distanceMs) };
  }

  /** Whether frames came at equal distances lately, but for a few: then one that comes late is missed, and no still picture. */
  get isSteady(): boolean {
    if (this.#distances.length < STEADY_DISTANCES) return false;
    const longest = UNSTEADY_FRAMES * this.usualMs;
    return this.#distances.filter((distance) => distance > longest).length <= UNSTEADY_MAX;
  }

  get usualMs(): number {
    this.#usualMs ??= median(this.#distances) ?? USUAL_MS;
    return this.#usualMs;
  }

  /** How long the last frame lasts, as far as that is known. */
  get lastLastsMs(): number {
    return this.#last === undefined ? 0 : this.#expected(this.#last);
  }

  /** Another clock, ahead by so much. */
  shift(byMs: number): void {
    if (this.#last !== undefined)
      this.#last = { ...this.#last, startMs: this.#last.startMs + byMs };
  }

  /** The next frame is the first one again. */
  reset(): void {
    this.#last = undefined;
  }

  /** A duration in MP4 may cover a hole, so that it counts only while it is a usual one. */
  #expected({ durationMs }: MediaFrame): number {
    if (durationMs === undefined) return this.usualMs;
    return this.#distances.length === 0 ? durationMs : Math.min(durationMs, 2 * this.usualMs);
  }

  #threshold(isDamaged: boolean): number {
    if (isDamaged) return DAMAGED_HOLE_FRAMES * this.usualMs;
    if (this.#distances.length === 0) return FIRST_HOLE_MS;
    return Math.max(HOLE_FRAMES * this.usualMs, HOLE_MS);
  }

  #learn(distanceMs: number): void {
    this.#distances[this.#next] = distanceMs;
    this.#next = (this.#next + 1) % DISTANCES;
    // The middle moves slowly; finding it for every frame would be a tenth of the work for it.
    if (this.#distances.length < DISTANCES || this.#next === 0) this.#usualMs = undefined;
  }
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
}
