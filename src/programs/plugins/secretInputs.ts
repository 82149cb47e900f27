import { KennelError } from '../../core/errors.ts';
import { basicAuthorization } from '../../egress/basicAuthorization.ts';
import { hasControlCharacter } from '../../intake/controlCharacters.ts';
import { COOKIE_FILE_HEAD, netscapeCookies } from '../../intake/netscapeCookies.ts';
import type { ProgramOrder } from '../recorderPlugin.ts';

/** What a header may be called (RFC 9110 §5.6.2, token). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

/** Schemes that carry credentials as a header. */
const HTTP = /^https?:$/;

/** The secrets of an order in the form in which programs take them. */
export interface SecretInputs {
  /** Headers but `Cookie`, with the credentials of the address as `Authorization`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The cookies that go to the host of the source, as in a `Cookie` header; empty: none. */
  readonly cookie: string;
  /** All cookies as a Netscape file, those of a `Cookie` header for the source's host only. Undefined: none. */
  readonly cookieFile: string | undefined;
  /** The address without credentials, where those have become a header. */
  readonly url: URL;
}

/**
 * @throws KennelError `usage.invalid` for what would end a line of a file or of a request. It names the header, never its value.
 */
export function secretInputs({ source, headers, cookies = '' }: ProgramOrder): SecretInputs {
  const { url, authorization } = withoutCredentials(source.url);
  const entries = Object.entries(headers);
  for (const [name, value] of entries) checkHeader(name, value);
  const own = entries.filter(([name]) => !/^cookie$/i.test(name));
  const isAuthorized = own.some(([name]) => /^authorization$/i.test(name));
  const wanted = entries
    .filter(([name]) => /^cookie$/i.test(name))
    .flatMap(([, value]) => pairsOf(value));
  const lines = wanted.map(([name, value]) => cookieLine(url, name, value));
  const kept = cookies.trim() === '' ? '' : checkedFile(cookies);
  return {
    url,
    headers:
      authorization === undefined || isAuthorized
        ? own
        : [...own, ['Authorization', authorization]],
    cookie: [...matching(kept, url), ...wanted.map((pair) => pair.join('='))].join('; '),
    cookieFile: kept === '' && lines.length === 0 ? undefined : cookieFile(kept, lines),
  };
}

/** Python's `splitlines`, by which streamlink reads its file, ends lines at these too. */
const UNICODE_LINE_ENDS = /[\u2028\u2029]/;

/** The value, when it can be one line of a file. @throws KennelError `usage.invalid` */
export function oneLine(what: string, value: string): string {
  if (!hasControlCharacter(value) && !UNICODE_LINE_ENDS.test(value)) return value;
  throw new KennelError(
    'usage.invalid',
    `${what} has a control character, such as a line's end. Give it without.`,
  );
}

function checkHeader(name: string, value: string): void {
  if (!HEADER_NAME.test(name)) {
    throw new KennelError(
      'usage.invalid',
      'A header has a name that HTTP does not allow. Names are letters, digits and hyphens.',
    );
  }
  oneLine(`The header ${name}`, value);
}

function withoutCredentials(given: URL): {
  readonly url: URL;
  readonly authorization: string | undefined;
} {
  const url = new URL(given);
  if (!HTTP.test(url.protocol)) return { url, authorization: undefined };
  url.username = '';
  url.password = '';
  return { url, authorization: basicAuthorization(given) };
}

const pairsOf = (header: string): (readonly [string, string])[] =>
  header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? (['', part] as const) : ([part.slice(0, at), part.slice(at + 1)] as const);
    });

const cookieLine = ({ hostname, protocol }: URL, name: string, value: string): string =>
  [hostname, 'FALSE', '/', protocol === 'https:' ? 'TRUE' : 'FALSE', '0', name, value].join('\t');

/** Reading it is the check. */
function checkedFile(text: string): string {
  netscapeCookies(text);
  return text;
}

function cookieFile(kept: string, lines: readonly string[]): string {
  const head = kept.startsWith('#') ? '' : COOKIE_FILE_HEAD;
  const body = kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`;
  return `${head}${body}${lines.map((line) => `${line}\n`).join('')}`;
}

/** `name=value` of the cookies that a client would send there. */
function matching(text: string, url: URL): string[] {
  return netscapeCookies(text)
    .filter(({ domain, withSubdomains, path, secure }) => {
      const isHost =
        url.hostname === domain || (withSubdomains && url.hostname.endsWith(`.${domain}`));
      const isPath = url.pathname.startsWith(path);
      return isHost && isPath && (!secure || url.protocol === 'https:');
    })
    .map(({ name, value }) => `${name}=${value}`);
}
