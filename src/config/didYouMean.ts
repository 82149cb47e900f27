/** More than this many letters apart, two words are different words: as in git and commander, which allow about a third. */
const APART_MAX = 3;

/** The known word that is nearest to the given one, if any is near. */
export function didYouMean(
  word: string,
  known: readonly string[],
  apartMax = APART_MAX,
): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, apart: editsBetween(word, candidate) }))
    .filter(({ candidate, apart }) => apart <= Math.min(apartMax, Math.ceil(candidate.length / 3)))
    .sort((one, other) => one.apart - other.apart);
  return near[0]?.candidate;
}

/** Letters to insert, remove, replace or swap with their neighbour until one word is the other (optimal string alignment). */
export function editsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      line[column] = Math.min(
        (last[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = line;
  }
  return last[other.length] ?? 0;
}
