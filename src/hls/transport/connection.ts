import net from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import type { AddressRules } from '../../egress/addressRules.ts';
import { guardedLookup } from '../../egress/guardedLookup.ts';
import { KEEP_ALIVE_PROBE_MS } from './limits.ts';
import { portOf } from './portOf.ts';
import type { ResponseHead } from './responseHead.ts';
import { ResponseParser } from './responseParser.ts';
import type { TlsClient } from './tlsClient.ts';
import { socketFailure } from './transportError.ts';

/** One read of one socket, bytes: what Node itself reads at once. */
const READ_BYTES = 64 * 1024;

/**
 * One buffer for every socket: libuv fills it and calls back before it reads from another, so nothing is ever waiting in it.
 * Only on Windows are reads handed to the system ahead of time; there every socket has its own.
 */
const sharedReadBuffer =
  process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES);

/** One request and where its answer goes. Exactly one of `done` and `failed` is called, once, unless it is dropped. */
export interface Exchange {
  /** The request's bytes, as latin1 text. */
  readonly head: string;
  readonly idleTimeoutMs: number;
  onHead(head: ResponseHead): void;
  /** A promise pauses the socket until it settles; its rejection fails the exchange. */
  onBody(bytes: Buffer): void | Promise<void>;
  done(): void;
  /** `stale`: a kept connection turned out to be closed before it gave one byte of an answer. */
  failed(error: unknown, stale: boolean): void;
}

export interface ConnectionOptions {
  readonly url: URL;
  readonly clock: Clock;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: net.LookupFunction;
  /** Which of its addresses the name may have. An address in the URL is not checked. */
  readonly rules?: AddressRules;
  readonly tlsClient: TlsClient;
  /** The connection may be used again, for as long as the server keeps it. */
  onIdle(connection: Connection, serverIdleMs: number | undefined): void;
  onClosed(connection: Connection): void;
}

/** One socket to one origin, for one exchange at a time. */
export class Connection {
  /** When it was opened, on the clock's monotonic time, milliseconds. */
  readonly openedAt: number;
  readonly #options: ConnectionOptions;
  readonly #socket: net.Socket;
  readonly #host: string;
  #ready = false;
  #exchange: Exchange | undefined;
  #parser: ResponseParser | undefined;
  #head: ResponseHead | undefined;
  /** Promises of `onBody` that have not settled; the socket is paused while there are any. */
  #pauses = 0;
  #exchanges = 0;
  #lastByteAt = 0;
  #timer: unknown;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#host = options.url.host;
    this.openedAt = options.clock.elapsed();
    this.#socket = open(options, (bytes) => this.#read(bytes));
    this.#socket.once(options.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      this.#ready = true;
      if (this.#exchange !== undefined) this.#socket.write(this.#exchange.head, 'latin1');
    });
    this.#socket.on('error', (error) => {
      // A whole answer stays one, whatever becomes of its connection while the consumer still works on it.
      if (this.#parser?.done === true) return;
      const truncated = this.#head === undefined ? {} : { truncated: true };
      this.#fail(socketFailure(this.#host, error, truncated));
    });
    this.#socket.on('end', () => this.#end());
    this.#socket.on('close', () => {
      this.#end();
      options.onClosed(this);
    });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  /** Whether rules other than those it was opened under permit it as well. Only for one that is idle. */
  isWithin(rules: AddressRules | undefined): boolean {
    if (rules === undefined || rules === this.#options.rules) return true;
    const { url } = this.#options;
    const { remoteAddress: address } = this.#socket;
    if (address === undefined) return false;
    return rules.permits({ host: url.hostname, address, port: portOf(url) });
  }

  run(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#exchanges++;
    this.#head = undefined;
    this.#parser = new ResponseParser(this.#host, {
      onHead: (head) => this.#takeHead(head),
      onBody: (bytes) => this.#takeBody(bytes),
    });
    this.#lastByteAt = this.#options.clock.elapsed();
    this.#watch(exchange.idleTimeoutMs);
    this.#socket.ref();
    if (this.#ready) this.#socket.write(exchange.head, 'latin1');
  }

  /** Closes the socket at once; the exchange under way, if any, hears nothing more. */
  drop(): void {
    this.#detach();
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    // An idle connection has nothing to say: whatever this is, the next answer must not begin with it.
    if (this.#parser === undefined) {
      this.drop();
      return;
    }
    try {
      this.#parser.feed(bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#settle();
  }

  #takeHead(head: ResponseHead): void {
    this.#head = head;
    this.#lastByteAt = this.#options.clock.elapsed();
    this.#exchange?.onHead(head);
  }

  #takeBody(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#lastByteAt = this.#options.clock.elapsed();
    const written = exchange.onBody(bytes);
    if (written === undefined) return;
    this.#pauses++;
    this.#socket.pause();
    written.then(
      () => {
        // The exchange may have been dropped, and the socket with it, while it waited.
        if (this.#exchange !== exchange) return;
        this.#pauses--;
        if (this.#pauses > 0) return;
        this.#lastByteAt = this.#options.clock.elapsed();
        this.#socket.resume();
        this.#settle();
      },
      (error: unknown) => {
        if (this.#exchange === exchange) this.#fail(error);
      },
    );
  }

  /** Ends the exchange once its answer is whole and nobody holds on to a piece of it. */
  #settle(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#parser?.done !== true || this.#pauses > 0) return;
    const head = this.#head;
    this.#detach();
    if (head?.keepAlive === true && this.usable) {
      this.#socket.unref();
      this.#options.onIdle(this, head.serverIdleMs);
    } else {
      this.#socket.destroy();
    }
    exchange.done();
  }

  #end(): void {
    try {
      this.#parser?.end();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#settle();
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    const stale =
      this.#exchanges > 1 &&
      this.#parser?.begun === false &&
      error instanceof KennelError &&
      error.code === 'source.unavailable';
    this.#detach();
    this.#socket.destroy();
    exchange?.failed(error, stale);
  }

  #detach(): void {
    this.#exchange = undefined;
    this.#parser = undefined;
    this.#pauses = 0;
    this.#options.clock.clearTimeout(this.#timer);
  }

  /**
   * One timer for a request, set again only when it fires: bytes merely note the time. The head must come whole within the
   * timeout, so that a server cannot keep us by dripping header bytes. While the consumer holds the socket, silence is ours.
   */
  #watch(delayMs: number): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(() => {
      const exchange = this.#exchange;
      if (exchange === undefined) return;
      if (this.#pauses > 0) return this.#watch(exchange.idleTimeoutMs);
      const silentMs = clock.elapsed() - this.#lastByteAt;
      // Timers fire up to a millisecond early.
      if (silentMs < exchange.idleTimeoutMs - 1)
        return this.#watch(exchange.idleTimeoutMs - silentMs);
      this.#fail(
        new KennelError(
          'timeout.exceeded',
          `${this.#host}: no byte for ${exchange.idleTimeoutMs} ms`,
          {
            retryable: true,
            details: {
              host: this.#host,
              idleTimeoutMs: exchange.idleTimeoutMs,
              phase: this.#ready ? (this.#head === undefined ? 'head' : 'body') : 'connect',
            },
          },
        ),
      );
    }, delayMs);
  }
}

function open(options: ConnectionOptions, read: (bytes: Buffer) => void): net.Socket {
  const { url, rules } = options;
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const buffer = sharedReadBuffer ?? Buffer.allocUnsafeSlow(READ_BYTES);
  const port = portOf(url);
  const lookup =
    rules === undefined ? options.lookup : guardedLookup({ rules, port, lookup: options.lookup });
  const socketOptions = {
    host,
    port,
    ...(lookup === undefined ? {} : { lookup }),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    // A name with several addresses is tried at all of them (RFC 8305), not only the first.
    autoSelectFamily: true,
    onread: {
      buffer,
      callback: (bytes: number) => {
        read(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  if (!secure) return net.connect(socketOptions);
  const { tlsClient } = options;
  const socket = tls.connect({
    ...socketOptions,
    ...tlsClient.optionsFor(url.origin),
    // An address is no server name (RFC 6066 §3).
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  });
  tlsClient.watch(url.origin, socket);
  return socket;
}
