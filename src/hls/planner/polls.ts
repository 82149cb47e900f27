/** Polls under way at once (measured: one hung poll then costs nothing, `test/bench` "origin hangs"). */
const POLLS_MAX = 4;
const INTERVAL_MIN_MS = 250;
/** Waits after a failed poll: 250 ms, doubled each time, up to a second. */
const FAILED_FIRST_MS = 250;
const FAILED_LAST_MS = 1_000;
/** A poll that takes longer than this many target durations is given up: the next ones are on their way. */
const TIMEOUT_TARGETS = 1.5;
/** Short segments do not make a slow origin faster, milliseconds. */
const TIMEOUT_MIN_MS = 1_500;
/**
 * While none answers, one of the polls under way has more patience: slow answers are better than none. What it lists is worth having
 * while the segments can still be in the window, which is three target durations at least.
 */
const PATIENT_TARGETS = 4;
const PATIENT_MIN_MS = 10_000;
/** Once an answer took its time, the others get so many times that. */
const SLOW_FACTOR = 2;
/** Before any playlist told its target duration: time for a master playlist, a variant and two TLS handshakes. */
const TIMEOUT_UNKNOWN_MS = 5_000;
/** An origin that holds its answer back may do so for three target durations (RFC 8216bis §6.2.5.2), the way there and back apart. */
const HOLD_TARGETS = 3;

/** When to ask one source for its playlist. */
export class PlannerPolls {
  #intervalMs = INTERVAL_MIN_MS;
  #sentAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** Polls under way, and when each was sent. */
  readonly #outstanding = new Map<number, number>();
  /** The one of them that has more patience. */
  #patient: number | undefined;
  /** How long the last answer took. */
  #tookMs = 0;
  #failures = 0;
  #blocking = false;
  #targetDurationMs = 0;

  sent(poll: number, now: number): void {
    if (this.#isPatient) this.#patient = poll;
    this.#sentAt = now;
    this.#outstanding.set(poll, now);
  }

  /** An answer came. Answers may overtake each other: the timeline tells an older one by what it lists. */
  answered(poll: number, now: number): void {
    this.#tookMs = now - (this.#outstanding.get(poll) ?? now);
    this.#over(poll);
    this.#failures = 0;
    this.#answeredAt = now;
  }

  failed(poll: number): void {
    this.#over(poll);
    this.#failures++;
    this.#intervalMs = Math.min(FAILED_LAST_MS, FAILED_FIRST_MS * 2 ** (this.#failures - 1));
  }

  /** What the last accepted playlist says of the pace: its target duration, and whether its origin holds answers back. */
  paced(targetDurationMs: number, blocking: boolean): void {
    this.#targetDurationMs = targetDurationMs;
    this.#blocking = blocking;
  }

  /**
   * After a new playlist: wait as long as its last segment lasts, or hardly at all where the origin holds the next answer back;
   * after an unchanged one half of that.
   */
  next(lastDurationMs: number, changed: boolean): void {
    const waitMs = changed ? lastDurationMs : lastDurationMs / 2;
    this.#intervalMs = this.#blocking && changed ? 0 : Math.max(INTERVAL_MIN_MS, waitMs);
  }

  /** Polls without an answer since the last one. */
  get unanswered(): number {
    return this.#failures + this.#outstanding.size;
  }

  get sentAt(): number {
    return this.#sentAt;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Whether the next poll may ask the origin to hold its answer back until there is something new. */
  get blocking(): boolean {
    // While one is held, the next is to find out whether the origin still answers at all; so is the one after a failure.
    return this.#blocking && this.#outstanding.size === 0 && this.#failures === 0;
  }

  /** Not finite while as many are under way as may be. */
  get at(): number {
    if (this.#outstanding.size >= POLLS_MAX) return Number.POSITIVE_INFINITY;
    if (!this.#blocking || this.#failures > 0) return this.#sentAt + this.#intervalMs;
    // A healthy origin answers a held poll within one target duration and a little more.
    if (this.#outstanding.size > 0) return this.#sentAt + this.#ordinaryMs;
    return Math.max(this.#sentAt + this.#intervalMs, this.#answeredAt + INTERVAL_MIN_MS);
  }

  /** Time for the next poll, milliseconds. */
  get timeoutMs(): number {
    if (this.blocking) return this.#ordinaryMs + HOLD_TARGETS * this.#targetDurationMs;
    return this.#isPatient ? this.#patientMs : Math.max(this.#ordinaryMs, this.#slowMs);
  }

  /** The next poll is the patient one: others are not answered, and none of them is it. */
  get #isPatient(): boolean {
    return this.unanswered > 0 && this.#patient === undefined;
  }

  get #ordinaryMs(): number {
    if (this.#targetDurationMs === 0) return TIMEOUT_UNKNOWN_MS;
    return Math.max(TIMEOUT_MIN_MS, TIMEOUT_TARGETS * this.#targetDurationMs);
  }

  get #patientMs(): number {
    return Math.max(PATIENT_MIN_MS, PATIENT_TARGETS * this.#targetDurationMs);
  }

  /** An answer that was held back says nothing about how slow the origin is. */
  get #slowMs(): number {
    return this.#blocking ? 0 : Math.min(this.#patientMs, SLOW_FACTOR * this.#tookMs);
  }

  #over(poll: number): void {
    this.#outstanding.delete(poll);
    if (this.#patient === poll) this.#patient = undefined;
  }
}
