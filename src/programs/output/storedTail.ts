import type { MediaFrame, MediaUnit } from './mediaUnit.ts';

/** How much of what was recorded last is remembered, to know it again: longer than any live window that programs begin at. */
export const JOIN_TAIL_MS = 120_000;
/** Frames that are remembered of one stream: 120 s at 120 frames/s, and room to cut them only now and then. */
const FRAMES_MAX = 2 * 120 * 120;
/** Streams of one programme; what is beyond is not compared. */
const STREAMS_MAX = 16;

/** The last frames of one stream, in the order in which they are stored: numbers side by side, as there are thousands. */
class StreamTail {
  readonly starts: number[] = [];
  readonly hashes: number[] = [];
  lastDurationMs: number | undefined;

  get lastMs(): number {
    return this.starts.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  add({ startMs, durationMs, hash }: MediaFrame): void {
    this.starts.push(startMs);
    this.hashes.push(hash);
    this.lastDurationMs = durationMs;
    const isLong = this.starts.length >= FRAMES_MAX;
    if (!isLong && (this.starts[0] ?? 0) > startMs - 2 * JOIN_TAIL_MS) return;
    const from = isLong
      ? FRAMES_MAX / 2
      : this.starts.findIndex((at) => at > startMs - JOIN_TAIL_MS);
    this.starts.splice(0, from);
    this.hashes.splice(0, from);
  }

  shift(byMs: number): void {
    for (const [index, start] of this.starts.entries()) this.starts[index] = start + byMs;
  }
}

/** Timelines before the current one that are remembered: a break for advertisements makes two. */
const SECTIONS_MAX = 8;

/** What is stored of one timeline. */
export class TailSection {
  readonly #streams = new Map<string, StreamTail>();

  add(unit: MediaUnit): void {
    for (const { key, frames } of unit.streams) {
      let stream = this.#streams.get(key);
      if (stream === undefined) {
        if (this.#streams.size === STREAMS_MAX || frames.length === 0) continue;
        stream = new StreamTail();
        this.#streams.set(key, stream);
      }
      for (const frame of frames) stream.add(frame);
    }
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  stream(key: string): Pick<StreamTail, 'starts' | 'hashes' | 'lastMs'> | undefined {
    return this.#streams.get(key);
  }

  /** When the last frame of every stream begins. */
  lastStarts(): Map<string, number> {
    return new Map([...this.#streams].map(([key, { lastMs }]) => [key, lastMs]));
  }

  /** From here on the program's clock is ahead by so much. */
  shift(byMs: number): void {
    for (const stream of this.#streams.values()) stream.shift(byMs);
  }
}

/** What was stored last, one timeline after another: by that a new run of the program is known to go on with it. */
export class StoredTail {
  readonly #sections: TailSection[] = [new TailSection()];

  /** Oldest first; the last one is that which goes on. */
  get sections(): readonly TailSection[] {
    return this.#sections;
  }

  get isEmpty(): boolean {
    return this.#sections.every(({ isEmpty }) => isEmpty);
  }

  add(unit: MediaUnit): void {
    this.#current.add(unit);
  }

  lastStarts(): Map<string, number> {
    return this.#current.lastStarts();
  }

  shift(byMs: number): void {
    this.#current.shift(byMs);
  }

  /** Another timeline begins: only a run that begins earlier can have to do with the one before. */
  begin(): void {
    if (this.#current.isEmpty) return;
    this.#sections.push(new TailSection());
    if (this.#sections.length > SECTIONS_MAX) this.#sections.shift();
  }

  /** Nothing is known of what is stored. */
  clear(): void {
    this.#sections.splice(0, this.#sections.length, new TailSection());
  }

  get #current(): TailSection {
    const last = this.#sections.at(-1);
    if (last === undefined) throw new Error('a tail without a timeline');
    return last;
  }
}
