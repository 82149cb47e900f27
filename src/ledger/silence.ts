/**
 * What one stretch between two lines of a journal adds at most, milliseconds. A recorder that hears nothing is replaced within a minute
 * or so; in a longer stretch nobody may have recorded at all (the machine was off), or the wall clock was set.
 */
const STRETCH_MS_MAX = 90_000;

/** For how long recorders have tried without new media, over all attempts, as the dates in a journal tell it. */
export class Silence {
  #lastAt: number | undefined;
  #ms = 0;

  /** Media came. */
  broken(at: number): void {
    this.#lastAt = at;
    this.#ms = 0;
  }

  /** Another attempt began. */
  lasts(at: number): void {
    this.#ms = this.msAt(at);
    this.#lastAt = at;
  }

  /** Milliseconds, until this moment (since the epoch). */
  msAt(now: number): number {
    const sinceMs = this.#lastAt === undefined ? 0 : now - this.#lastAt;
    return this.#ms + Math.max(0, Math.min(STRETCH_MS_MAX, sinceMs));
  }
}
