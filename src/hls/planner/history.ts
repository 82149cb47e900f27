import type { PlaylistSegment } from '../playlist/model.ts';

/** Where a segment stands on its track. */
export interface Place {
  readonly epoch: number;
  readonly msn: number;
}

/**
 * How many of the last segments are remembered by identity. Enough to know a stale answer (edges lag by a few windows of 5 to
 * 30 segments) and every ring of reused file names that encoders write; at about 200 B each it is 100 KB for one stream.
 */
export const REMEMBERED_SEGMENTS_MAX = 512;

/** A segment that an earlier life of the recording stored. */
export interface StoredBefore extends Place {
  readonly checksum: string;
  readonly source?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly wallClock?: number | undefined;
  readonly durationMs?: number;
}

interface Remembered {
  /** By source. Without one: stored by an earlier life of the recording, and not listed since. */
  readonly names: Map<number, string>;
  checksum: string | undefined;
  /** The sources whose bytes have this checksum. */
  from: readonly number[];
  wallClock: number | undefined;
  durationMs: number;
}

/** A segment of this epoch whose date is known. */
export interface Dated {
  readonly msn: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
}

/**
 * What the last segments were called by each source, what was in them and when they began. All numbers are those of the
 * timeline. It forgets the oldest.
 */
export class PlannerHistory {
  #epoch = -1;
  readonly #byNumber = new Map<number, Remembered>();
  readonly #byIdentity = new Map<number, Map<string, Place & { readonly recurs: boolean }>>();

  /** Numbers mean something else from here on. Identities of earlier epochs stay known. */
  openEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#byNumber.clear();
  }

  /** What an earlier life stored in this epoch, in order: the journal knows its content and not its name. */
  resume(stored: readonly StoredBefore[]): void {
    for (const { epoch, msn, checksum, source = 0, wallClock, durationMs = 0 } of stored) {
      if (epoch !== this.#epoch) continue;
      this.#byNumber.set(msn, {
        names: new Map(),
        checksum,
        from: [source],
        wallClock,
        durationMs,
      });
    }
  }

  /** What a source lists, `shift` being added to its numbers. What is older than the memory is left out. */
  add(source: number, segments: readonly PlaylistSegment[], shift: number): void {
    for (const segment of segments.slice(-REMEMBERED_SEGMENTS_MAX)) {
      this.#add(source, segment, segment.msn + shift);
    }
    forgetOldest(this.#byNumber);
    const names = this.#byIdentity.get(source);
    if (names !== undefined) forgetOldest(names);
  }

  #add(source: number, { identity, wallClock, durationMs }: PlaylistSegment, msn: number): void {
    let places = this.#byIdentity.get(source);
    if (places === undefined) {
      places = new Map();
      this.#byIdentity.set(source, places);
    }
    const before = places.get(identity);
    const moved = before?.epoch === this.#epoch && before.msn !== msn;
    places.delete(identity);
    places.set(identity, { epoch: this.#epoch, msn, recurs: moved || before?.recurs === true });
    const known = this.#byNumber.get(msn);
    if (known !== undefined) {
      known.names.set(source, identity);
      known.wallClock ??= wallClock;
      return;
    }
    const names = new Map([[source, identity]]);
    this.#byNumber.set(msn, { names, checksum: undefined, from: [], wallClock, durationMs });
  }

  /** `from`: the sources whose bytes these are, when that is known. */
  stored({ epoch, msn }: Place, checksum: string, from: readonly number[]): void {
    const remembered = epoch === this.#epoch ? this.#byNumber.get(msn) : undefined;
    if (remembered === undefined) return;
    remembered.checksum = checksum;
    remembered.from = from;
  }

  /** The place of what this source calls so, unless that name stands for several (a slate, a ring of file names). */
  placeOf(source: number, identity: string): Place | undefined {
    const found = this.#byIdentity.get(source)?.get(identity);
    return found?.recurs === true ? undefined : found;
  }

  /** The number in this epoch of what any source calls so, unless that name stands for several. */
  numberOf(identity: string): number | undefined {
    let number: number | undefined;
    for (const places of this.#byIdentity.values()) {
      const found = places.get(identity);
      if (found?.epoch !== this.#epoch) continue;
      if (found.recurs || (number !== undefined && number !== found.msn)) return undefined;
      number = found.msn;
    }
    return number;
  }

  isAt(source: number, msn: number, identity: string): boolean {
    return this.#byNumber.get(msn)?.names.get(source) === identity;
  }

  /** The content of this number as that source has it. */
  checksumAt(msn: number, source: number): string | undefined {
    const remembered = this.#byNumber.get(msn);
    return remembered?.from.includes(source) === true ? remembered.checksum : undefined;
  }

  identityAt(msn: number, source: number): string | undefined {
    return this.#byNumber.get(msn)?.names.get(source);
  }

  isNamed(msn: number, source: number): boolean {
    return this.identityAt(msn, source) !== undefined;
  }

  /** What any source calls the segment of this number. */
  namesAt(msn: number): readonly string[] {
    return [...(this.#byNumber.get(msn)?.names.values() ?? [])];
  }

  /** When the segment of this number begins and how long it lasts. */
  datedAt(msn: number): Dated | undefined {
    const { wallClock, durationMs } = this.#byNumber.get(msn) ?? {};
    if (wallClock === undefined || durationMs === undefined) return undefined;
    return { msn, at: wallClock, durationMs };
  }

  /** In order of their dates. */
  dated(): Dated[] {
    return [...this.#byNumber.keys()]
      .flatMap((msn) => this.datedAt(msn) ?? [])
      .sort((a, b) => a.at - b.at);
  }

  /** Stored content of this epoch, whichever source it came from. */
  contents(): { readonly msn: number; readonly checksum: string }[] {
    return [...this.#byNumber].flatMap(([msn, { checksum }]) =>
      checksum === undefined ? [] : [{ msn, checksum }],
    );
  }
}

/** Deletes the entries that were added first. */
function forgetOldest<Key>(map: Map<Key, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= REMEMBERED_SEGMENTS_MAX) return;
    map.delete(key);
  }
}
