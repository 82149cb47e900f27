/** Stretches of a line, found by what they touch. Those whose beginning is no number are on no line. */
export class Intervals {
  readonly #sorted: { readonly index: number; readonly from: number; readonly to: number }[];
  /** The furthest end of all up to each. */
  readonly #reach: number[] = [];

  constructor(stretches: readonly (readonly [from: number, to: number])[]) {
    this.#sorted = stretches
      .map(([from, to], index) => ({ index, from, to }))
      .filter(({ from }) => !Number.isNaN(from))
      .toSorted((one, other) => one.from - other.from);
    let reach = Number.NEGATIVE_INFINITY;
    for (const { to } of this.#sorted) {
      reach = Math.max(reach, to);
      this.#reach.push(reach);
    }
  }

  /** Numbers of those that touch a stretch, in no order. */
  touching([from, to]: readonly [from: number, to: number]): number[] {
    const found: number[] = [];
    for (let at = this.#firstBehind(to) - 1; at >= 0; at--) {
      if ((this.#reach[at] ?? from) < from) break;
      const stretch = this.#sorted[at];
      if (stretch !== undefined && stretch.to >= from) found.push(stretch.index);
    }
    return found;
  }

  #firstBehind(to: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.from ?? 0) <= to) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
