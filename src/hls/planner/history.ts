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
const REMEMBERED_SEGMENTS_MAX = 512;

interface Remembered {
  /** Undefined: stored by an earlier life of the recording, and not listed since. */
  readonly identity: string | undefined;
  checksum?: string;
}

/** What the last segments were called and what was in them. It forgets the oldest. */
export class PlannerHistory {
  #epoch = -1;
  readonly #byNumber = new Map<number, Remembered>();
  readonly #byIdentity = new Map<string, Place & { readonly recurs: boolean }>();

  /** Numbers mean something else from here on. Identities of earlier epochs stay known. */
  openEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#byNumber.clear();
  }

  /** What an earlier life stored in this epoch, in order: the journal knows its content and not its name. */
  resume(stored: readonly (Place & { readonly checksum: string })[]): void {
    for (const { epoch, msn, checksum } of stored) {
      if (epoch === this.#epoch) this.#byNumber.set(msn, { identity: undefined, checksum });
    }
  }

  add(segments: readonly PlaylistSegment[]): void {
    for (const { msn, identity } of segments.slice(-REMEMBERED_SEGMENTS_MAX)) {
      const before = this.#byIdentity.get(identity);
      const moved = before?.epoch === this.#epoch && before.msn !== msn;
      const unnamed = this.#byNumber.get(msn);
      const checksum = unnamed?.identity === undefined ? unnamed?.checksum : undefined;
      this.#byNumber.set(msn, { identity, ...(checksum !== undefined && { checksum }) });
      this.#byIdentity.delete(identity);
      this.#byIdentity.set(identity, {
        epoch: this.#epoch,
        msn,
        recurs: moved || before?.recurs === true,
      });
    }
    forgetOldest(this.#byNumber);
    forgetOldest(this.#byIdentity);
  }

  stored({ epoch, msn }: Place, checksum: string): void {
    const remembered = epoch === this.#epoch ? this.#byNumber.get(msn) : undefined;
    if (remembered !== undefined) remembered.checksum = checksum;
  }

  /** The place of this media, unless its name stands for several (a slate, a ring of file names). */
  placeOf(identity: string): Place | undefined {
    const found = this.#byIdentity.get(identity);
    return found?.recurs === true ? undefined : found;
  }

  isAt({ msn, identity }: PlaylistSegment): boolean {
    return this.#byNumber.get(msn)?.identity === identity;
  }

  checksumAt(msn: number): string | undefined {
    return this.#byNumber.get(msn)?.checksum;
  }

  identityAt(msn: number): string | undefined {
    return this.#byNumber.get(msn)?.identity;
  }
}

/** Deletes the entries that were added first. */
function forgetOldest<Key>(map: Map<Key, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= REMEMBERED_SEGMENTS_MAX) return;
    map.delete(key);
  }
}
