import type { Ledger } from '../ledger/ledger.ts';

/** Stored segments whose content a resumed recording is compared with: more than any usual window holds. */
export const TAIL_SEGMENTS = 256;

/**
 * How far back from the last settled number holes are looked for. Segments are fetched oldest first, so holes lie near the
 * end; this covers an 11 h window of 2 s segments.
 */
const HOLE_SCAN_MAX = 20_000;

/** What a planner must know of an earlier life of the same recording. Plain data. */
export interface PlannerResume {
  readonly epoch: number;
  /** One past the highest settled number of that epoch; undefined when none is settled. */
  readonly next: number | undefined;
  /** Lowest settled number that was looked at. */
  readonly first: number;
  /** Numbers below `next` that are neither stored nor named: they were on their way when the recorder died. */
  readonly holes: readonly number[];
  /** The last stored segments across epochs, oldest first. */
  readonly tail: readonly {
    readonly epoch: number;
    readonly msn: number;
    readonly checksum: string;
  }[];
  /** How long ago the last segment was stored, milliseconds. */
  readonly idleMs: number;
  readonly settled: number;
}

/** `undefined` when the journal holds no epoch of this track yet. `at`: now, milliseconds since the epoch. */
export function resumeFrom(ledger: Ledger, track: string, at: number): PlannerResume | undefined {
  const epoch = ledger.lastEpoch(track);
  if (epoch === undefined) return undefined;
  const next = ledger.nextMsn(track);
  const holes: number[] = [];
  let first = next ?? 0;
  let run: number[] = [];
  for (let msn = first - 1; msn >= Math.max(0, (next ?? 0) - HOLE_SCAN_MAX); msn--) {
    if (ledger.has({ track, epoch, msn })) {
      holes.push(...run);
      run = [];
      first = msn;
    } else run.push(msn);
  }
  const tail = ledger.tail(track, TAIL_SEGMENTS);
  return {
    epoch,
    next,
    first,
    holes: holes.reverse(),
    tail: tail.map(({ epoch: of, msn, checksum }) => ({ epoch: of, msn, checksum })),
    idleMs: Math.max(0, at - (tail.at(-1)?.at ?? ledger.startedAt ?? at)),
    settled: ledger.advertised,
  };
}
