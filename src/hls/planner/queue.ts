import type { GapCause, SegmentKey } from '../../ledger/record.ts';
import type { ByteRange, PlaylistSegment } from '../playlist/model.ts';

/** Segments fetched at once. Three keep up when one hangs and one is slow, and cost no peer's patience. */
export const FETCHES_MAX = 3;
/** Of these, at most so many for segments that failed before, so that sick ones never block the fresh. */
const RETRIES_MAX = 2;
/** Wait before another try: 150 ms, doubled each time, up to 2 s (measured: recovers every fault of the bench). */
const RETRY_FIRST_MS = 150;
const RETRY_LAST_MS = 2_000;
/** One try may take twice its media's duration, but never less than this, and each timeout doubles it, up to a minute. */
const TRY_MIN_MS = 4_000;
const TRY_MAX_MS = 60_000;
/** After ENDLIST nothing leaves the window: a segment that the origin refuses is tried for so long. */
const REFUSED_AFTER_END_MS = 60_000;

/**
 * Downloaded segments whose journal lines wait for the disk take up no fetch, up to so many: an hour of 1 s segments, at 0.5 KB
 * for a line 2 MB. Beyond that nothing new is fetched until the journal can be written again.
 */
const LANDED_MAX = 4_096;

/** A segment as one of the job's links lists it. */
export interface SourcedSegment {
  /** Which of the job's links: 0 is the first. */
  readonly source: number;
  readonly segment: PlaylistSegment;
}

/** One download that is to begin now. */
export interface FetchOrder extends SourcedSegment {
  /** `probe`: only its checksum is wanted. */
  readonly purpose: 'store' | 'probe';
  readonly key: SegmentKey;
  /** The same media elsewhere, in order of preference: for when the first address fails or is slow. */
  readonly mirrors: readonly SourcedSegment[];
  readonly tries: number;
  readonly timeoutMs: number;
}

/** Why a try failed, in the ledger's words. */
export interface FetchFailure {
  readonly cause: GapCause;
  /** For people. */
  readonly detail: string;
}

interface Waiting {
  readonly key: SegmentKey;
  segment: PlaylistSegment;
  fetching: boolean;
  /** Its file is durable; only its journal line is not yet. */
  landed: boolean;
  tries: number;
  timeouts: number;
  dueAt: number;
  triedAt: number;
  /** When its time is over if no playlist lists it again. */
  expiresAt: number;
  /** When a playlist first came without it. */
  unlistedAt: number | undefined;
  /** First failure that was an answer, for the time after ENDLIST. */
  refusedAt: number | undefined;
  failure: FetchFailure | undefined;
  /** A gap names it already; it is tried because it was listed after all. */
  readonly isNamed: boolean;
}

export interface LostSegment {
  readonly key: SegmentKey;
  readonly failure: FetchFailure;
  readonly durationMs: number;
  /** A gap names it already. */
  readonly isNamed?: boolean;
}

const keyText = ({ track, epoch, msn }: SegmentKey): string => `${track}/${epoch}/${msn}`;

const sameRange = (a?: ByteRange, b?: ByteRange): boolean =>
  a?.offset === b?.offset && a?.length === b?.length;

/** Time for one try, milliseconds. */
export const tryMs = (durationMs: number, timeouts: number): number =>
  Math.min(TRY_MAX_MS, Math.max(TRY_MIN_MS, 2 * durationMs) * 2 ** timeouts);

/** Time before the next try, milliseconds; `jitter` (0 to 1) takes away up to a quarter, so that streams fall out of step. */
export const retryMs = (tries: number, jitter: number): number =>
  Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.max(0, tries - 1)) * (1 - jitter / 4);

/** The advertised segments that are neither stored nor lost yet, in the order they were advertised. */
export class PlannerQueue {
  readonly #waiting = new Map<string, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  get fetching(): number {
    let fetching = 0;
    let landed = 0;
    for (const one of this.#waiting.values()) {
      if (one.fetching) fetching++;
      else if (one.landed) landed++;
    }
    return fetching + Math.max(0, landed - LANDED_MAX);
  }

  get untried(): boolean {
    return [...this.#waiting.values()].some(({ tries, landed }) => tries === 0 && !landed);
  }

  has(key: SegmentKey): boolean {
    return this.#waiting.has(keyText(key));
  }

  /** The one that was advertised first. */
  get oldest(): SegmentKey | undefined {
    for (const { key } of this.#waiting.values()) return key;
    return undefined;
  }

  add(
    key: SegmentKey,
    segment: PlaylistSegment,
    { expiresAt, isNamed = false }: { expiresAt: number; isNamed?: boolean },
  ): void {
    this.#waiting.set(keyText(key), {
      key,
      segment,
      fetching: false,
      landed: false,
      tries: 0,
      timeouts: 0,
      dueAt: Number.NEGATIVE_INFINITY,
      triedAt: Number.NEGATIVE_INFINITY,
      expiresAt,
      unlistedAt: undefined,
      refusedAt: undefined,
      failure: undefined,
      isNamed,
    });
  }

  /** A playlist was accepted: these are listed still (under newer addresses), the others are not any more. */
  relist(listed: ReadonlyMap<SegmentKey, PlaylistSegment>, expiresAt: number, now: number): void {
    const byText = new Map([...listed].map(([key, segment]) => [keyText(key), segment]));
    for (const [text, one] of this.#waiting) {
      const segment = byText.get(text);
      if (segment === undefined) {
        one.unlistedAt ??= now;
        continue;
      }
      one.expiresAt = expiresAt;
      one.unlistedAt = undefined;
      // Only the address may be newer: number, dates and breaks are as they were first advertised.
      if (sameRange(one.segment.range, segment.range)) {
        one.segment = { ...one.segment, url: segment.url };
      }
    }
  }

  /** The same playlist came again. */
  listedAgain(expiresAt: number): void {
    for (const one of this.#waiting.values()) {
      if (one.unlistedAt === undefined) one.expiresAt = expiresAt;
    }
  }

  /** Takes what may begin now; it counts as under way until `fetched` or `failed`. */
  take(now: number, free: number): FetchOrder[] {
    const orders: FetchOrder[] = [];
    let retrying = 0;
    for (const one of this.#waiting.values()) if (one.fetching && one.tries > 0) retrying++;
    const order = (one: Waiting) => {
      one.fetching = true;
      one.triedAt = now;
      const { key, segment, tries } = one;
      const timeoutMs = tryMs(segment.durationMs, one.timeouts);
      orders.push({ purpose: 'store', key, source: 0, segment, mirrors: [], tries, timeoutMs });
    };
    for (const one of this.#waiting.values()) {
      if (orders.length >= free || retrying >= RETRIES_MAX) break;
      if (one.fetching || one.landed || one.tries === 0 || one.dueAt > now) continue;
      order(one);
      retrying++;
    }
    for (const one of this.#waiting.values()) {
      if (orders.length >= free) break;
      if (!one.fetching && !one.landed && one.tries === 0) order(one);
    }
    return orders;
  }

  /** Its file is durable: only the journal is waited for. */
  landed(key: SegmentKey): void {
    const one = this.#waiting.get(keyText(key));
    if (one === undefined) return;
    one.fetching = false;
    one.landed = true;
  }

  /** It is stored. False when it was not waited for any more. */
  fetched(key: SegmentKey): boolean {
    return this.#waiting.delete(keyText(key));
  }

  failed(key: SegmentKey, failure: FetchFailure, at: { now: number; jitter: number }): void {
    const one = this.#waiting.get(keyText(key));
    if (one === undefined) return;
    one.fetching = false;
    one.tries++;
    // The origin had it while the disk would not take it. That it has left the window since is not why it is lost.
    const wasDisk = one.failure?.cause === 'disk' && one.unlistedAt !== undefined;
    if (!wasDisk) one.failure = failure;
    one.dueAt = at.now + retryMs(one.tries, at.jitter);
    if (failure.cause === 'timeout') one.timeouts++;
    else if (failure.cause !== 'network') one.refusedAt ??= at.now;
  }

  /**
   * Removes those whose time is over: out of the window, and tried once more after that was known. After ENDLIST: refused
   * for a minute.
   */
  expire(now: number, ended: boolean): LostSegment[] {
    return this.#lose((one) => {
      if (one.fetching || one.landed || one.failure === undefined) return false;
      if (ended) return one.refusedAt !== undefined && now >= one.refusedAt + REFUSED_AFTER_END_MS;
      const { unlistedAt } = one;
      return unlistedAt !== undefined && one.triedAt >= unlistedAt && now >= one.expiresAt;
    });
  }

  /** Removes all, each with its last failure, or with this one. */
  giveUp(otherwise: FetchFailure, always = false): LostSegment[] {
    return this.#lose(
      () => true,
      (one) => (always ? otherwise : (one.failure ?? otherwise)),
    );
  }

  /** When something can next be taken or expire; undefined while only answers can change anything. */
  wakeAt(now: number, ended: boolean): number | undefined {
    let at: number | undefined;
    for (const one of this.#waiting.values()) {
      if (one.fetching || one.landed) continue;
      const candidates = [one.dueAt];
      if (one.failure !== undefined && one.unlistedAt !== undefined) candidates.push(one.expiresAt);
      if (ended && one.refusedAt !== undefined) {
        candidates.push(one.refusedAt + REFUSED_AFTER_END_MS);
      }
      for (const candidate of candidates)
        if (candidate > now) at = Math.min(at ?? candidate, candidate);
    }
    return at;
  }

  #lose(
    isLost: (one: Waiting) => boolean,
    why: (one: Waiting) => FetchFailure | undefined = (one) => one.failure,
  ): LostSegment[] {
    const lost: LostSegment[] = [];
    for (const [text, one] of this.#waiting) {
      const failure = isLost(one) ? why(one) : undefined;
      if (failure === undefined) continue;
      this.#waiting.delete(text);
      const tried = one.tries === 1 ? '1 try' : `${one.tries} tries`;
      lost.push({
        key: one.key,
        failure: { cause: failure.cause, detail: `${failure.detail} (${tried})` },
        durationMs: one.segment.durationMs,
        isNamed: one.isNamed,
      });
    }
    return lost;
  }
}
