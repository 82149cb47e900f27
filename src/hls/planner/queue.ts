import type { SegmentKey } from '../../ledger/record.ts';
import { retryMs, tryMs } from './fetchTiming.ts';
import { Heap } from './heap.ts';
import type { Place } from './history.ts';
import { covers, type Listing, listingFrom, segmentAt } from './listing.ts';
import { SourceListings } from './sourceListings.ts';
import {
  type Advertised,
  addresses,
  type FetchFailure,
  type FetchOrder,
  type LostSegment,
  readdressed,
  type SourcedSegment,
  type Waiting,
} from './waiting.ts';
import { WaitingSegments } from './waitingSegments.ts';

export type { FetchFailure, FetchOrder, LostSegment, SourcedSegment } from './waiting.ts';

/** Segments fetched at once. Three keep up when one hangs and one is slow, and cost no peer's patience. */
export const FETCHES_MAX = 3;
/** Of these, at most so many for segments that failed before, so that sick ones never block the fresh. */
const RETRIES_MAX = 2;

/**
 * Downloaded segments whose journal lines wait for the disk take up no fetch, up to so many: an hour of 1 s segments, at 0.5 KB
 * for a line 2 MB. Beyond that nothing new is fetched until the journal can be written again.
 */
const LANDED_MAX = 4_096;

/** Settled segments that may lie among the refused ones before they are thrown out. */
const REFUSED_KEPT = 64;

/** After ENDLIST nothing leaves the window: what is refused for `refusedMs` is lost. */
interface QueueEnd {
  readonly endedAt: number;
  readonly refusedMs: number;
}

/**
 * The advertised segments that are neither stored nor lost yet. What the sources list is kept as lists, and only what comes into
 * a list or leaves it is touched: a playlist that moves on by one segment costs the same however many wait.
 */
export class PlannerQueue {
  readonly #segments = new WaitingSegments();
  readonly #listings = new SourceListings();
  /** Never tried, in the order they were advertised. */
  readonly #untried = new Heap<Waiting>();
  /** To be tried again at a time; when that has come, in the order they were advertised. */
  readonly #later = new Heap<Waiting>();
  readonly #again = new Heap<Waiting>();
  /** Unlisted, by when their time is over. */
  readonly #leaving = new Heap<Waiting>();
  readonly #refused = new Heap<Waiting>();
  /** Failed for good. */
  #hopeless: Waiting[] = [];
  #fetching = 0;
  #retrying = 0;
  #landed = 0;
  #missing = 0;

  get size(): number {
    return this.#segments.size;
  }

  /** Those that can be fetched. */
  get open(): number {
    return this.#segments.size - this.#missing;
  }

  get fetching(): number {
    return this.#fetching + Math.max(0, this.#landed - LANDED_MAX);
  }

  get untried(): boolean {
    return this.#segments.all().some(({ tries, state }) => tries === 0 && state !== 'landed');
  }

  has(place: Place): boolean {
    return this.#segments.get(place) !== undefined;
  }

  /** The number of this epoch that was advertised first. */
  oldest(epoch: number): number | undefined {
    return this.#segments.oldest(epoch);
  }

  add(advertised: Advertised, now: number): void {
    const { key, first, failure, durationMs, isNamed = false, expiresAt } = advertised;
    const one = this.#segments.add({ key, first, durationMs, isNamed, expiresAt });
    one.failure = failure;
    if (first !== undefined) this.#untried.push(one.order, one);
    else this.#missing++;
    if (this.#isListed(one)) return;
    one.unlistedAt = now;
    this.#leaving.push(expiresAt, one);
  }

  /**
   * A source's playlist was accepted: this is listed (under newer addresses), what it listed else is not any more. `freshFrom`: the
   * first number that will be added, if any.
   */
  relist(listing: Listing, now: number, freshFrom = listing.end): void {
    const { source, epoch, first, end } = listing;
    const before = this.#listings.isResting(source) ? undefined : this.#listings.get(source);
    this.#listings.wake(source);
    const waiting = this.#segments.oldest(epoch);
    this.#listings.set(listingFrom(listing, Math.min(waiting ?? end, freshFrom)));
    if (waiting === undefined) return;
    const was = before ?? { first: end, end };
    const each = (from: number, to: number, what: (place: Place) => void) => {
      for (let msn = from; msn < to; msn++) what({ epoch, msn });
    };
    if (before !== undefined) {
      const leave = (place: Place) => this.#left(place, before, now);
      each(was.first, Math.min(was.end, first), leave);
      each(Math.max(was.first, end), was.end, leave);
    }
    each(first, Math.min(end, was.first), (place) => this.#arrived(place));
    each(Math.max(first, was.end), end, (place) => this.#arrived(place));
  }

  /** The same playlist came again from this source. */
  listedAgain(source: number, expiresAt: number, now: number): void {
    const listing = this.#listings.get(source);
    if (listing === undefined) return;
    if (this.#listings.isResting(source)) this.relist({ ...listing, expiresAt }, now);
    else this.#listings.set({ ...listing, expiresAt });
  }

  /** What the source lists counts no more until it answers again: nothing was heard of it for long. */
  rest(source: number, now: number): void {
    const listing = this.#listings.get(source);
    if (listing === undefined || this.#listings.isResting(source)) return;
    this.#listings.rest(source);
    this.#leftAll(listing, now);
  }

  /** What the source lists cannot be told any more. */
  forget(source: number, now: number): void {
    const listing = this.#listings.get(source);
    if (listing === undefined) return;
    const isResting = this.#listings.isResting(source);
    this.#listings.delete(source);
    if (!isResting) this.#leftAll(listing, now);
  }

  /** Numbers mean something else from here on: what waits has left every list. */
  openEpoch(now: number): void {
    const listings = this.#listings.active();
    this.#listings.clear();
    for (const listing of listings) this.#leftAll(listing, now);
  }

  /** It is listed under another number now. */
  moved(place: Place, { source, segment }: SourcedSegment, expiresAt: number): void {
    const one = this.#segments.get(place);
    if (one === undefined || segment.gap) return;
    const first = one.first?.source === source ? one.first.segment : undefined;
    one.kept.set(source, first === undefined ? segment : readdressed(first, segment));
    one.expiresAt = expiresAt;
    this.#leaving.push(expiresAt, one);
  }

  /** Takes what may begin now; it counts as under way until `fetched` or `failed`. */
  take(now: number, free: number, lead = 0): FetchOrder[] {
    this.#ripen(now);
    const orders: FetchOrder[] = [];
    while (orders.length < free && this.#retrying < RETRIES_MAX) {
      const one = this.#again.pop();
      if (one === undefined) break;
      if (one.state !== 'waiting') continue;
      this.#retrying++;
      orders.push(this.#order(one, now, lead));
    }
    while (orders.length < free) {
      const one = this.#untried.pop();
      if (one === undefined) break;
      if (one.state === 'waiting') orders.push(this.#order(one, now, lead));
    }
    return orders;
  }

  /** Its file is durable: only the journal is waited for. */
  landed(key: SegmentKey): void {
    const one = this.#segments.get(key);
    if (one === undefined || one.state === 'landed') return;
    this.#end(one);
    one.state = 'landed';
    this.#landed++;
  }

  /** It is stored: the sources whose bytes they are, where that can be told. Undefined when it was not waited for any more. */
  fetched(key: SegmentKey): readonly number[] | undefined {
    const one = this.#segments.get(key);
    if (one === undefined) return undefined;
    this.#remove(one);
    return one.from;
  }

  failed(key: SegmentKey, failure: FetchFailure, at: { now: number; jitter: number }): void {
    const one = this.#segments.get(key);
    if (one === undefined) return;
    this.#end(one);
    one.state = 'waiting';
    one.tries++;
    if (failure.isFinal === true) this.#hopeless.push(one);
    // The origin had it while the disk would not take it. That it has left the window since is not why it is lost.
    const wasDisk = one.failure?.cause === 'disk' && one.unlistedAt !== undefined;
    if (!wasDisk) one.failure = failure;
    one.dueAt = at.now + retryMs(one.tries, at.jitter);
    this.#later.push(one.dueAt, one);
    if (failure.cause === 'timeout') one.timeouts++;
    else if (failure.cause !== 'network' && one.refusedAt === undefined) {
      one.refusedAt = at.now;
      this.#refuse(one, at.now);
    }
    if (!one.overdue) return;
    one.overdue = false;
    if (one.unlistedAt !== undefined) this.#leaving.push(one.expiresAt, one);
    if (one.refusedAt !== undefined) this.#refuse(one, one.refusedAt);
  }

  /**
   * Removes those whose time is over: failed for good, or in no window, and tried once more after that was known. After ENDLIST:
   * refused for too long, or without an address.
   */
  expire(now: number, ended?: QueueEnd): LostSegment[] {
    const lost = new Set(this.#hopeless.filter(({ state }) => state === 'waiting'));
    this.#hopeless = [];
    if (ended === undefined) {
      for (const one of this.#leaving.popUntil(now)) if (this.#isOver(one, now)) lost.add(one);
    } else {
      const refusedUntil =
        now < ended.endedAt + ended.refusedMs ? undefined : now - ended.refusedMs;
      if (refusedUntil !== undefined) {
        for (const one of this.#refused.popUntil(refusedUntil)) {
          if (one.state === 'waiting') lost.add(one);
          else one.overdue = true;
        }
      }
      if (this.#missing > 0) {
        for (const one of this.#segments.all()) if (one.state === 'missing') lost.add(one);
      }
    }
    return this.#lose([...lost]);
  }

  /** Removes all, each with its last failure, or with this one. */
  giveUp(otherwise: FetchFailure, always = false): LostSegment[] {
    const all = this.#segments.all();
    return this.#lose(all, (one) => (always ? otherwise : (one.failure ?? otherwise)));
  }

  /** When something can next be taken or expire; undefined while only answers can change anything. */
  wakeAt(now: number, ended?: QueueEnd): number | undefined {
    const due = this.#later.firstWhere((one) => one.state === 'waiting');
    const over =
      ended === undefined
        ? this.#leaving.firstWhere((one) => one.state !== 'settled' && one.unlistedAt !== undefined)
        : undefined;
    const refused =
      ended === undefined
        ? undefined
        : this.#refused.firstWhere(({ state }) => state !== 'settled');
    const refusedAt = refused && ended && Math.max(refused, ended.endedAt) + ended.refusedMs;
    let at: number | undefined;
    for (const candidate of [due, over, refusedAt]) {
      if (candidate !== undefined && candidate > now) at = Math.min(at ?? candidate, candidate);
    }
    return at;
  }

  /** Whether its time in the window is over. What is under way, or owed a try, is looked at again when that has failed. */
  #isOver(one: Waiting, now: number): boolean {
    if (one.state === 'settled' || one.unlistedAt === undefined) return false;
    if (one.expiresAt > now) {
      this.#leaving.push(one.expiresAt, one);
      return false;
    }
    if (one.state === 'missing') return true;
    const isTried = one.failure !== undefined && one.triedAt >= one.unlistedAt;
    if (one.state === 'waiting' && isTried) return true;
    one.overdue = true;
    return false;
  }

  #order(one: Waiting, now: number, lead: number): FetchOrder {
    one.state = 'fetching';
    one.triedAt = now;
    this.#fetching++;
    const [preferred, ...mirrors] = addresses(one, this.#listings.segmentsAt(one.key), lead);
    if (preferred === undefined) throw new Error('a segment without an address was to be fetched');
    const same = mirrors.filter(({ segment }) => segment.identity === preferred.segment.identity);
    // Where it may come from under different names, nobody knows whose bytes it will be.
    one.from =
      same.length === mirrors.length ? [preferred, ...same].map(({ source }) => source) : [];
    const timeoutMs = tryMs(one.durationMs, one.timeouts);
    const isLast = one.unlistedAt !== undefined;
    const { key, tries } = one;
    return { purpose: 'store', key, ...preferred, mirrors, tries, timeoutMs, isLast };
  }

  /** The try is over. */
  #end(one: Waiting): void {
    if (one.state === 'landed') this.#landed--;
    if (one.state === 'missing') this.#missing--;
    if (one.state !== 'fetching') return;
    this.#fetching--;
    if (one.tries > 0) this.#retrying--;
  }

  #remove(one: Waiting): void {
    this.#end(one);
    one.state = 'settled';
    this.#segments.remove(one.key);
  }

  /** What is due now waits for its turn only. */
  #ripen(now: number): void {
    for (const one of this.#later.popUntil(now)) {
      if (one.state === 'waiting') this.#again.push(one.order, one);
    }
  }

  #isListed({ key, state }: Waiting): boolean {
    // A list that was cut names no address for its head, which is no reason to think that it has left the window.
    if (state === 'missing') return this.#listings.segmentsAt(key).size > 0;
    return this.#listings.isListed(key);
  }

  /** Only looked at after ENDLIST; until then what was settled since is thrown out now and then. */
  #refuse(one: Waiting, at: number): void {
    this.#refused.push(at, one);
    if (this.#refused.size <= 2 * this.#segments.size + REFUSED_KEPT) return;
    while (this.#refused.pop() !== undefined);
    for (const open of this.#segments.all()) {
      if (open.refusedAt !== undefined) this.#refused.push(open.refusedAt, open);
    }
  }

  #leftAll(listing: Listing, now: number): void {
    const { epoch } = listing;
    for (const { key } of this.#segments.all(epoch)) {
      if (covers(listing, key.msn)) this.#left(key, listing, now);
    }
  }

  #left(place: Place, before: Listing, now: number): void {
    const one = this.#segments.get(place);
    if (one === undefined) return;
    const segment = segmentAt(before, place.msn);
    if (segment !== undefined) {
      const first = one.first?.source === before.source ? one.first.segment : undefined;
      const kept = first === undefined ? segment : readdressed(first, segment);
      one.kept.set(before.source, kept);
    }
    if (this.#isListed(one)) return;
    one.unlistedAt ??= now;
    one.expiresAt = Math.max(one.expiresAt, before.expiresAt);
    this.#leaving.push(one.expiresAt, one);
  }

  #arrived(place: Place): void {
    const one = this.#segments.get(place);
    if (one === undefined || !this.#isListed(one)) return;
    one.unlistedAt = undefined;
    one.overdue = false;
    if (one.state !== 'missing') return;
    // A later list may take it back.
    for (const [source, segment] of this.#listings.segmentsAt(place)) one.kept.set(source, segment);
    this.#missing--;
    one.state = 'waiting';
    this.#untried.push(one.order, one);
  }

  #lose(
    all: readonly Waiting[],
    why: (one: Waiting) => FetchFailure | undefined = (one) => one.failure,
  ): LostSegment[] {
    return all
      .toSorted((a, b) => a.order - b.order)
      .flatMap((one): LostSegment[] => {
        const failure = why(one);
        if (failure === undefined) return [];
        const isMissing = one.state === 'missing';
        this.#remove(one);
        const { key, durationMs, isNamed, tries } = one;
        if (isMissing) return [{ key, failure, durationMs, isNamed }];
        const tried = tries === 1 ? '1 try' : `${tries} tries`;
        const { cause, detail } = failure;
        return [{ key, failure: { cause, detail: `${detail} (${tried})` }, durationMs, isNamed }];
      });
  }
}
