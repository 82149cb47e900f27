import type { EndCause } from '../../ledger/record.ts';

/** Patience below this would end healthy streams between two polls. */
const PATIENCE_TARGETS_MIN = 3;
/** Poll results kept as evidence. */
const EVIDENCE_POLLS_MAX = 8;

export interface StreamEnd {
  readonly why: EndCause;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Watches for silence. It only knows what was answered and when; a status alone never ends a stream. */
export class EndOfStream {
  readonly #patienceMs: number;
  #answeredAt: number;
  #newAt: number;
  #aliveAt: number;
  #failing = false;
  #polls: string[] = [];

  constructor(patienceMs: number, now: number) {
    this.#patienceMs = patienceMs;
    this.#answeredAt = now;
    this.#newAt = now;
    this.#aliveAt = now;
  }

  /** A usable playlist came; `isNew`: with segments nobody had seen. */
  answered(isNew: boolean, now: number): void {
    this.#answeredAt = now;
    this.#aliveAt = now;
    this.#failing = false;
    if (isNew) this.#newAt = now;
    this.#note(isNew ? 'new' : 'unchanged');
  }

  failed(sign: string): void {
    this.#failing = true;
    this.#note(sign);
  }

  /** A segment arrived. */
  alive(now: number): void {
    this.#aliveAt = now;
  }

  /** The end of a stream that is polled, by silence. */
  silent(now: number, targetDurationMs: number): StreamEnd | undefined {
    const patienceMs = this.#patience(targetDurationMs);
    if (now - this.#answeredAt >= patienceMs) return this.#end('source.vanished', now);
    // While polls fail nobody knows whether it stands still.
    if (!this.#failing && now - this.#newAt >= patienceMs) return this.#end('source.idle', now);
    return undefined;
  }

  /** Whether, after ENDLIST, not one segment has arrived for the whole patience window. */
  deaf(now: number, targetDurationMs: number): boolean {
    return now - this.#aliveAt >= this.#patience(targetDurationMs);
  }

  /** When patience ends if nothing more is heard. */
  wakeAt(ended: boolean, targetDurationMs: number): number {
    const polled = this.#failing ? this.#answeredAt : Math.min(this.#answeredAt, this.#newAt);
    return (ended ? this.#aliveAt : polled) + this.#patience(targetDurationMs);
  }

  evidence(now: number): Readonly<Record<string, unknown>> {
    return {
      patienceMs: this.#patienceMs,
      sinceAnswerMs: Math.round(now - this.#answeredAt),
      sinceNewSegmentMs: Math.round(now - this.#newAt),
      lastPolls: [...this.#polls],
    };
  }

  #patience(targetDurationMs: number): number {
    return Math.max(this.#patienceMs, PATIENCE_TARGETS_MIN * targetDurationMs);
  }

  #end(why: EndCause, now: number): StreamEnd {
    return { why, evidence: this.evidence(now) };
  }

  #note(sign: string): void {
    this.#polls = [...this.#polls, sign].slice(-EVIDENCE_POLLS_MAX);
  }
}
