/** Nothing more had been waiting when for so long no media has come that was further ahead of its time. Milliseconds. */
const QUIET_MS = 1_000;

/**
 * How far a run gets ahead of real time in its first moments: so much media had been waiting for it at the source, in a live window
 * say, before it began. What comes later comes as it is made.
 */
export class Backlog {
  #since: number | undefined;
  #mostMs = 0;
  #mostAt = Number.NEGATIVE_INFINITY;

  /** `mediaMs`: what the run has put out until `now`, monotonic milliseconds. */
  note(mediaMs: number, now: number): void {
    this.#since ??= now;
    const aheadMs = mediaMs - (now - this.#since);
    if (aheadMs <= this.#mostMs && this.#mostAt > Number.NEGATIVE_INFINITY) return;
    this.#mostMs = Math.max(this.#mostMs, aheadMs);
    this.#mostAt = now;
  }

  /** As far as it has come, milliseconds. */
  get ms(): number {
    return this.#mostMs;
  }

  /** Whether more of it may follow. */
  isComing(now: number): boolean {
    return now - this.#mostAt < QUIET_MS;
  }
}
