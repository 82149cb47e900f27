/**
 * When the streams of one show began, and how long ago. It may wait for the first request, so that what a recorder needs to
 * start does not move the faults that are scheduled for it.
 */
export class ShowClock {
  readonly #now: () => number;
  readonly #onBegin: (() => void)[] = [];
  #begunMs: number | undefined;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The first call counts. */
  begin(): void {
    if (this.#begunMs !== undefined) return;
    this.#begunMs = this.#now();
    for (const act of this.#onBegin) act();
  }

  get hasBegun(): boolean {
    return this.#begunMs !== undefined;
  }

  /** Milliseconds since the beginning; 0 before it. */
  elapsedMs(): number {
    return this.#begunMs === undefined ? 0 : this.#now() - this.#begunMs;
  }

  /** Acts at the beginning, or now when that was before. */
  onBegin(act: () => void): void {
    if (this.hasBegun) act();
    else this.#onBegin.push(act);
  }
}
