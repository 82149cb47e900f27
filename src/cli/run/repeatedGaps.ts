import type { KennelEvent } from '../../jobs/events.ts';

type SegmentLost = Extract<KennelEvent, { type: 'segment.lost' }>;

/**
 * A segment every few seconds may be lost for one and the same reason, for hours. A person is told at once, and again when there
 * are twice as many. The whole list is in the journal, and in `kennel proof`.
 */
export class RepeatedGaps {
  /** Segments lost so far, by track and reason. */
  readonly #lost = new Map<string, number>();

  /** How many there are now, and whether that is worth a line. */
  take({ jobId, track, cause, detail, count }: SegmentLost): {
    readonly count: number;
    readonly isTold: boolean;
  } {
    const reason = JSON.stringify([jobId, track, cause, detail]);
    const before = this.#lost.get(reason) ?? 0;
    const now = before + count;
    this.#lost.set(reason, now);
    return {
      count: now,
      isTold: before === 0 || Math.log2(now) >= Math.floor(Math.log2(before)) + 1,
    };
  }
}
