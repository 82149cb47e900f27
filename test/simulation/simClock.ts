interface Timer {
  readonly due: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/**
 * Virtual time: a binary heap of timers, ordered by due time and then by arrival, so that a run is the same every time.
 * XState's own SimulatedClock fires a 10 ms ticker once when it is moved by 100 ms, and sorts all timers on each move.
 */
export class SimClock {
  now = 0;
  #order = 0;
  #pending = 0;
  readonly #heap: Timer[] = [];

  /** Timers that will still fire. */
  get pending(): number {
    return this.#pending;
  }

  setTimeout = (callback: () => void, delayMs: number): Timer => {
    const timer: Timer = {
      due: this.now + Math.max(0, delayMs),
      order: this.#order++,
      callback,
    };
    this.#pending++;
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  };

  clearTimeout = (timer: unknown): void => {
    const known = timer as Timer | undefined;
    if (!known?.callback) return;
    known.callback = undefined;
    this.#pending--;
  };

  /** When the next timer fires; undefined when there is none. */
  get nextDue(): number | undefined {
    while (this.#heap[0] && !this.#heap[0].callback) this.#pop();
    return this.#heap[0]?.due;
  }

  /** Fires the next timer; false when there is none. */
  step(): boolean {
    for (let timer = this.#pop(); timer; timer = this.#pop()) {
      if (!timer.callback) continue;
      this.now = timer.due;
      this.#pending--;
      const { callback } = timer;
      timer.callback = undefined;
      callback();
      return true;
    }
    return false;
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (!x || !y) return false;
    return x.due < y.due || (x.due === y.due && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (!x || !y) return;
    this.#heap[a] = y;
    this.#heap[b] = x;
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): Timer | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (!top || !last || this.#heap.length === 0) return top;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) return top;
      if (child + 1 < this.#heap.length && this.#isBefore(child + 1, child)) child++;
      if (!this.#isBefore(child, at)) return top;
      this.#swap(child, at);
      at = child;
    }
  }
}
