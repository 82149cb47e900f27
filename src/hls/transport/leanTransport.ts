import { type Clock, systemClock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import { BodyExchange } from './bodyExchange.ts';
import { Connection } from './connection.ts';
import { ConnectionPool } from './connectionPool.ts';
import { checkLiteralAddress, guardedLookup, type PermitAddress } from './guardedLookup.ts';
import {
  checkedHeaders,
  type RequestHeaders,
  requestHead,
  withoutCredentials,
  withUserInfo,
} from './requestHead.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { unavailable } from './transportError.ts';

/** Live playlists are asked for every few seconds, and most servers keep a connection 5 to 75 s: longer only makes it stale. */
const IDLE_SOCKET_MS = 15_000;
/** Enough for 200 streams of one origin at three segments and one poll each; it bounds file descriptors, not politeness. */
const SOCKETS_PER_ORIGIN = 1024;
/** Session to edge to token host is three; more than five is a loop. */
const REDIRECTS_MAX = 5;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface LeanTransportOptions {
  readonly clock?: Clock;
  /** How long an unused connection is kept, milliseconds. */
  readonly idleSocketMs?: number;
  /** Connections to one origin at once; further requests wait their turn. */
  readonly socketsPerOrigin?: number;
  readonly userAgent?: string;
  /** PEM certificates to trust instead of the system's. */
  readonly certificateAuthorities?: string;
  /** Which addresses may be connected to, asked after DNS and for every redirect. Default: all. */
  readonly permitAddress?: PermitAddress;
}

/**
 * HTTP/1.1 GET straight on net and tls sockets: one read buffer for all of them and no stream machinery, which costs half
 * the CPU of the next best client (0.8 against 1.5 CPU-s/GB). No proxies, no HTTP/2, no decoding of the body.
 */
export function leanTransport(options: LeanTransportOptions = {}): Transport {
  const clock = options.clock ?? systemClock;
  const { certificateAuthorities, permitAddress } = options;
  const lookup = permitAddress === undefined ? undefined : guardedLookup(permitAddress);
  const pool: ConnectionPool = new ConnectionPool({
    idleSocketMs: options.idleSocketMs ?? IDLE_SOCKET_MS,
    socketsPerOrigin: options.socketsPerOrigin ?? SOCKETS_PER_ORIGIN,
    clock,
    connect: (url) =>
      new Connection({
        url,
        clock,
        ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
        ...(lookup === undefined ? {} : { lookup }),
        onIdle: (connection, serverIdleMs) => pool.release(url, connection, serverIdleMs),
        onClosed: (connection) => pool.forget(url, connection),
      }),
  });
  const defaults = {
    'user-agent': options.userAgent ?? 'Kennel',
    accept: '*/*',
    'accept-encoding': 'identity',
  };

  return {
    get: async (request) => {
      let url = request.url;
      let headers: RequestHeaders = { ...defaults, ...checkedHeaders(request.headers ?? {}) };
      for (let redirects = 0; ; redirects++) {
        checkUrl(url);
        if (permitAddress !== undefined) checkLiteralAddress(url, permitAddress);
        const response = await hop(pool, { url, headers, request });
        const { location } = response.headers;
        if (!REDIRECTS.has(response.status) || location === undefined) return response;
        if (redirects === REDIRECTS_MAX) {
          throw unavailable(url.host, `more than ${REDIRECTS_MAX} redirects`, { redirects });
        }
        const next = redirected(url, location);
        if (next.origin !== url.origin) headers = withoutCredentials(headers);
        url = next;
      }
    },
    close: () => pool.close(),
  };
}

interface Hop {
  readonly url: URL;
  readonly headers: RequestHeaders;
  readonly request: TransportRequest;
}

/** One request and its answer, whatever that is. Tries once more when a kept connection turns out to be closed. */
function hop(pool: ConnectionPool, { url, headers, request }: Hop): Promise<TransportResponse> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let connection: Connection | undefined;
    let stopWaiting: () => void = () => undefined;
    const abort = () => {
      stopWaiting();
      connection?.drop();
      reject(signal.reason);
    };
    const settled = () => signal.removeEventListener('abort', abort);
    const attempt = (fresh: boolean) => {
      const exchange = new BodyExchange({
        url,
        head: requestHead(url, withUserInfo(url, headers)),
        request,
        resolve: (response) => {
          settled();
          resolve(response);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        retry: () => attempt(true),
      });
      connection = undefined;
      stopWaiting = pool.acquire(url, fresh, (acquired) => {
        connection = acquired;
        acquired.run(exchange);
      });
    };
    signal.addEventListener('abort', abort, { once: true });
    attempt(false);
  });
}

function checkUrl(url: URL): void {
  if (url.protocol === 'http:' || url.protocol === 'https:') return;
  throw new KennelError(
    'url.invalid',
    `only http and https links can be fetched, not ${url.protocol}`,
    { details: { protocol: url.protocol } },
  );
}

/** Where a redirect leads. Within one origin it keeps the user and password that the URL may carry. */
function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from);
  if (to === null || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
    throw unavailable(from.host, 'it redirects to something that is no http or https link');
  }
  if (to.origin === from.origin) {
    to.username ||= from.username;
    to.password ||= from.password;
  } else {
    to.username = '';
    to.password = '';
  }
  return to;
}
