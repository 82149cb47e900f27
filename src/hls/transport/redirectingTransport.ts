import { cookieHeader } from './cookieHeader.ts';
import { checkLiteralAddress, type PermitAddress } from './guardedLookup.ts';
import type { Hop } from './hop.ts';
import { REDIRECTS_MAX } from './limits.ts';
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
  /**
   * Which addresses may be connected to. Here for addresses that stand in a URL (redirects and proxies of requests included);
   * those of names are for the hop to ask about.
   */
  readonly permitAddress?: PermitAddress;
  /** The operator's proxy, for requests that name none. It is not asked about its address. */
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
  const check = (url: URL): void => {
    checkUrl(url);
    if (options.permitAddress !== undefined) checkLiteralAddress(url, options.permitAddress);
  };

  async function get(request: TransportRequest): Promise<TransportResponse> {
    let url = request.url;
    let headers: RequestHeaders = { ...defaults, ...checkedHeaders(request.headers ?? {}) };
    const proxy = request.proxy === undefined ? ownProxy : checkedProxy(request.proxy);
    if (request.proxy !== undefined) check(request.proxy);
    for (let redirects = 0; ; redirects++) {
      check(url);
      const { setCookies, ...answer } = await hop.get({
        url,
        headers: withUserInfo(url, withCookies(url, headers, request)),
        signal: request.signal,
        bodyBytesMax: request.bodyBytesMax,
        idleTimeoutMs: request.idleTimeoutMs,
        onHead: (head) => request.onHead?.(head),
        onData: (bytes) => request.onData(bytes),
        ...(proxy === undefined ? {} : { proxy, proxyTrusted: request.proxy === undefined }),
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
