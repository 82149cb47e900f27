import { HOLE_MS } from './frameClock.ts';
import { kept, type MediaFrame, type MediaUnit } from './mediaUnit.ts';
import { LOOKED_AT_FRAMES, overlapOf, type RunJoin, SAME_MS } from './overlap.ts';
import type { StoredTail, TailSection } from './storedTail.ts';

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
  /** More of the run may have been waiting for it: it began behind its source, and may come to what is stored yet. */
  isCatchingUp(): boolean;
  /** How the run follows what is stored, told once, before any of its units. */
  joined(join: RunJoin | { readonly how: 'first' }): void;
  /** What is new, in order. */
  unit(unit: MediaUnit): void;
}

/** A place within what is stored. */
interface Place {
  readonly join: RunJoin | { readonly how: 'first' };
  /** Which timeline it is on; that which goes on where it is on none. */
  readonly section: number;
}

/**
 * Stands between a run and what is stored: finds out how they belong together, and lets through what is not stored yet, once. A run that
 * begins on an earlier timeline is led through it, and then asked again where it is.
 */
export class RunJoiner {
  readonly #options: JoinerOptions;
  #held: MediaUnit[] | undefined = [];
  #heldBytes = 0;
  #heldFrames = new Map<string, MediaFrame[]>();
  /** So many of them, by their stream, are like nothing that is stored. */
  #unlike = new Map<string, number>();
  /** Timelines before this one are behind the run. */
  #next = 0;
  /** An earlier timeline that the run repeats now. */
  #repeated: Repetition | undefined;
  /** The one before: its streams end one after another. */
  #left: Repetition | undefined;
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
    if (this.#left?.repeats(unit) === true) return;
    this.#held.push(kept(unit));
    this.#heldBytes += unit.bytes.length;
    for (const { key, frames } of unit.streams) {
      const known = this.#heldFrames.get(key);
      if (known === undefined) this.#heldFrames.set(key, [...frames]);
      else known.push(...frames);
    }
    const isLong = this.#heldSpanMs() > HELD_MS_MAX && !this.#options.isCatchingUp();
    this.#decide(this.#heldBytes > HELD_BYTES_MAX || isLong);
  }

  /** The run is over: what is held is let go. */
  end(): void {
    while (this.#held !== undefined && this.#heldFrames.size > 0) this.#decide(true);
  }

  #heldSpanMs(): number {
    let span = 0;
    for (const frames of this.#heldFrames.values()) {
      span = Math.max(span, (frames.at(-1)?.startMs ?? 0) - (frames[0]?.startMs ?? 0));
    }
    return span;
  }

  #decide(isLast: boolean): void {
    const place = this.#find(isLast);
    if (place === undefined) return;
    const { join, section } = place;
    const { sections } = this.#options.tail;
    const repeated = sections[section];
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#heldFrames = new Map();
    this.#unlike = new Map();
    if (join.how === 'overlaps' && repeated !== undefined && section < sections.length - 1) {
      this.#repeated = new Repetition(repeated, join.shiftMs);
      this.#next = section + 1;
    } else {
      if (join.how === 'overlaps' || join.how === 'later') this.#dropUntil(join);
      this.#options.joined(join);
    }
    for (const unit of held) this.take(unit);
  }

  /** Where the run is; undefined when more of it has to be seen. */
  #find(isLast: boolean): Place | undefined {
    const { tail } = this.#options;
    const last = tail.sections.length - 1;
    if (tail.isEmpty) return { join: { how: 'first' }, section: last };
    let current: RunJoin | undefined;
    let isOpen = false;
    for (let section = last; section >= this.#next; section--) {
      const stored = tail.sections[section];
      const join = stored === undefined ? undefined : this.#compare(stored, isLast);
      if (join?.how === 'overlaps') return { join, section };
      if (section === last) current = join;
      isOpen ||= join === undefined;
    }
    if (isOpen || current === undefined) return undefined;
    if (current.how === 'apart' && !isLast && this.#options.isCatchingUp()) {
      // It began before a gap, or within one, and may come to what is stored yet.
      for (const [key, frames] of this.#heldFrames) this.#unlike.set(key, frames.length);
      return undefined;
    }
    return { join: current, section: last };
  }

  #compare(stored: TailSection, isLast: boolean): RunJoin | undefined {
    const primary = this.#held?.at(-1)?.layout.primary;
    const known = [primary, ...(isLast ? this.#heldFrames.keys() : [])].filter(
      (key) => key !== undefined,
    );
    const key = known.find(
      (one) => stored.stream(one) !== undefined && (!isLast || this.#heldFrames.has(one)),
    );
    const tail = key === undefined ? undefined : stored.stream(key);
    if (key === undefined || tail === undefined) return isLast ? { how: 'apart' } : undefined;
    const unlike = this.#unlike.get(key) ?? 0;
    const frames = this.#heldFrames.get(key)?.slice(unlike) ?? [];
    if (unlike > 0 && frames.length < LOOKED_AT_FRAMES && !isLast) return undefined;
    const join = overlapOf({ frames, tail, passedMs: this.#options.passedMs(), isLast });
    // Where a run goes on its first frames tell.
    return unlike > 0 && join?.how === 'later' ? { how: 'apart' } : join;
  }

  #dropUntil(join: RunJoin): void {
    const shiftMs = join.how === 'overlaps' ? join.shiftMs : 0;
    const lasts = [...this.#options.tail.lastStarts()];
    this.#until = new Map(lasts.map(([stream, lastMs]) => [stream, lastMs + shiftMs]));
  }

  #pass(unit: MediaUnit): void {
    if (this.#repeated !== undefined) {
      if (!this.#repeated.isPassedBy(unit)) return;
      // It goes on after this timeline: where is it now?
      this.#left = this.#repeated;
      this.#repeated = undefined;
      this.#held = [];
      this.take(unit);
      return;
    }
    if (this.#left?.repeats(unit) === true) return;
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
    this.#left = undefined;
    this.#dropping.clear();
    return undefined;
  }
}

/** A run's way through a timeline that is stored. */
class Repetition {
  readonly #until: ReadonlyMap<string, number>;
  /** Where the streams are. */
  readonly #lasts = new Map<string, number>();
  /** Streams that have left it. */
  readonly #gone = new Set<string>();

  constructor(section: TailSection, shiftMs: number) {
    this.#until = new Map(
      [...section.lastStarts()].map(([key, lastMs]) => [key, lastMs + shiftMs + SAME_MS]),
    );
  }

  /** Whether the main stream goes on after it with this unit; what comes before that is stored. */
  isPassedBy(unit: MediaUnit): boolean {
    const { primary } = unit.layout;
    const own = unit.streams.find(({ key }) => key === primary);
    if (own === undefined && primary !== undefined && this.#until.has(primary)) {
      this.repeats(unit);
      return false;
    }
    return !this.repeats(unit);
  }

  /** Whether the unit still belongs to it. */
  repeats({ streams }: MediaUnit): boolean {
    if (streams.length === 0) return false;
    let isRepeated = false;
    for (const { key, frames } of streams) {
      if (frames.length === 0) isRepeated ||= !this.#gone.has(key);
      for (const { startMs } of frames) {
        const lastMs = this.#lasts.get(key) ?? startMs;
        this.#lasts.set(key, startMs);
        const until = this.#until.get(key) ?? Number.NEGATIVE_INFINITY;
        if (startMs > until || startMs < lastMs - HOLE_MS) this.#gone.add(key);
        isRepeated ||= !this.#gone.has(key);
      }
    }
    return isRepeated;
  }
}

/** How many of the first frames are stored already. */
function droppedOf(frames: readonly MediaFrame[], untilMs: number): number {
  let dropped = 0;
  while (dropped < frames.length && (frames[dropped]?.startMs ?? 0) <= untilMs + SAME_MS) dropped++;
  return dropped;
}
