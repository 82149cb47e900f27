import type { AddressRules } from '../../egress/addressRules.ts';
import { checkLiteralAddress } from '../../egress/guardedLookup.ts';
import { cookieHeader } from './cookieHeader.ts';
import type { Hop } from './hop.ts';
import { REDIRECTS_MAX } from './limits.ts';
import { portOf } from './portOf.ts';
import { checkedProxy } from './proxyUrl.ts';
import { checkUrl, redirectOf } from './redirect.ts';
import {
  checkedHeaders,
  type RequestHeaders,
  withoutCredentials,
  withUserInfo,
} from './requestHead.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { unavailable } from './transportError.ts';

export interface RedirectingTransportOptions {
  readonly userAgent?: string;
  /** Who may be connected to, for requests that do not say. Default: everybody. */
  readonly rules?: AddressRules;
  /** For requests that name none. */
  readonly proxy?: URL;
}

/**
 * A transport above any hop: follows redirects, without credentials to another origin, keeps the cookies of the request, and
 * checks every URL before it is asked.
 */
export function redirectingTransport(
  hop: Hop,
  options: RedirectingTransportOptions = {},
): Transport {
  const defaults: RequestHeaders = {
    'user-agent': options.userAgent ?? 'Kennel',
    accept: '*/*',
    'accept-encoding': 'identity',
  };
  const ownProxy = options.proxy === undefined ? undefined : checkedProxy(options.proxy);

  async function get(request: TransportRequest): Promise<TransportResponse> {
    let url = request.url;
    let headers: RequestHeaders = { ...defaults, ...checkedHeaders(request.headers ?? {}) };
    const proxy = request.proxy === undefined ? ownProxy : checkedProxy(request.proxy);
    const rules = request.rules ?? options.rules;
    for (let redirects = 0; ; redirects++) {
      checkUrl(url);
      if (rules !== undefined)
        checkLiteralAddress({ host: url.hostname, port: portOf(url) }, rules);
      const { setCookies, ...answer } = await hop.get({
        url,
        headers: withUserInfo(url, withCookies(url, headers, request)),
        signal: request.signal,
        bodyBytesMax: request.bodyBytesMax,
        idleTimeoutMs: request.idleTimeoutMs,
        onHead: (head) => request.onHead?.(head),
        onData: (bytes) => request.onData(bytes),
        ...(proxy === undefined ? {} : { proxy }),
        ...(rules === undefined ? {} : { rules }),
      });
      if (setCookies.length > 0) await request.cookies?.take(url, setCookies);
      const next = redirectOf(url, answer);
      if (next === undefined) return { ...answer, url };
      if (redirects === REDIRECTS_MAX) {
        throw unavailable(url.host, `more than ${REDIRECTS_MAX} redirects`, { redirects });
      }
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
  }

  return { get, close: () => hop.close() };
}

function withCookies(
  url: URL,
  headers: RequestHeaders,
  { cookies }: TransportRequest,
): RequestHeaders {
  const kept = cookies?.cookiesFor(url) ?? '';
  return kept === '' ? headers : { ...headers, cookie: cookieHeader(headers['cookie'], kept) };
}
