import { KennelError } from '../core/errors.ts';

/**
 * A cookie file of a job, bytes. A browser keeps 3000 cookies of 4 KiB at most; an export of a whole, well-used profile is some
 * hundred KiB.
 */
export const COOKIE_FILE_BYTES_MAX = 1024 * 1024;

/** What such a file begins with; some tools insist on it. */
export const COOKIE_FILE_HEAD = '# Netscape HTTP Cookie File\n';

/** `#HttpOnly_` before the domain is a flag, not a comment. */
const HTTP_ONLY = '#HttpOnly_';

export interface NetscapeCookie {
  /** Without the leading dot. */
  readonly domain: string;
  /** Whether hosts below the domain get it too. */
  readonly withSubdomains: boolean;
  readonly path: string;
  readonly secure: boolean;
  /** Seconds since the epoch; 0: until the end of the session. */
  readonly expires: number;
  readonly name: string;
  readonly value: string;
}

/**
 * Reads a Netscape cookie file, as browsers' extensions and curl write it.
 *
 * @throws KennelError `usage.invalid`, which tells the line's number and never what is in it
 */
export function netscapeCookies(text: string): NetscapeCookie[] {
  if (Buffer.byteLength(text) > COOKIE_FILE_BYTES_MAX)
    throw refused(`The cookies are larger than ${COOKIE_FILE_BYTES_MAX} bytes`);
  const lines = text.replace(/^\ufeff/, '').split('\n');
  return lines.flatMap((line, index) => cookieOf(line.replace(/\r$/, ''), index + 1) ?? []);
}

function cookieOf(line: string, number: number): NetscapeCookie | undefined {
  const isHttpOnly = line.startsWith(HTTP_ONLY);
  if (line.trim() === '' || (line.startsWith('#') && !isHttpOnly)) return undefined;
  if (number === 1 && /^\s*[[{]/.test(line))
    throw refused('The cookies are JSON; export them in the Netscape format (cookies.txt)');
  const fields = (isHttpOnly ? line.slice(HTTP_ONLY.length) : line).split('\t');
  const [host = '', subdomains = '', path = '', secure = '', expires = '', name = ''] = fields;
  const value = fields[6] ?? '';
  const where = `Line ${number} of the cookies`;
  if (fields.length !== 6 && fields.length !== 7)
    throw refused(`${where} has ${fields.length} fields, not 7 with a tab between each`);
  const domain = host.replace(/^\./, '').toLowerCase();
  if (!/^[\w.:[\]-]+$/.test(domain)) throw refused(`${where} has no domain`);
  if (!/^(?:TRUE|FALSE)$/i.test(subdomains) || !/^(?:TRUE|FALSE)$/i.test(secure))
    throw refused(`${where} has something other than TRUE or FALSE in field 2 or 4`);
  if (!path.startsWith('/')) throw refused(`${where} has no path`);
  if (!/^-?\d*(?:\.\d+)?$/.test(expires)) throw refused(`${where} has no time in field 5`);
  // What ends a header or a file's line cannot be part of a cookie.
  if (hasControl(name + value + path)) throw refused(`${where} has a control character`);
  return {
    domain,
    withSubdomains: subdomains.toUpperCase() === 'TRUE',
    path,
    secure: secure.toUpperCase() === 'TRUE',
    expires: Math.max(0, Math.floor(Number(expires))),
    name,
    value,
  };
}

/** As an origin would have set it, and where: for a cookie jar. Cookies that are over are left out; `now`: milliseconds since the epoch. */
export function asSetCookies(
  cookies: readonly NetscapeCookie[],
  now: number,
): { readonly url: URL; readonly text: string }[] {
  return cookies.flatMap(({ domain, withSubdomains, path, secure, expires, name, value }) => {
    const url = URL.parse(`https://${domain}${path}`);
    if (url === null || name === '' || (expires > 0 && expires * 1_000 <= now)) return [];
    const text = [
      `${name}=${value}`,
      `Path=${path}`,
      ...(withSubdomains ? [`Domain=${domain}`] : []),
      ...(secure ? ['Secure'] : []),
      ...(expires > 0 ? [`Expires=${new Date(expires * 1_000).toUTCString()}`] : []),
    ];
    return [{ url, text: text.join('; ') }];
  });
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

const refused = (problem: string): KennelError =>
  new KennelError('usage.invalid', `${problem}. It is a Netscape cookie file that is needed.`);
