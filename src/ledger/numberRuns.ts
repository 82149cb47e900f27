/**
 * A set of whole numbers kept as runs. Sequence numbers settle almost in order, so a recording of any length is one run or
 * a few: membership costs a binary search over them, an addition near the end a constant.
 */
export class NumberRuns {
  /** Run `i` holds the numbers from `#starts[i]` up to, but not with, `#ends[i]`. Runs are sorted and never touch. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** The lowest number, or undefined when the set is empty. */
  get start(): number | undefined {
    return this.#starts[0];
  }

  /** One past the highest number, or undefined when the set is empty. */
  get end(): number | undefined {
    return this.#ends.at(-1);
  }

  has(number: number): boolean {
    const run = this.#runFrom(number);
    return run >= 0 && number < (this.#ends[run] ?? Number.NEGATIVE_INFINITY);
  }

  /** Adds the numbers from `from` up to, but not with, `to`. */
  add(from: number, to: number): void {
    let first = this.#runFrom(from);
    if (first < 0 || (this.#ends[first] ?? 0) < from) first++;
    let last = first;
    let start = from;
    let end = to;
    for (; last < this.#starts.length; last++) {
      const nextStart = this.#starts[last] ?? 0;
      if (nextStart > to) break;
      start = Math.min(start, nextStart);
      end = Math.max(end, this.#ends[last] ?? 0);
    }
    this.#starts.splice(first, last - first, start);
    this.#ends.splice(first, last - first, end);
  }

  /** The runs between `from` and `to` (exclusive) that are not in the set, in order. */
  missing(from: number, to: number): { readonly from: number; readonly to: number }[] {
    const found: { from: number; to: number }[] = [];
    let cursor = from;
    for (let run = Math.max(this.#runFrom(from), 0); run < this.#starts.length; run++) {
      const start = this.#starts[run] ?? 0;
      if (start >= to) break;
      if (start > cursor) found.push({ from: cursor, to: start });
      cursor = Math.max(cursor, this.#ends[run] ?? 0);
    }
    if (cursor < to) found.push({ from: cursor, to });
    return found;
  }

  /** The last run that starts at or before the number, or -1. */
  #runFrom(number: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
