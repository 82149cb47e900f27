/** A binary heap: the item with the lowest number comes first. Adding and taking cost the logarithm of its size. */
export class Heap<Item> {
  readonly #items: { readonly at: number; readonly item: Item }[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(at: number, item: Item): void {
    const items = this.#items;
    const added = { at, item };
    let index = items.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || parent.at <= at) break;
      items[index] = parent;
      index = above;
    }
    items[index] = added;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return first?.item;
  }

  /** Takes out everything up to this number, in order. */
  popUntil(at: number): Item[] {
    const found: Item[] = [];
    while (this.#items[0] !== undefined && this.#items[0].at <= at) {
      found.push(this.#items[0].item);
      this.pop();
    }
    return found;
  }

  /** The lowest number of an item that counts; those before it are taken out. */
  firstWhere(counts: (item: Item) => boolean): number | undefined {
    while (this.#items[0] !== undefined && !counts(this.#items[0].item)) this.pop();
    return this.#items[0]?.at;
  }

  #sink(one: { readonly at: number; readonly item: Item }): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = items[left + 1];
      const lower = right !== undefined && right.at < (items[left]?.at ?? 0) ? left + 1 : left;
      const child = items[lower];
      if (child === undefined || child.at >= one.at) break;
      items[index] = child;
      index = lower;
    }
    items[index] = one;
  }
}
