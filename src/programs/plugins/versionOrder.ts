/**
 * Whether a tool is as new as a version, compared number by number (`5.1.9-0+deb12u1` is newer than `5.0`). A version without
 * numbers, such as a build of the newest source (`N-113000-g…`), counts as new.
 */
export function isAtLeast(version: string, wanted: string): boolean {
  const have = numbersOf(version);
  if (have.length === 0) return true;
  for (const [index, least] of numbersOf(wanted).entries()) {
    const number = have[index] ?? 0;
    if (number !== least) return number > least;
  }
  return true;
}

/** The numbers at its beginning: `n7.0-7-gd38bf5e` is 7, 0. */
const numbersOf = (version: string): number[] =>
  (/^[nv]?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '')
    .split('.')
    .filter((part) => part !== '')
    .map(Number);
