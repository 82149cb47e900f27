import type { Place } from './history.ts';
import type { Waiting } from './waiting.ts';

interface EpochWaiting {
  readonly byNumber: Map<number, Waiting>;
  /** As they were advertised, some settled ones among them; all up to `head` are. */
  ordered: Waiting[];
  head: number;
}

/**
 * Settled segments kept before the order is rewritten, besides as many as wait: rarely enough to cost nothing, and 64 KB at most
 * for one stream. Whoever is first in the order may wait for hours (a segment that is refused as long as it is listed).
 */
const SETTLED_MAX = 64;

/** The segments that wait, by place and in the order they were advertised. Each call costs a constant, `all` apart. */
export class WaitingSegments {
  readonly #epochs = new Map<number, EpochWaiting>();
  #size = 0;
  #added = 0;

  get size(): number {
    return this.#size;
  }

  get({ epoch, msn }: Place): Waiting | undefined {
    return this.#epochs.get(epoch)?.byNumber.get(msn);
  }

  add(
    advertised: Pick<Waiting, 'key' | 'first' | 'durationMs' | 'isNamed' | 'expiresAt'>,
  ): Waiting {
    const one: Waiting = {
      ...advertised,
      order: this.#added++,
      kept: new Map(),
      state: advertised.first === undefined ? 'missing' : 'waiting',
      tries: 0,
      timeouts: 0,
      dueAt: Number.NEGATIVE_INFINITY,
      triedAt: Number.NEGATIVE_INFINITY,
      unlistedAt: undefined,
      overdue: false,
      refusedAt: undefined,
      failure: undefined,
      from: [],
    };
    const { epoch, msn } = one.key;
    let waiting = this.#epochs.get(epoch);
    if (waiting === undefined) {
      waiting = { byNumber: new Map(), ordered: [], head: 0 };
      this.#epochs.set(epoch, waiting);
    }
    if (!waiting.byNumber.has(msn)) this.#size++;
    waiting.byNumber.set(msn, one);
    waiting.ordered.push(one);
    return one;
  }

  remove({ epoch, msn }: Place): void {
    const waiting = this.#epochs.get(epoch);
    if (waiting?.byNumber.delete(msn) !== true) return;
    this.#size--;
    const { byNumber, ordered } = waiting;
    if (byNumber.size === 0) this.#epochs.delete(epoch);
    else if (ordered.length > 2 * byNumber.size + SETTLED_MAX) {
      waiting.ordered = ordered.filter((one) => byNumber.get(one.key.msn) === one);
      waiting.head = 0;
    }
  }

  /** The number of this epoch that was advertised first and still waits. */
  oldest(epoch: number): number | undefined {
    const waiting = this.#epochs.get(epoch);
    if (waiting === undefined) return undefined;
    while (waiting.ordered[waiting.head]?.state === 'settled') waiting.head++;
    return waiting.ordered[waiting.head]?.key.msn;
  }

  /** In the order they were advertised, epoch by epoch. Costs their number. */
  all(epoch?: number): Waiting[] {
    const found: Waiting[] = [];
    for (const [of, { byNumber }] of this.#epochs) {
      if (epoch === undefined || of === epoch) found.push(...byNumber.values());
    }
    return found;
  }
}
