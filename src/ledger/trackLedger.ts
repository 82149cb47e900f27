import { EpochLedger } from './epochLedger.ts';
import type { SegmentStored } from './record.ts';

/** `count` numbers from `msn` on that are neither stored nor named although later ones are. */
export interface Unsettled {
  readonly epoch: number;
  readonly msn: number;
  readonly count: number;
}

/** The epochs of one track, in order. */
export class TrackLedger {
  readonly #epochs = new Map<number, EpochLedger>();
  /** Epoch numbers, ascending. */
  #order: number[] = [];
  readonly #segmentsKept: number;
  /** Sum over the stored segments, milliseconds. */
  durationMs = 0;

  constructor(segmentsKept: number) {
    this.#segmentsKept = segmentsKept;
  }

  get lastEpoch(): number | undefined {
    return this.#order.at(-1);
  }

  epoch(number: number): EpochLedger | undefined {
    return this.#epochs.get(number);
  }

  /** The epoch, opened when a line names it for the first time. */
  openEpoch(number: number): EpochLedger {
    const known = this.#epochs.get(number);
    if (known !== undefined) return known;
    const opened = new EpochLedger(this.#segmentsKept);
    this.#epochs.set(number, opened);
    this.#order.push(number);
    const previous = this.#order.at(-2);
    if (previous !== undefined && previous > number) this.#order.sort((a, b) => a - b);
    return opened;
  }

  /** Numbers that were passed over, of every epoch in order. */
  unsettled(): Unsettled[] {
    return this.#order.flatMap((epoch) =>
      (this.#epochs.get(epoch)?.unsettled() ?? []).map(({ from, to }) => ({
        epoch,
        msn: from,
        count: to - from,
      })),
    );
  }

  /** Every epoch, in order. */
  epochs(): EpochLedger[] {
    return this.#order.flatMap((number) => this.#epochs.get(number) ?? []);
  }

  /** The last `count` segments, in order of epoch and number. */
  tail(count: number): SegmentStored[] {
    let found: SegmentStored[] = [];
    for (let index = this.#order.length - 1; index >= 0 && found.length < count; index--) {
      const segments = this.#epochs.get(this.#order[index] ?? 0)?.segments ?? [];
      found = [...segments.slice(-(count - found.length)), ...found];
    }
    return found;
  }
}
