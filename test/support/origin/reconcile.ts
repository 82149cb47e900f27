import type { Label } from './numbering.ts';
import type { OriginStream } from './originStream.ts';

/** What a recorder says it has: one stored segment. */
export interface StoredClaim extends Label {
  /** Of the stored bytes, hex, as Kennel hashes new recordings. */
  readonly checksum: string;
}

/** What a recorder says it has not: `count` numbers from `msn` on. */
export interface LostClaim extends Label {
  readonly count: number;
}

export interface Reconciliation {
  /** Indexes that are stored with the right bytes. */
  readonly stored: readonly number[];
  /** Indexes that are named as lost and were advertised. */
  readonly lost: readonly number[];
  /** Advertised, but neither stored nor named as lost: the one thing that must never be. */
  readonly unaccounted: readonly number[];
  /** Named as lost although no playlist that was sent had them: the recorder concluded it from the numbers. */
  readonly inferred: readonly number[];
  /** Claimed more than once. */
  readonly twice: readonly number[];
  /** Stored under a number whose media is other than what was stored. */
  readonly wrong: readonly number[];
  /** Labels that this origin never could have given. */
  readonly invented: readonly Label[];
}

/**
 * Holds a recorder's ledger against the origin's truth. Epochs are the origin's: 0 and one more for every renumbering, so a
 * recorder that was away for a whole epoch needs its epochs translated first.
 */
export function reconcile(
  stream: OriginStream,
  claims: { readonly stored: readonly StoredClaim[]; readonly lost: readonly LostClaim[] },
): Reconciliation {
  const advertised = new Set(stream.truth().advertised.map(({ index }) => index));
  const times = new Map<number, number>();
  const invented: Label[] = [];
  const claim = (label: Label): number[] => {
    const index = stream.indexOf(label);
    if (index === undefined) {
      invented.push({ epoch: label.epoch, msn: label.msn });
      return [];
    }
    times.set(index, (times.get(index) ?? 0) + 1);
    return [index];
  };
  const stored: number[] = [];
  const wrong: number[] = [];
  for (const one of claims.stored) {
    for (const index of claim(one)) {
      (stream.checksumOf(index) === one.checksum ? stored : wrong).push(index);
    }
  }
  const named = claims.lost.flatMap(({ epoch, msn, count }) =>
    Array.from({ length: count }, (_, step) => claim({ epoch, msn: msn + step })).flat(),
  );
  const ascending = (indexes: Iterable<number>): number[] =>
    [...new Set(indexes)].toSorted((a, b) => a - b);
  return {
    stored: ascending(stored),
    lost: ascending(named.filter((index) => advertised.has(index))),
    unaccounted: ascending(advertised).filter((index) => !times.has(index)),
    inferred: ascending(named.filter((index) => !advertised.has(index))),
    twice: ascending([...times].filter(([, count]) => count > 1).map(([index]) => index)),
    wrong: ascending(wrong),
    invented,
  };
}
