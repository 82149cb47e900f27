import { KennelError } from '../../core/errors.ts';
import { basicAuthorization } from '../../egress/basicAuthorization.ts';

/** What frames a message or names the peer belongs to the transport; a caller who set it could break both. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-authorization',
  'proxy-connection',
]);
const NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** RFC 9110 §5.5: visible characters, blanks and tabs. No CR, LF or NUL: they would start a header or a request. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Lower-case names of headers that are meant for one origin only. */
const CREDENTIALS = new Set(['authorization', 'cookie']);

export type RequestHeaders = Readonly<Record<string, string>>;

/** Headers with names in lower case. Throws `usage.invalid`, which names the header but never its value. */
export function checkedHeaders(headers: RequestHeaders): RequestHeaders {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!NAME.test(name)) throw refusedHeader(name, 'its name has characters HTTP does not allow');
    if (RESERVED.has(lower)) throw refusedHeader(name, 'it is set by Kennel');
    if (!VALUE.test(value)) {
      throw refusedHeader(
        name,
        'its value has a line end or another character HTTP does not allow',
      );
    }
    checked[lower] = value;
  }
  return checked;
}

/** Without what must not follow a redirect to another origin. */
export const withoutCredentials = (headers: RequestHeaders): RequestHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name)));

/** The bytes of a GET, as latin1 text. `URL` has already encoded everything that could end a line in the target. */
export function requestHead(url: URL, headers: RequestHeaders): string {
  let head = `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return `${head}\r\n`;
}

/** The URL's user and password as an Authorization header, when it has any and the caller gave none. */
export function withUserInfo(url: URL, headers: RequestHeaders): RequestHeaders {
  if (headers['authorization'] !== undefined) return headers;
  const authorization = basicAuthorization(url);
  return authorization === undefined ? headers : { ...headers, authorization };
}

const refusedHeader = (name: string, why: string): KennelError =>
  new KennelError('usage.invalid', `the header ${JSON.stringify(name)} was refused: ${why}`, {
    details: { header: name },
  });
