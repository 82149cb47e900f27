/** Polls under way at once (measured: one hung poll then costs nothing, `test/bench` "origin hangs"). */
const POLLS_MAX = 4;
const INTERVAL_MIN_MS = 250;
/** Waits after a failed poll: 250 ms, doubled each time, up to a second. */
const FAILED_FIRST_MS = 250;
const FAILED_LAST_MS = 1_000;
/** A poll that takes longer than this many target durations is given up. */
const TIMEOUT_TARGETS = 1.5;
/** Short segments do not make a slow origin faster, milliseconds. */
const TIMEOUT_MIN_MS = 1_500;
/** Before any playlist told its target duration: time for a master playlist, a variant and two TLS handshakes. */
const TIMEOUT_UNKNOWN_MS = 5_000;

/** When to ask for the playlist. */
export class PlannerPolls {
  #intervalMs = INTERVAL_MIN_MS;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sent = 0;
  readonly #outstanding = new Set<number>();
  #failures = 0;

  /** A poll was sent; returns its number. */
  sent(now: number): number {
    this.#sentAt = now;
    this.#sent++;
    this.#outstanding.add(this.#sent);
    return this.#sent;
  }

  /** An answer came. Answers may overtake each other: the timeline tells an older one by what it lists. */
  answered(poll: number): void {
    this.#outstanding.delete(poll);
    this.#failures = 0;
  }

  failed(poll: number): void {
    this.#outstanding.delete(poll);
    this.#failures++;
    this.#intervalMs = Math.min(FAILED_LAST_MS, FAILED_FIRST_MS * 2 ** (this.#failures - 1));
  }

  /** After a new playlist: wait as long as its last segment lasts; after an unchanged one half of that. */
  next(lastDurationMs: number, changed: boolean): void {
    this.#intervalMs = Math.max(INTERVAL_MIN_MS, changed ? lastDurationMs : lastDurationMs / 2);
  }

  /** Not finite while as many are under way as may be. */
  get at(): number {
    if (this.#outstanding.size >= POLLS_MAX) return Number.POSITIVE_INFINITY;
    return this.#sentAt + this.#intervalMs;
  }

  static timeoutMs(targetDurationMs: number): number {
    if (targetDurationMs === 0) return TIMEOUT_UNKNOWN_MS;
    return Math.max(TIMEOUT_MIN_MS, TIMEOUT_TARGETS * targetDurationMs);
  }
}
