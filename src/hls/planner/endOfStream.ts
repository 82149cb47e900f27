import type { EndCause } from '../../ledger/record.ts';
import type { RecordingEnd } from '../../recording/recorder.ts';
import type { PlannerSource } from './plannerSource.ts';

/** Patience below this would end healthy streams between two polls. */
const PATIENCE_TARGETS_MIN = 3;
/** Poll results kept as evidence. */
const EVIDENCE_POLLS_MAX = 8;

/**
 * After ENDLIST nothing leaves the window: a segment that the origin refuses is tried for a third of the patience, but no less and
 * no more than this, milliseconds. Edges get a late segment within seconds; a minute is what people wait for a command to end.
 */
const REFUSED_MIN_MS = 10_000;
const REFUSED_MAX_MS = 60_000;

export interface EndOfStreamOptions {
  readonly patienceMs: number;
  readonly now: number;
  sources(): readonly PlannerSource[];
}

/** Watches for silence. It only knows what was answered and when; a status alone never ends a stream. */
export class EndOfStream {
  readonly #options: EndOfStreamOptions;
  #answeredAt: number;
  #newAt: number;
  #aliveAt: number;
  #polls: string[] = [];
  /** When every source had said that the stream is over, or was silent. */
  #endedAt: number | undefined;

  constructor(options: EndOfStreamOptions) {
    this.#options = options;
    this.#answeredAt = options.now;
    this.#newAt = options.now;
    this.#aliveAt = options.now;
  }

  /** A usable playlist came; `isNew`: with segments nobody had seen. */
  answered(source: PlannerSource, isNew: boolean, now: number): void {
    this.#answeredAt = now;
    this.#aliveAt = now;
    if (isNew) this.#newAt = now;
    const sign = isNew ? 'new' : 'unchanged';
    source.answered(sign, now);
    this.#note(source, sign);
  }

  failed(source: PlannerSource, sign: string): void {
    source.failed(sign);
    this.#note(source, sign);
  }

  /** A segment arrived. */
  alive(now: number): void {
    this.#aliveAt = now;
  }

  /** The end of a stream that is polled, by silence. */
  silent(now: number): RecordingEnd | undefined {
    const patienceMs = this.#patience();
    if (now - this.#answeredAt >= patienceMs) return this.#end('source.vanished', now);
    // While polls fail nobody knows whether it stands still.
    if (!this.#isFailing && now - this.#newAt >= patienceMs) return this.#end('source.idle', now);
    return undefined;
  }

  /**
   * Whether the stream is over by the word of its sources: one said so, and the others say so too, or are gone, or have listed
   * nothing new for the whole patience window.
   */
  isEndListed(now: number): boolean {
    const sources = this.#options.sources();
    if (!sources.some(({ ended }) => ended)) return false;
    const patienceMs = this.#patience();
    return sources.every(
      (source) => source.ended || source.isGone(now) || now - source.advancedAt >= patienceMs,
    );
  }

  /** The stream is over by the word of its sources, and stays so. */
  close(now: number): void {
    this.#endedAt ??= now;
  }

  /** When the last source said so, and how long refused segments are tried from then on; undefined before. */
  get ended(): { readonly endedAt: number; readonly refusedMs: number } | undefined {
    if (this.#endedAt === undefined) return undefined;
    const refusedMs = Math.min(REFUSED_MAX_MS, Math.max(REFUSED_MIN_MS, this.#patience() / 3));
    return { endedAt: this.#endedAt, refusedMs };
  }

  /** Whether, after ENDLIST, not one segment has arrived for the whole patience window. */
  deaf(now: number): boolean {
    return now - this.#aliveAt >= this.#patience();
  }

  /** When patience ends if nothing more is heard. */
  wakeAt(now: number): number {
    const patienceMs = this.#patience();
    if (this.#endedAt !== undefined) return this.#aliveAt + patienceMs;
    const polled = this.#isFailing ? this.#answeredAt : Math.min(this.#answeredAt, this.#newAt);
    let at = polled + patienceMs;
    const sources = this.#options.sources();
    if (!sources.some(({ ended }) => ended)) return at;
    for (const { ended, answeredAt, goneMs, advancedAt } of sources) {
      if (ended) continue;
      for (const one of [answeredAt + goneMs, advancedAt + patienceMs]) {
        if (one > now) at = Math.min(at, one);
      }
    }
    return at;
  }

  evidence(now: number): Readonly<Record<string, unknown>> {
    const sources = this.#options.sources();
    const { ended } = this;
    return {
      patienceMs: this.#options.patienceMs,
      sinceAnswerMs: Math.round(now - this.#answeredAt),
      sinceNewSegmentMs: Math.round(now - this.#newAt),
      lastPolls: [...this.#polls],
      ...(ended !== undefined && {
        sinceEndListMs: Math.round(now - ended.endedAt),
        refusedAfterEndMs: ended.refusedMs,
      }),
      ...(sources.length > 1 && { sources: sources.map((source) => source.evidence(now)) }),
    };
  }

  /** While any source answers well, the stream does not fail. */
  get #isFailing(): boolean {
    const sources = this.#options.sources();
    return sources.length > 0 && sources.every(({ failing }) => failing);
  }

  #patience(): number {
    let targetDurationMs = 0;
    for (const source of this.#options.sources()) {
      targetDurationMs = Math.max(targetDurationMs, source.targetDurationMs);
    }
    return Math.max(this.#options.patienceMs, PATIENCE_TARGETS_MIN * targetDurationMs);
  }

  #end(why: EndCause, now: number): RecordingEnd {
    return { why, evidence: this.evidence(now) };
  }

  #note({ number }: PlannerSource, sign: string): void {
    const noted = this.#options.sources().length > 1 ? `${number}: ${sign}` : sign;
    this.#polls = [...this.#polls, noted].slice(-EVIDENCE_POLLS_MAX);
  }
}
