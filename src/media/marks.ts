import { z } from 'zod';
import type { Ledger } from '../ledger/ledger.ts';
import type { MarkSeen, SegmentStored } from '../ledger/record.ts';
import type { MuxedFile, MuxResult } from './mux/muxResult.ts';
import { MAIN_TRACK } from './renditions.ts';
import { positionsOf } from './timing/timelinePlace.ts';

/** A mark is some 300 bytes of manifest; a channel that marks every segment of a day has 40,000. */
export const MARKS_MAX = 10_000;

export const markSchema = z.object({
  kind: z.enum(['daterange', 'cue', 'scte35']),
  /** Without `#`. */
  tag: z.string(),
  value: z.string(),
  id: z.string().exactOptional(),
  track: z.string(),
  epoch: z.number(),
  /** Media sequence number of the segment that it stands before. */
  msn: z.number(),
  /** When it begins, milliseconds since the epoch; null where the playlist gives no wall clock. */
  wallClock: z.number().nullable(),
  durationMs: z.number().exactOptional(),
  /** The finished file and the place in it, milliseconds; null where that time is in none. */
  at: z.object({ file: z.string(), offsetMs: z.number() }).nullable(),
});
export type Mark = z.infer<typeof markSchema>;

/**
 * The marks of a recording with their media times, in the order they were seen; a later line of the same date range replaces the
 * earlier one. `count` is how many there are, of which the first MARKS_MAX are listed.
 */
export function marksOf(ledger: Ledger, mux: MuxResult): { list: Mark[]; count: number } {
  const standing = new Map<string, MarkSeen>();
  for (const [index, mark] of ledger.marks.entries()) {
    const key =
      mark.kind === 'daterange' && mark.id !== undefined
        ? `${mark.track} ${mark.id}`
        : String(index);
    standing.set(key, mark);
  }
  const times = new MainTimes(ledger, mux);
  const list = [...standing.values()].slice(0, MARKS_MAX).map((mark): Mark => {
    const { kind, tag, value, id, track, epoch, msn, durationMs } = mark;
    const segment = track === MAIN_TRACK ? times.segment(epoch, msn) : undefined;
    const wallClock = mark.startsAt ?? segment?.wallClock ?? null;
    // A date range says itself when it begins; everything else begins with its segment.
    const at =
      mark.startsAt === undefined ? segment && times.at(segment, 0) : times.atWall(mark.startsAt);
    return {
      ...{ kind, tag, value, track, epoch, msn, wallClock },
      ...(id !== undefined && { id }),
      ...(durationMs !== undefined && { durationMs }),
      at: at ?? (segment && times.at(segment, 0)) ?? null,
    };
  });
  return { list, count: standing.size };
}

interface Place {
  readonly file: string;
  readonly offsetMs: number;
}

/** Where the main track's segments are in the finished files. */
class MainTimes {
  readonly #segments = new Map<string, SegmentStored>();
  /** Those with a wall clock, in its order. */
  readonly #byWall: (SegmentStored & { readonly wallClock: number })[];
  readonly #positions: ReadonlyMap<SegmentStored, number>;
  readonly #files: readonly MuxedFile[];

  constructor(ledger: Ledger, mux: MuxResult) {
    const segments = ledger.segments(MAIN_TRACK);
    for (const segment of segments) this.#segments.set(keyOf(segment), segment);
    this.#byWall = segments
      .flatMap((segment) =>
        segment.wallClock === undefined ? [] : [{ ...segment, wallClock: segment.wallClock }],
      )
      .toSorted((one, other) => one.wallClock - other.wallClock);
    this.#positions = positionsOf(ledger, MAIN_TRACK);
    this.#files = mux.files.filter(({ track }) => track === MAIN_TRACK);
  }

  segment(epoch: number, msn: number): SegmentStored | undefined {
    return this.#segments.get(keyOf({ epoch, msn }));
  }

  /** The place of a time in a segment, milliseconds from its beginning. */
  at(segment: SegmentStored, insideMs: number): Place | undefined {
    const { epoch, msn } = segment;
    let found: { file: string; atMs: number; anchor: SegmentStored } | undefined;
    for (const { file, anchors } of this.#files) {
      for (const each of anchors) {
        if (each.epoch !== epoch || each.msn > msn) continue;
        const anchor = this.segment(epoch, each.msn);
        if (anchor === undefined || (found !== undefined && found.anchor.msn > each.msn)) continue;
        found = { file, atMs: each.atMs, anchor };
      }
    }
    if (found === undefined) return undefined;
    const [from, to] = [this.#positions.get(found.anchor), this.#positions.get(segment)];
    if (from === undefined || to === undefined) return undefined;
    return {
      file: found.file,
      offsetMs: Math.round(found.atMs + (to - from) * 1_000 + insideMs),
    };
  }

  /** The place of a wall clock time; undefined when nothing of that time is stored. */
  atWall(wallClock: number): Place | undefined {
    let low = 0;
    let high = this.#byWall.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#byWall[middle]?.wallClock ?? 0) <= wallClock) low = middle + 1;
      else high = middle;
    }
    const found = this.#byWall[low - 1];
    if (found === undefined) return undefined;
    const insideMs = wallClock - found.wallClock;
    const segment = this.segment(found.epoch, found.msn);
    return segment === undefined || insideMs > found.durationMs
      ? undefined
      : this.at(segment, insideMs);
  }
}

const keyOf = ({ epoch, msn }: { readonly epoch: number; readonly msn: number }): string =>
  `${epoch} ${msn}`;
