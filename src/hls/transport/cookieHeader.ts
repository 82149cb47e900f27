import { COOKIE_HEADER_BYTES_MAX } from './limits.ts';

const nameOf = (pair: string): string => (pair.split('=', 1)[0] ?? '').trim();

/**
 * One `Cookie` header of two. Where both name a cookie, the origin's own word is later and holds. Cookies beyond
 * `COOKIE_HEADER_BYTES_MAX` are left out, the last first.
 */
export function cookieHeader(given: string | undefined, kept: string): string {
  const keptPairs = kept.split('; ');
  const names = new Set(keptPairs.map(nameOf));
  const givenPairs = (given ?? '')
    .split(/;\s*/)
    .filter((pair) => pair !== '' && !names.has(nameOf(pair)));
  let header = '';
  for (const pair of [...givenPairs, ...keptPairs]) {
    const longer = header === '' ? pair : `${header}; ${pair}`;
    if (longer.length > COOKIE_HEADER_BYTES_MAX) break;
    header = longer;
  }
  return header;
}
