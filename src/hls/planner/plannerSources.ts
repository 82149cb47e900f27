import { PlannerSource } from './plannerSource.ts';

/** A source that was to be polled so many times in a row and was not is not polled any more: whoever polls has left it. */
const PASSED_OVER_MAX = 3;

/** The job's links as far as they were polled. */
export class PlannerSources {
  readonly #sources = new Map<number, PlannerSource>();
  readonly #underWay = new Map<number, PlannerSource>();
  #polls = 0;

  /** A poll was sent; returns its number. */
  sent(source: number, now: number): number {
    const asked = this.of(source, now);
    this.#polls++;
    asked.passedOver = 0;
    asked.polls.sent(this.#polls, now);
    this.#underWay.set(this.#polls, asked);
    return this.#polls;
  }

  /** Whose poll this was. */
  answered(poll: number, now: number): PlannerSource {
    const source = this.#underWay.get(poll) ?? this.of(0, now);
    this.#underWay.delete(poll);
    return source;
  }

  of(number: number, now: number): PlannerSource {
    let source = this.#sources.get(number);
    if (source === undefined) {
      source = new PlannerSource(number, now);
      this.#sources.set(number, source);
    }
    return source;
  }

  /** What is known of it, or what would be of one that was never polled. */
  peek(number: number, now: number): PlannerSource {
    return this.#sources.get(number) ?? new PlannerSource(number, now);
  }

  get count(): number {
    return this.#sources.size;
  }

  /** In order of preference. */
  all(): PlannerSource[] {
    return [...this.#sources.values()].sort((a, b) => a.number - b.number);
  }

  /** The source that is to be polled next, and when; undefined before any was polled and when none is to be. */
  due(now: number): { readonly source: PlannerSource; readonly at: number } | undefined {
    let due: { source: PlannerSource; at: number } | undefined;
    for (const source of this.all()) {
      if (source.ended || (this.#sources.size > 1 && source.passedOver >= PASSED_OVER_MAX))
        continue;
      const { at } = source.polls;
      if (at <= now) source.passedOver++;
      if (due === undefined || at < due.at) due = { source, at };
    }
    return due;
  }

  /** Whether one of the joined sources still answers. */
  anyGoesOn(now: number, isJoined: (source: number) => boolean): boolean {
    return this.all().some((one) => isJoined(one.number) && !one.isSilent(now));
  }

  /** Sources that are gone while others go on: what they list counts no more. */
  goneBeside(now: number): number[] {
    const sources = this.all();
    const gone = sources.filter((source) => !source.ended && source.isGone(now));
    return gone.length === sources.length ? [] : gone.map(({ number }) => number);
  }

  isGone(number: number, now: number): boolean {
    const source = this.#sources.get(number);
    return source === undefined || source.ended || source.isGone(now);
  }

  /** The source that is preferred: the first that is not gone. */
  lead(now: number, isJoined: (source: number) => boolean): number {
    const joined = this.all().filter(({ number }) => isJoined(number));
    const lead = joined.find(({ number }) => !this.isGone(number, now)) ?? joined[0];
    return lead?.number ?? 0;
  }

  /**
   * Until when it is worth waiting for other sources to list what this one does not; undefined where there are none. One that
   * is not joined yet may soon be.
   */
  mirroredUntil(source: PlannerSource, now: number): number | undefined {
    let until: number | undefined;
    for (const other of this.#sources.values()) {
      if (other === source || this.isGone(other.number, now)) continue;
      until = Math.max(until ?? now, other.expiry(now));
    }
    return until;
  }
}
