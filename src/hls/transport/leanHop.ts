import type { LookupFunction } from 'node:net';
import { type Clock, systemClock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import { BodyExchange } from './bodyExchange.ts';
import { Connection } from './connection.ts';
import { ConnectionPool } from './connectionPool.ts';
import type { Hop, HopAnswer, HopRequest } from './hop.ts';
import { IDLE_SOCKET_MS, SOCKETS_PER_ORIGIN } from './limits.ts';
import { requestHead } from './requestHead.ts';
import { TlsClient } from './tlsClient.ts';

export interface ClientOptions {
  readonly clock?: Clock;
  /** How long an unused connection is kept, milliseconds. Default: `IDLE_SOCKET_MS`. */
  readonly idleSocketMs?: number;
  /** Connections to one origin at once; further requests wait their turn. Default: `SOCKETS_PER_ORIGIN`. */
  readonly socketsPerOrigin?: number;
  /** PEM certificates to trust instead of the system's. */
  readonly certificateAuthorities?: string;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: LookupFunction;
}

/**
 * HTTP/1.1 GET straight on net and tls sockets: one read buffer for all of them and no stream machinery, which costs a third of
 * the CPU of undici. No proxies, no HTTP/2, no decoding of the body.
 */
export function leanHop(options: ClientOptions = {}): Hop {
  const clock = options.clock ?? systemClock;
  const { lookup } = options;
  const tlsClient = new TlsClient(options.certificateAuthorities);
  const pool: ConnectionPool = new ConnectionPool({
    idleSocketMs: options.idleSocketMs ?? IDLE_SOCKET_MS,
    socketsPerOrigin: options.socketsPerOrigin ?? SOCKETS_PER_ORIGIN,
    clock,
    connect: (url, rules) =>
      new Connection({
        url,
        clock,
        tlsClient,
        ...(lookup === undefined ? {} : { lookup }),
        ...(rules === undefined ? {} : { rules }),
        onIdle: (connection, serverIdleMs) => pool.release(url, connection, serverIdleMs),
        onClosed: (connection) => pool.forget(url, connection),
      }),
  });
  return { get: async (request) => await exchange(pool, request), close: () => pool.close() };
}

/** Tries once more when a kept connection turns out to be closed. */
function exchange(pool: ConnectionPool, request: HopRequest): Promise<HopAnswer> {
  const { url, headers, signal, rules } = request;
  if (request.proxy !== undefined) {
    throw new KennelError('usage.invalid', 'the lean client cannot use a proxy');
  }
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
      const once = new BodyExchange({
        head: requestHead(url, headers),
        request,
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        retry: () => attempt(true),
      });
      connection = undefined;
      stopWaiting = pool.acquire({ url, fresh, rules }, (acquired) => {
        connection = acquired;
        acquired.run(once);
      });
    };
    signal.addEventListener('abort', abort, { once: true });
    attempt(false);
  });
}
