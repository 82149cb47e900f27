import type { CookieJar as ToughJar } from 'tough-cookie';
import { COOKIE_BYTES_MAX, COOKIES_MAX } from './limits.ts';
import type { CookieJarLike } from './transport.ts';

/** A cookie goes into a header again: nothing but what a header may hold. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The cookies of one job, by the rules of RFC 6265 (domains, paths, `Secure`, expiry; none for public suffixes). It lives and
 * dies with the recorder: cookies of a session are worth nothing after it. The least recently set goes beyond `COOKIES_MAX`.
 */
export class CookieJar implements CookieJarLike {
  #jar: ToughJar | undefined;
  /** Where each cookie is kept, in the order of their setting. */
  readonly #kept = new Map<string, readonly [domain: string, path: string, name: string]>();

  cookiesFor(url: URL): string {
    return this.#jar?.getCookieStringSync(url.href) ?? '';
  }

  /** Malformed, oversized and foreign cookies are left out, as in a browser. */
  async take(url: URL, setCookies: readonly string[]): Promise<void> {
    const empty = this.#jar ?? (await emptyJar());
    this.#jar ??= empty;
    const jar = this.#jar;
    for (const text of setCookies) {
      if (text.length > COOKIE_BYTES_MAX || !VALUE.test(text)) continue;
      const cookie = jar.setCookieSync(text, url.href, { ignoreError: true });
      if (!cookie) continue;
      const { domain, path, key } = cookie;
      const place = [domain ?? '', path ?? '/', key] as const;
      this.#kept.delete(place.join('\n'));
      this.#kept.set(place.join('\n'), place);
    }
    for (const [name, place] of this.#kept) {
      if (this.#kept.size <= COOKIES_MAX) break;
      this.#kept.delete(name);
      await jar.store.removeCookie(...place);
    }
  }
}

/** Most streams set no cookie: the library is loaded with the first one. */
async function emptyJar(): Promise<ToughJar> {
  const { CookieJar: Jar } = await import('tough-cookie');
  return new Jar();
}
