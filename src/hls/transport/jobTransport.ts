import type { AddressRules } from '../../egress/addressRules.ts';
import { CookieJar } from './cookieJar.ts';
import { plainHeaders } from './fetchText.ts';
import { checkedProxy, parseProxy } from './proxyUrl.ts';
import type { CookieJarLike, Transport } from './transport.ts';

export interface JobTransportOptions {
  /** The links that the operator named. A `cookie` header of the job goes to their origins only. */
  readonly sources: readonly URL[];
  /** Sent with every request of the job, unless the request says otherwise. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: a new jar. */
  readonly cookies?: CookieJarLike;
  /** For everything that the job fetches. Default: the transport's. */
  readonly proxy?: URL | string;
  /** Who the job may connect to. Default: the transport's. */
  readonly rules?: AddressRules;
}

/**
 * A job's view of the transport that it shares with others: its own cookies, headers, proxy and address rules. Closing it does nothing: the
 * connections are not its own. Throws `usage.invalid` when the proxy is none.
 */
export function jobTransport(transport: Transport, options: JobTransportOptions): Transport {
  const { sources, rules } = options;
  const cookies = options.cookies ?? new CookieJar();
  const proxy = proxyOf(options.proxy);
  const origins = new Set(sources.map(({ origin }) => origin));
  const own = lowerCase(plainHeaders(options.headers));
  return {
    get: async (request) => {
      const headers = { ...own, ...lowerCase(request.headers) };
      // A playlist may name any host for its segments: the operator gave the cookie to the source, not to those.
      if (!origins.has(request.url.origin)) delete headers['cookie'];
      return await transport.get({
        ...request,
        headers,
        cookies,
        ...(proxy === undefined ? {} : { proxy }),
        ...(rules === undefined ? {} : { rules }),
      });
    },
    close: () => undefined,
  };
}

const proxyOf = (proxy: URL | string | undefined): URL | undefined =>
  typeof proxy === 'string' ? parseProxy(proxy) : proxy && checkedProxy(proxy);

function lowerCase(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  return lower;
}
