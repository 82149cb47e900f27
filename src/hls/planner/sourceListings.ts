import type { PlaylistSegment } from '../playlist/model.ts';
import type { Place } from './history.ts';
import { covers, isGapAt, type Listing, segmentAt } from './listing.ts';

/** What each source lists now. A source that rests has its list kept, but it does not count. */
export class SourceListings {
  readonly #listings = new Map<number, Listing>();
  readonly #resting = new Set<number>();

  /** Also of a source that rests. */
  get(source: number): Listing | undefined {
    return this.#listings.get(source);
  }

  isResting(source: number): boolean {
    return this.#resting.has(source);
  }

  /** The lists that count. */
  active(): Listing[] {
    return [...this.#listings.values()].filter(({ source }) => !this.#resting.has(source));
  }

  set(listing: Listing): void {
    this.#listings.set(listing.source, listing);
  }

  wake(source: number): void {
    this.#resting.delete(source);
  }

  rest(source: number): void {
    this.#resting.add(source);
  }

  delete(source: number): void {
    this.#listings.delete(source);
    this.#resting.delete(source);
  }

  clear(): void {
    this.#listings.clear();
    this.#resting.clear();
  }

  /** Whether a source lists it and does not say that it is missing. */
  isListed({ epoch, msn }: Place): boolean {
    for (const [source, listing] of this.#listings) {
      if (this.#resting.has(source) || listing.epoch !== epoch) continue;
      if (covers(listing, msn) && !isGapAt(listing, msn)) return true;
    }
    return false;
  }

  /** As the sources list it. A list that was cut has no address for its head. */
  segmentsAt({ epoch, msn }: Place): Map<number, PlaylistSegment> {
    const found = new Map<number, PlaylistSegment>();
    for (const [source, listing] of this.#listings) {
      if (this.#resting.has(source) || listing.epoch !== epoch || !covers(listing, msn)) continue;
      const segment = segmentAt(listing, msn);
      if (segment !== undefined) found.set(source, segment);
    }
    return found;
  }
}
