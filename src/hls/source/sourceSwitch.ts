/** Failed polls in a row that count as trouble: one is a hiccup. */
const FAILURES_MAX = 2;
/** A playlist that stands still for so many target durations is trouble too: a stuck edge answers 200 for ever. */
const STILL_TARGETS = 3;
/** Before a playlist told its target duration: what most live streams have, milliseconds. */
const TARGET_UNKNOWN_MS = 5_000;
/**
 * A source that failed is tried again after a second, then at intervals that double. While it is needed they grow to half a
 * minute, so that an outage of all sources ends soon after the first of them is back; otherwise to five minutes.
 */
const REST_FIRST_MS = 1_000;
const REST_NEEDED_LAST_MS = 30_000;
const REST_LAST_MS = 300_000;

export interface SourceSwitchOptions {
  /** How many links the job names: the sources 0 to `links` − 1. */
  readonly links: number;
  /** Every link is polled all the time. Default: one source, and others only when it is in trouble. */
  readonly dual: boolean;
}

interface Standing {
  failures: number;
  /** First question since the last answer. */
  askedAt: number | undefined;
  /** Last answer with something new. */
  newAt: number | undefined;
  targetMs: number;
  /** Extra time that was granted to a question: the origin may hold the answer back. */
  graceMs: number;
  rests: number;
  restedAt: number;
}

/**
 * Which sources are polled: the active one, and beside it the next one while the active one is in trouble. The next one takes
 * over with its first usable playlist, and the old one is tried again at growing intervals, as the fallback of the future.
 * Pure: time comes in as an argument, in monotonic milliseconds.
 */
export class SourceSwitch {
  readonly #options: SourceSwitchOptions;
  readonly #standings: Standing[] = [];
  #active = 0;
  #beside: number | undefined;

  constructor(options: SourceSwitchOptions) {
    this.#options = options;
    this.grow(options.links);
  }

  /** The source that the recording rests on. */
  get active(): number {
    return this.#active;
  }

  /** This source has answered first. */
  begin(source: number): void {
    this.#of(source);
    this.#active = source;
  }

  /** There are so many sources now: redundant addresses come after the links. */
  grow(count: number): void {
    while (this.#standings.length < count) {
      this.#standings.push({
        failures: 0,
        askedAt: undefined,
        newAt: undefined,
        targetMs: TARGET_UNKNOWN_MS,
        graceMs: 0,
        rests: 0,
        restedAt: Number.NEGATIVE_INFINITY,
      });
    }
  }

  /** The sources that are to be polled, each at its own pace. */
  wanted(now: number): number[] {
    this.#look(now);
    return [...this.#standings.keys()].filter((source) => {
      if (source === this.#active || source === this.#beside) return true;
      const { rests } = this.#of(source);
      const isWanted = rests > 0 || (this.#options.dual && source < this.#options.links);
      return isWanted && now >= this.#restsUntil(source, REST_LAST_MS);
    });
  }

  /** When the active source counts as silent if it does not answer before; not finite when nothing is asked. */
  wakeAt(now: number): number {
    const { askedAt, targetMs, graceMs } = this.#of(this.#active);
    const at = askedAt === undefined ? undefined : askedAt + targetMs + graceMs + 1;
    const isNews = at !== undefined && at > now && this.#standings.length > 1;
    return isNews ? at : Number.POSITIVE_INFINITY;
  }

  /** A poll was sent. `graceMs`: how long the origin may hold its answer back. */
  asked(source: number, now: number, graceMs = 0): void {
    const standing = this.#of(source);
    standing.askedAt ??= now;
    standing.graceMs = graceMs;
    // A fallback of the future is asked once, and then left alone for longer.
    if (!this.#isPolled(source)) this.#rest(source, now);
  }

  /** A usable playlist came; `isNew`: it says something that the source had not said before. */
  answered(source: number, answer: { now: number; isNew: boolean; targetMs?: number }): void {
    const { now, isNew, targetMs } = answer;
    const standing = this.#of(source);
    standing.failures = 0;
    standing.askedAt = undefined;
    if (isNew || standing.newAt === undefined) standing.newAt = now;
    if (targetMs !== undefined && targetMs > 0) standing.targetMs = targetMs;
    if (this.#isPolled(source)) standing.rests = 0;
    if (source === this.#active) {
      if (!this.#isInTrouble(now)) this.#beside = undefined;
      return;
    }
    if (!this.#isInTrouble(now)) return;
    this.#rest(this.#active, now);
    this.#active = source;
    this.#beside = undefined;
    standing.rests = 0;
    // It has as much time as any other before it counts as standing still.
    standing.newAt = now;
  }

  failed(source: number, now: number): void {
    const standing = this.#of(source);
    standing.failures++;
    if (source === this.#active || standing.failures < FAILURES_MAX) return;
    if (this.#isPolled(source)) this.#rest(source, now);
    if (source === this.#beside) this.#beside = undefined;
  }

  /** Opens the next source when the active one is in trouble, and lets it be when that is over. */
  #look(now: number): void {
    if (!this.#isInTrouble(now)) {
      this.#beside = undefined;
      return;
    }
    if (this.#beside !== undefined && this.#isSilent(this.#beside, now)) {
      this.#rest(this.#beside, now);
      this.#beside = undefined;
    }
    this.#beside ??= this.#next(now);
  }

  /** In the order of preference, beginning behind the active one. */
  #next(now: number): number | undefined {
    const count = this.#standings.length;
    for (let step = 1; step < count; step++) {
      const source = (this.#active + step) % count;
      if (now < this.#restsUntil(source, REST_NEEDED_LAST_MS)) continue;
      // Failures of an earlier time tell nothing about now.
      const standing = this.#of(source);
      standing.failures = 0;
      standing.askedAt = undefined;
      return source;
    }
    return undefined;
  }

  #isInTrouble(now: number): boolean {
    const { failures, newAt, targetMs } = this.#of(this.#active);
    const isStill = newAt !== undefined && now - newAt > STILL_TARGETS * targetMs;
    return failures >= FAILURES_MAX || isStill || this.#isSilent(this.#active, now);
  }

  #isSilent(source: number, now: number): boolean {
    const { askedAt, targetMs, graceMs } = this.#of(source);
    return askedAt !== undefined && now - askedAt > targetMs + graceMs;
  }

  /** Asked all the time, so that its answers say how it is. */
  #isPolled(source: number): boolean {
    return (
      source === this.#active ||
      source === this.#beside ||
      (this.#options.dual && source < this.#options.links)
    );
  }

  #rest(source: number, now: number): void {
    const standing = this.#of(source);
    standing.rests++;
    standing.restedAt = now;
    standing.failures = 0;
    standing.askedAt = undefined;
  }

  #restsUntil(source: number, longestMs: number): number {
    const { rests, restedAt } = this.#of(source);
    if (rests === 0) return Number.NEGATIVE_INFINITY;
    return restedAt + Math.min(longestMs, REST_FIRST_MS * 2 ** (rests - 1));
  }

  #of(source: number): Standing {
    const standing = this.#standings[source];
    if (standing === undefined) throw new Error(`there is no source ${source}`);
    return standing;
  }
}
