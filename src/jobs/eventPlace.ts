import type { EventPlace } from './eventLog.ts';

/** Less than zero: `one` comes first. Places are `<transaction>-<id>`, and transactions have 64 bits. */
export function comparePlaces(one: EventPlace, other: EventPlace): number {
  const [mine, theirs] = [numbersOf(one), numbersOf(other)];
  return sign(mine.transaction - theirs.transaction) || sign(mine.id - theirs.id);
}

function numbersOf(place: EventPlace) {
  const [transaction = '0', id = '0'] = place.split('-', 2);
  return { transaction: BigInt(transaction), id: BigInt(id) };
}

const sign = (difference: bigint): number => Number(difference > 0n) - Number(difference < 0n);
