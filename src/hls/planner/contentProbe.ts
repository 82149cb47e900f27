import type { SegmentKey } from '../../ledger/record.ts';
import { retryMs, tryMs } from './fetchTiming.ts';
import type { FetchFailure, FetchOrder, SourcedSegment } from './queue.ts';
import type { Unprobed } from './timeline.ts';

/** Tries to learn the content of one segment before another is asked for, or the numbers alone decide. */
const TRIES_MAX = 2;

/** The download of one segment whose content alone can tell what a playlist means. */
export class ContentProbe {
  readonly #order: FetchOrder;
  #isUnderWay = false;
  #tries = 0;
  #dueAt: number;

  constructor(key: SegmentKey, { source, segment }: SourcedSegment, now: number) {
    // Everything waits for it, so it gets half of the usual time.
    const timeoutMs = tryMs(segment.durationMs, 0) / 2;
    this.#order = { purpose: 'probe', key, source, segment, mirrors: [], tries: 0, timeoutMs };
    this.#dueAt = now;
  }

  /** When it is to be tried again; undefined while it is. */
  get dueAt(): number | undefined {
    return this.#isUnderWay ? undefined : this.#dueAt;
  }

  /** What is to be fetched now, if anything. */
  take(now: number): FetchOrder[] {
    if (this.#isUnderWay || this.#dueAt > now) return [];
    this.#isUnderWay = true;
    return [this.#order];
  }

  /** What came of it; undefined: it is tried again. */
  answered(
    result: { readonly checksum: string } | FetchFailure,
    { now, jitter }: { now: number; jitter: number },
  ): { readonly checksum: string } | Unprobed | undefined {
    this.#tries++;
    if ('checksum' in result) return result;
    if (this.#tries < TRIES_MAX) {
      this.#isUnderWay = false;
      this.#dueAt = now + retryMs(this.#tries, jitter);
      return undefined;
    }
    // Everything waits: only a quick no leaves time to ask for another segment.
    return result.cause === 'timeout' || result.cause === 'network' ? 'unknown' : 'refused';
  }
}
