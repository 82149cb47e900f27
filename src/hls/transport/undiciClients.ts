import type { LookupFunction } from 'node:net';
import { type buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Clock } from '../../core/clock.ts';
import { systemCodeOf } from '../../core/errors.ts';
import type { AddressRules } from '../../egress/addressRules.ts';
import { basicAuthorization } from '../../egress/basicAuthorization.ts';
import { guardedLookup } from '../../egress/guardedLookup.ts';
import type { HopRequest } from './hop.ts';
import {
  CONNECT_MS_MAX,
  CONNECTION_AGE_MS_MAX,
  HEAD_BYTES_MAX,
  IDLE_SOCKET_MARGIN_MS,
  KEEP_ALIVE_PROBE_MS,
  UNUSED_CLIENT_MS,
} from './limits.ts';
import { portOf } from './portOf.ts';

export interface UndiciClientsOptions {
  readonly clock: Clock;
  readonly idleSocketMs: number;
  readonly socketsPerOrigin: number;
  readonly certificateAuthorities?: string;
  readonly lookup?: LookupFunction;
}

/** To whom, through whom, and who may be connected to. */
type Way = Pick<HopRequest, 'url' | 'proxy' | 'rules'>;

interface Client {
  readonly dispatcher: Dispatcher;
  /** Requests under way. */
  users: number;
  usedAt: number;
}

/**
 * The connections of undici: a client for each origin and proxy (without one: also for each set of rules), closed when nobody has asked it for `UNUSED_CLIENT_MS`
 * (undici itself would keep HTTP/2 connections for as long as the server does).
 */
export class UndiciClients {
  readonly #options: UndiciClientsOptions;
  readonly #clients = new Map<string, Client>();
  readonly #names = new WeakMap<AddressRules, string>();
  #named = 0;
  #sweep: unknown;
  #closed = false;

  constructor(options: UndiciClientsOptions) {
    this.#options = options;
  }

  /** Hands over the dispatcher for a URL. `release` must be called once when the request has settled. */
  acquire(way: Way): { dispatcher: Dispatcher; release(): void } {
    const { url, proxy, rules } = way;
    const key = `${proxy?.href ?? this.#nameOf(rules)} ${url.origin}`;
    const client = this.#clients.get(key) ?? this.#open(key, way);
    client.users++;
    return {
      dispatcher: client.dispatcher,
      release: () => {
        client.users--;
        client.usedAt = this.#options.clock.elapsed();
        if (this.#closed && client.users === 0) this.#drop(key, client);
        else this.#armSweep();
      },
    };
  }

  /** Closes what nobody uses, and from now on everything after its use. */
  close(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#sweep);
    this.#dropUnused(0);
  }

  #open(key: string, { url, proxy, rules }: Way): Client {
    const dispatcher = proxy === undefined ? this.#direct(url, rules) : this.#proxied(proxy);
    const client = { dispatcher, users: 0, usedAt: this.#options.clock.elapsed() };
    this.#clients.set(key, client);
    return client;
  }

  #direct(url: URL, rules: AddressRules | undefined): Dispatcher {
    const { lookup } = this.#options;
    const guarded =
      rules === undefined ? lookup : guardedLookup({ rules, port: portOf(url), lookup });
    return new Pool(url.origin, {
      ...this.#poolOptions(),
      connect: this.#connect(true, guarded),
    });
  }

  #proxied(proxy: URL): Dispatcher {
    const bare = new URL(proxy.origin);
    const token = basicAuthorization(proxy);
    const poolOptions = this.#poolOptions();
    return new ProxyAgent({
      ...poolOptions,
      // Without user and password: undici would put it into its own messages.
      uri: bare.href,
      ...(token === undefined ? {} : { token }),
      // What goes to http links is asked in absolute form, as every proxy expects; only https needs a tunnel.
      proxyTunnel: false,
      requestTls: this.#connect(true),
      proxyTls: this.#connect(false, this.#options.lookup),
      clientFactory: (origin, options) =>
        new Pool(origin, { ...poolOptions, ...options, headersTimeout: CONNECT_MS_MAX }),
      factory: (origin, options) =>
        new Pool(origin, { ...poolOptions, ...withFinalFailures(options) }),
    });
  }

  /** Time limits are kept by the exchange, on Kennel's clock. */
  #poolOptions() {
    const { idleSocketMs, socketsPerOrigin } = this.#options;
    return {
      allowH2: true,
      connections: socketsPerOrigin,
      // One request at a time on a connection, with HTTP/2 too: what one recording's disk holds back holds back no other.
      pipelining: 1,
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: CONNECT_MS_MAX,
      keepAliveTimeout: idleSocketMs,
      keepAliveMaxTimeout: idleSocketMs,
      keepAliveTimeoutThreshold: IDLE_SOCKET_MARGIN_MS,
      clientTtl: CONNECTION_AGE_MS_MAX,
    };
  }

  #connect(http2: boolean, lookup?: LookupFunction) {
    const { certificateAuthorities } = this.#options;
    return {
      allowH2: http2,
      timeout: CONNECT_MS_MAX,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
      autoSelectFamily: true,
      ...(certificateAuthorities === undefined ? {} : { ca: certificateAuthorities }),
      ...(lookup === undefined ? {} : { lookup }),
    };
  }

  /** A connection that was opened under some rules may lead to where others do not permit. */
  #nameOf(rules: AddressRules | undefined): string {
    if (rules === undefined) return '';
    const name = this.#names.get(rules) ?? `rules-${++this.#named}`;
    this.#names.set(rules, name);
    return name;
  }

  #armSweep(): void {
    if (this.#sweep !== undefined || this.#closed) return;
    this.#sweep = this.#options.clock.setTimeout(() => {
      this.#sweep = undefined;
      this.#dropUnused(UNUSED_CLIENT_MS);
      if (this.#clients.size > 0) this.#armSweep();
    }, UNUSED_CLIENT_MS);
    if (this.#sweep instanceof Object && 'unref' in this.#sweep) {
      (this.#sweep as NodeJS.Timeout).unref(); // A system timer: only those have `unref`.
    }
  }

  #dropUnused(forMs: number): void {
    const before = this.#options.clock.elapsed() - forMs;
    for (const [key, client] of this.#clients) {
      if (client.users === 0 && client.usedAt <= before) this.#drop(key, client);
    }
  }

  #drop(key: string, client: Client): void {
    this.#clients.delete(key);
    // Nothing is under way in it; it never rejects.
    void client.dispatcher.destroy();
  }
}

/** undici's words for connections that closed: it takes them for a reason to connect again, at once and for ever. */
const TRIED_AGAIN = new Set(['UND_ERR_SOCKET', 'UND_ERR_INFO']);

/** The same options; a tunnel that the proxy closes fails its request instead of being dug again without end. */
function withFinalFailures(options: object): object {
  if (!('connect' in options) || typeof options.connect !== 'function') return options;
  const connect = options.connect as buildConnector.connector; // undici passes its own connector.
  const once: buildConnector.connector = (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(TRIED_AGAIN.has(systemCodeOf(error) ?? '') ? closedTunnel(error) : error, null);
    });
  return { ...options, connect: once };
}

const closedTunnel = (cause: Error): Error =>
  Object.assign(new Error(`the proxy closed the connection: ${cause.message}`, { cause }), {
    code: 'ECONNRESET',
  });
