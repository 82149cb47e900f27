/** Longer than one burst of segments, short enough to see that more streams were added, milliseconds. */
const WINDOW_MS = 60_000;
/** Before so much time has been seen nothing is foretold: a burst (a short film at full speed) would decide, milliseconds. */
const SEEN_MS_MIN = 20_000;
/** Time enough for a person who is called to free some space. */
const LOW_BELOW_MS = 30 * 60_000;
/** The second warning, for whoever slept through the first. */
const CRITICAL_BELOW_MS = 5 * 60_000;
/** It counts as relieved only well above the warning, lest every deleted file makes two events. */
const RELIEVED_ABOVE = 1.5;

/** A segment of 6 s at 5 Mb/s does not fit any more, nor does a page of the database's log for long; bytes. */
const FULL_BELOW_BYTES = 1024 * 1024;

export const DISK_LEVELS = ['good', 'low', 'critical', 'full'] as const;
export type DiskLevel = (typeof DISK_LEVELS)[number];

/** What one look at the disk showed. */
export interface DiskSample {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly freeBytes: number;
  /** Media that all recorders of this node have received so far, bytes; it may begin anew. */
  readonly receivedBytes: number;
}

export interface DiskOutlook {
  readonly level: DiskLevel;
  readonly freeBytes: number;
  readonly bytesPerSecond: number;
  /** Until the disk is full, milliseconds; absent while nothing fills it. */
  readonly leftMs?: number;
}

/**
 * Foretells when a disk is full. It believes the faster of two rates: what the recorders receive, and what the disk loses by
 * anybody's doing, since a neighbour that fills the disk ends a recording just as well.
 */
export class DiskForecast {
  #samples: DiskSample[] = [];
  #level: DiskLevel = 'good';

  add(sample: DiskSample): DiskOutlook {
    const last = this.#samples.at(-1);
    // A recorder that was replaced counts from nought again.
    if (last !== undefined && sample.receivedBytes < last.receivedBytes) this.#samples = [];
    this.#samples = [...this.#samples.filter(({ at }) => at >= sample.at - WINDOW_MS), sample];
    const bytesPerSecond = this.#rate(sample);
    const { freeBytes } = sample;
    const leftMs = bytesPerSecond > 0 ? (freeBytes / bytesPerSecond) * 1_000 : undefined;
    // Nothing fills a full disk any more, so no rate tells that it is.
    const isFull = freeBytes < FULL_BELOW_BYTES;
    this.#level = isFull ? 'full' : this.#judge(leftMs ?? Number.POSITIVE_INFINITY);
    return {
      level: this.#level,
      freeBytes,
      bytesPerSecond,
      ...(leftMs !== undefined && { leftMs }),
    };
  }

  #rate(now: DiskSample): number {
    const [first] = this.#samples;
    if (first === undefined || now.at - first.at < SEEN_MS_MIN) return 0;
    const received = now.receivedBytes - first.receivedBytes;
    const taken = first.freeBytes - now.freeBytes;
    return (Math.max(received, taken, 0) * 1_000) / (now.at - first.at);
  }

  #judge(leftMs: number): DiskLevel {
    const above = (level: DiskLevel) => (this.#level === level ? RELIEVED_ABOVE : 1);
    if (leftMs < CRITICAL_BELOW_MS * above('critical')) return 'critical';
    const wasLow = this.#level !== 'good';
    return leftMs < LOW_BELOW_MS * (wasLow ? RELIEVED_ABOVE : 1) ? 'low' : 'good';
  }
}
