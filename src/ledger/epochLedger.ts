import { NumberRuns } from './numberRuns.ts';
import type { EpochOpened, SegmentLost, SegmentStored } from './record.ts';

/** What became of a segment line: it is new, it filled what was a gap, or its key was stored before. */
export type SegmentEffect = 'new' | 'healed' | 'duplicate';

/** The segments and gaps of one epoch of one track, each in order of sequence number. */
export class EpochLedger {
  readonly #settled = new NumberRuns();
  readonly #segments: SegmentStored[] = [];
  readonly #gaps: SegmentLost[] = [];
  readonly #segmentsKept: number;
  #first: number | undefined;
  #source = 0;

  constructor(segmentsKept: number) {
    this.#segmentsKept = segmentsKept;
  }

  get segments(): readonly SegmentStored[] {
    return this.#segments;
  }

  get gaps(): readonly SegmentLost[] {
    return this.#gaps;
  }

  /** The first number that was advertised, when the journal says it. */
  get first(): number | undefined {
    return this.#first;
  }

  /** Lowest number that is settled. */
  get lowestMsn(): number | undefined {
    return this.#settled.start;
  }

  get nextMsn(): number | undefined {
    return this.#settled.end;
  }

  /** Which of the job's links the numbers are those of. */
  get source(): number {
    return this.#source;
  }

  /** The epoch was opened, and begins at this number if that is known. */
  open({ first, source = 0 }: Pick<EpochOpened, 'first' | 'source'>): void {
    this.#first ??= first;
    this.#source = source;
  }

  /** Runs of numbers between the first and the highest settled one that are neither stored nor named. */
  unsettled(): readonly { readonly from: number; readonly to: number }[] {
    const { end } = this.#settled;
    const start = this.#first ?? this.#settled.start;
    return end === undefined || start === undefined ? [] : this.#settled.missing(start, end);
  }

  has(msn: number): boolean {
    return this.#settled.has(msn);
  }

  store(segment: SegmentStored): SegmentEffect {
    const { msn } = segment;
    let effect: SegmentEffect = 'new';
    if (this.#settled.has(msn)) {
      if (!this.#heal(msn)) return 'duplicate';
      effect = 'healed';
    }
    this.#settled.add(msn, msn + 1);
    insertByMsn(this.#segments, segment);
    // Cutting only at twice the number keeps the cost of cutting constant for each segment.
    if (this.#segments.length >= 2 * this.#segmentsKept) {
      this.#segments.splice(0, this.#segments.length - this.#segmentsKept);
    }
    return effect;
  }

  /** Names what of the line is not settled yet, and returns how many segments that is. */
  lose(gap: SegmentLost): number {
    let added = 0;
    for (const { from, to } of this.#settled.missing(gap.msn, gap.msn + gap.count)) {
      insertByMsn(this.#gaps, part(gap, from, to));
      this.#settled.add(from, to);
      added += to - from;
    }
    return added;
  }

  /** Takes one number out of the gap that names it; false when none does. */
  #heal(msn: number): boolean {
    const index = indexAfter(this.#gaps, msn) - 1;
    const gap = this.#gaps[index];
    if (gap === undefined || msn >= gap.msn + gap.count) return false;
    const left: SegmentLost[] = [];
    if (msn > gap.msn) left.push(part(gap, gap.msn, msn));
    if (msn + 1 < gap.msn + gap.count) left.push(part(gap, msn + 1, gap.msn + gap.count));
    this.#gaps.splice(index, 1, ...left);
    return true;
  }
}

/** The part of a gap from one number up to, but not with, another; its duration is shared out evenly. */
function part(gap: SegmentLost, from: number, to: number): SegmentLost {
  const count = to - from;
  if (count === gap.count) return gap;
  return { ...gap, msn: from, count, durationMs: (gap.durationMs * count) / gap.count };
}

/** Where an entry with this number belongs: behind every entry with the same number or a lower one. */
function indexAfter(entries: readonly { readonly msn: number }[], msn: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.msn ?? 0) <= msn) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Nearly every entry is the highest so far; the few that are not (parallel fetches, healed gaps) land close to the end. */
function insertByMsn<Entry extends { readonly msn: number }>(entries: Entry[], entry: Entry): void {
  const last = entries.at(-1);
  if (last === undefined || last.msn < entry.msn) entries.push(entry);
  else entries.splice(indexAfter(entries, entry.msn), 0, entry);
}
