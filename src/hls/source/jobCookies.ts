import { asSetCookies, netscapeCookies } from '../../intake/netscapeCookies.ts';
import type { CookieJarLike } from '../transport/transport.ts';

/**
 * Puts the cookies of a Netscape file into a jar. A jar keeps the last so many: those for the hosts of the job's links come last.
 * `now`: milliseconds since the epoch. Rejects with `usage.invalid` when the text is none.
 */
export async function takeCookies(
  jar: CookieJarLike,
  text: string,
  { links, now }: { readonly links: readonly URL[]; readonly now: number },
): Promise<void> {
  const isNear = (domain: string) =>
    links.some(({ hostname }) => hostname === domain || hostname.endsWith(`.${domain}`));
  const cookies = netscapeCookies(text);
  const sorted = cookies.toSorted(
    (one, other) => Number(isNear(one.domain)) - Number(isNear(other.domain)),
  );
  for (const cookie of asSetCookies(sorted, now)) await jar.take(cookie.url, [cookie.text]);
}
