import type { Ledger } from '../../ledger/ledger.ts';
import type { Unsettled } from '../../ledger/trackLedger.ts';
import { TAIL_SEGMENTS } from '../../recording/recorderSession.ts';
import type { StoredBefore } from './history.ts';

/**
 * How long the recorder is taken to have been away when the wall clock was set back meanwhile, milliseconds. A day: it is better
 * to name a gap that may be too long than to take it for a jump, which names nothing.
 */
const IDLE_UNKNOWN_MS = 86_400_000;

/** What a planner must know of an earlier life of the same recording. Plain data. */
export interface PlannerResume {
  readonly epoch: number;
  /** The source whose numbers it has. */
  readonly home: number;
  /**
   * One past the highest settled number of that epoch; where none is settled, the first one that was advertised; undefined
   * when the journal does not say that.
   */
  readonly next: number | undefined;
  /** First advertised number of that epoch; in journals that do not say it, the lowest settled one. */
  readonly first: number;
  /** Numbers below this one were on their way as well: only where the journal does not say where the epoch begins. */
  readonly openBelow: number;
  /** Numbers below `next` that are neither stored nor named: they were on their way when the recorder died. */
  readonly holes: readonly number[];
  /** The same of earlier epochs, where no playlist can list them again. */
  readonly left: readonly Unsettled[];
  /** What one segment lasts, milliseconds; 0 when none is stored. */
  readonly segmentMs: number;
  /** The last stored segments across epochs, oldest first. */
  readonly tail: readonly StoredBefore[];
  /** How long ago the last segment was stored, milliseconds; by the wall clock, as no other runs on through a restart. */
  readonly idleMs: number;
  readonly settled: number;
}

/** `undefined` when the journal holds no epoch of this track yet. `at`: now, milliseconds since the epoch. */
export function resumeFrom(ledger: Ledger, track: string, at: number): PlannerResume | undefined {
  const epoch = ledger.lastEpoch(track);
  if (epoch === undefined) return undefined;
  const begins = ledger.firstMsn(track);
  const lowest = ledger.lowestMsn(track);
  const unsettled = ledger.unsettled(track);
  const tail = ledger.tail(track, TAIL_SEGMENTS);
  const last = tail.at(-1);
  const idleMs = at - (last?.at ?? ledger.startedAt ?? at);
  return {
    epoch,
    home: ledger.numbersFrom(track),
    next: ledger.nextMsn(track) ?? begins,
    first: begins ?? lowest ?? 0,
    openBelow: begins === undefined ? (lowest ?? 0) : 0,
    holes: unsettled.filter((run) => run.epoch === epoch).flatMap(numbersOf),
    left: unsettled.filter((run) => run.epoch !== epoch),
    segmentMs: last?.durationMs ?? 0,
    tail: tail.map(({ epoch: of, msn, checksum, source, wallClock, durationMs }) => ({
      ...{ epoch: of, msn, checksum, source, wallClock, durationMs },
    })),
    idleMs: idleMs < 0 ? IDLE_UNKNOWN_MS : idleMs,
    settled: ledger.advertised,
  };
}

const numbersOf = ({ msn, count }: Unsettled): number[] =>
  Array.from({ length: count }, (_, index) => msn + index);
