import type { Label } from './numbering.ts';

/** One segment that a playlist offered. */
export interface Advertised extends Label {
  readonly index: number;
  /** When the first playlist with it had been handed over, milliseconds after the stream's start. */
  readonly atMs: number;
}

/** What the origin really did: the reference against which a recording is judged. */
export interface Truth {
  readonly elapsedMs: number;
  /** Index of the newest segment. */
  readonly head: number;
  /** Playlists that were sent whole. */
  readonly playlists: number;
  /** Whether one of them said ENDLIST. */
  readonly ended: boolean;
  /**
   * Every segment in a playlist that was sent whole, in order of index, under the label it had first. Handed to the
   * kernel, that is: a client that died meanwhile may not have read it.
   */
  readonly advertised: readonly Advertised[];
  /** Later labels of segments that were advertised before under another. */
  readonly relabelled: readonly Advertised[];
  /** How often each segment was sent whole, by index. */
  readonly served: Readonly<Record<number, number>>;
  /** Everything that was refused or spoilt. */
  readonly errors: readonly {
    readonly atMs: number;
    readonly what: string;
    readonly file: string;
  }[];
}

/** Keeps the record while the stream runs. */
export class TruthKeeper {
  readonly #advertised = new Map<number, Advertised>();
  readonly #relabelled = new Map<string, Advertised>();
  readonly #served = new Map<number, number>();
  readonly #errors: { atMs: number; what: string; file: string }[] = [];
  #playlists = 0;
  #ended = false;

  playlistSent(shown: readonly Advertised[], ended: boolean): void {
    this.#playlists++;
    this.#ended ||= ended;
    for (const segment of shown) {
      const first = this.#advertised.get(segment.index);
      if (first === undefined) this.#advertised.set(segment.index, segment);
      else if (first.epoch !== segment.epoch) {
        const key = `${segment.epoch} ${segment.index}`;
        if (!this.#relabelled.has(key)) this.#relabelled.set(key, segment);
      }
    }
  }

  segmentServed(index: number): void {
    this.#served.set(index, (this.#served.get(index) ?? 0) + 1);
  }

  wentWrong(atMs: number, what: string, file: string): void {
    this.#errors.push({ atMs, what, file });
  }

  read(elapsedMs: number, head: number): Truth {
    const byIndex = (a: Advertised, b: Advertised): number => a.index - b.index;
    return {
      elapsedMs,
      head,
      playlists: this.#playlists,
      ended: this.#ended,
      advertised: [...this.#advertised.values()].toSorted(byIndex),
      relabelled: [...this.#relabelled.values()].toSorted(byIndex),
      served: Object.fromEntries(this.#served),
      errors: [...this.#errors],
    };
  }
}
