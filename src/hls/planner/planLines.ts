import type { EpochOpened, MarkSeen, SegmentKey, SegmentLost } from '../../ledger/record.ts';
import { gapsOf } from './losses.ts';
import type { LostSegment } from './queue.ts';

/** A line for the journal; the executor adds the date. */
export type PlannedRecord =
  | Omit<EpochOpened, 'at'>
  | Omit<SegmentLost, 'at'>
  | Omit<MarkSeen, 'at'>;

/** What the planner says of a track: the lines that are not handed over yet, and how many segments they are about. */
export class PlanLines {
  #lines: PlannedRecord[] = [];
  /** Segments known to have been offered, those of earlier attempts included. */
  advertised: number;
  /** How many of them are stored or named. */
  settled: number;

  constructor(settled: number) {
    this.advertised = settled;
    this.settled = settled;
  }

  add(...lines: readonly PlannedRecord[]): void {
    this.#lines.push(...lines);
  }

  /** The lines since the last call. */
  take(): PlannedRecord[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  loseAll(lost: readonly LostSegment[]): void {
    this.settled += lost.length;
    this.#lines.push(...gapsOf(lost));
  }

  /** `count` segments from this one on are lost for the same reason; `durationMs` is that of all. */
  lose({ key, failure, durationMs }: LostSegment & { key: SegmentKey }, count: number): void {
    this.settled += count;
    const { cause, detail } = failure;
    this.#lines.push({ t: 'gap', ...key, count, cause, detail, durationMs });
  }
}
