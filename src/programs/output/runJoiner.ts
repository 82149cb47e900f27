import { kept, type MediaFrame, type MediaUnit } from './mediaUnit.ts';
import { overlapOf, type RunJoin, SAME_MS } from './overlap.ts';
import type { StoredTail } from './storedTail.ts';

/** What is held back until it is known how a run goes on: some seconds of the largest stream. */
const HELD_BYTES_MAX = 32 * 1024 * 1024;
/** The same in time, for streams whose first picture does not come. */
const HELD_MS_MAX = 5_000;
/** How far streams of one programme may lie apart, milliseconds: what is dropped of one ends this long after the others. */
const SPREAD_MS = 10_000;

export interface JoinerOptions {
  readonly tail: StoredTail;
  /** Since the last media of earlier runs came, milliseconds; asked with the first frame. */
  passedMs(): number;
  /** How the run follows what is stored, told once, before any of its units. */
  joined(join: RunJoin | { readonly how: 'first' }): void;
  /** What is new, in order. */
  unit(unit: MediaUnit): void;
}

/** Stands between a run and what is stored: finds out how they belong together, and lets through what is not stored yet, once. */
export class RunJoiner {
  readonly #options: JoinerOptions;
  #held: MediaUnit[] | undefined = [];
  #heldBytes = 0;
  #heldFrames = new Map<string, MediaFrame[]>();
  /** Up to which time the streams are stored already; absent once the run is past that. */
  #until: Map<string, number> | undefined;
  /** Streams whose last unit was dropped: one without a timestamp shares its fate. */
  readonly #dropping = new Set<string>();
  #lastMs: number | undefined;

  constructor(options: JoinerOptions) {
    this.#options = options;
  }

  take(unit: MediaUnit): void {
    if (this.#held === undefined) {
      this.#pass(unit);
      return;
    }
    this.#held.push(kept(unit));
    this.#heldBytes += unit.bytes.length;
    for (const { key, frames } of unit.streams) {
      this.#heldFrames.set(key, [...(this.#heldFrames.get(key) ?? []), ...frames]);
    }
    this.#decide(this.#heldBytes > HELD_BYTES_MAX || this.#heldSpanMs() > HELD_MS_MAX);
  }

  /** The run is over: what is held is let go. */
  end(): void {
    if (this.#held !== undefined && this.#heldFrames.size > 0) this.#decide(true);
  }

  #heldSpanMs(): number {
    let span = 0;
    for (const frames of this.#heldFrames.values()) {
      span = Math.max(span, (frames.at(-1)?.startMs ?? 0) - (frames[0]?.startMs ?? 0));
    }
    return span;
  }

  #decide(isLast: boolean): void {
    const held = this.#held ?? [];
    const { tail, passedMs, joined } = this.#options;
    const primary = held.at(-1)?.layout.primary;
    const known = [primary, ...(isLast ? this.#heldFrames.keys() : [])].filter(
      (key) => key !== undefined,
    );
    const key = known.find(
      (one) => tail.stream(one) !== undefined && (!isLast || this.#heldFrames.has(one)),
    );
    const stream = key === undefined ? undefined : tail.stream(key);
    let join: RunJoin | { readonly how: 'first' } | undefined;
    if (tail.isEmpty) join = { how: 'first' };
    else if (key === undefined || stream === undefined)
      join = isLast ? { how: 'apart' } : undefined;
    else {
      const frames = this.#heldFrames.get(key) ?? [];
      join = overlapOf({ frames, tail: stream, passedMs: passedMs(), isLast });
    }
    if (join === undefined) return;
    if (join.how === 'overlaps' || join.how === 'later') this.#dropUntil(join);
    this.#held = undefined;
    this.#heldFrames.clear();
    joined(join);
    for (const unit of held) this.#pass(unit);
  }

  #dropUntil(join: RunJoin): void {
    const shiftMs = join.how === 'overlaps' ? join.shiftMs : 0;
    const lasts = [...this.#options.tail.lastStarts()];
    this.#until = new Map(lasts.map(([stream, lastMs]) => [stream, lastMs + shiftMs]));
  }

  #pass(unit: MediaUnit): void {
    const untils = this.#stillDropping(unit);
    if (untils === undefined) {
      this.#options.unit(unit);
      return;
    }
    const drops = new Map<string, number>();
    let left = 0;
    for (const { key, frames } of unit.streams) {
      const until = untils.get(key);
      const dropped = until === undefined ? 0 : droppedOf(frames, until);
      if (frames.length > 0 && dropped < frames.length) {
        // From here on the stream is new, whatever its clock does.
        untils.delete(key);
        this.#dropping.delete(key);
      } else if (frames.length > 0) this.#dropping.add(key);
      if (dropped > 0) drops.set(key, dropped);
      left += frames.length === 0 && !this.#dropping.has(key) ? 1 : frames.length - dropped;
    }
    // Clocks and marks between the streams are stored with what comes after.
    if (unit.streams.length === 0 && this.#dropping.size > 0) return;
    if (unit.streams.length > 0 && left === 0) return;
    this.#options.unit(drops.size === 0 ? unit : unit.without(drops));
  }

  /** Until when what is stored: undefined once the run is past all of that, or its clock jumps back: nothing more can be dropped then. */
  #stillDropping(unit: MediaUnit): Map<string, number> | undefined {
    const until = this.#until;
    const frame = unit.streams[0]?.frames[0];
    if (until === undefined || frame === undefined) return until;
    const isBack = this.#lastMs !== undefined && frame.startMs < this.#lastMs - SPREAD_MS;
    this.#lastMs = frame.startMs;
    if (!isBack && frame.startMs <= Math.max(...until.values()) + SPREAD_MS) return until;
    this.#until = undefined;
    this.#dropping.clear();
    return undefined;
  }
}

/** How many of the first frames are stored already. */
function droppedOf(frames: readonly MediaFrame[], untilMs: number): number {
  let dropped = 0;
  while (dropped < frames.length && (frames[dropped]?.startMs ?? 0) <= untilMs + SAME_MS) dropped++;
  return dropped;
}
