import http from 'node:http';
import net, { type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { isKennelError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import {
  CONNECTIONS_PER_LISTENER_MAX,
  HEAD_BYTES_MAX,
  HEAD_MS_MAX,
  IDLE_MS_MAX,
} from './egressLimits.ts';
import { forwardRequest } from './forwardRequest.ts';
import type { GatePass } from './gatePass.ts';
import type { IdleWatch } from './idleWatch.ts';
import { credentialsOf } from './proxyAuthorization.ts';
import { connectTarget } from './requestTarget.ts';
import { tunnel } from './tunnel.ts';

export interface GateProxyOptions {
  /** Listens already; nobody listens to it. */
  readonly server: Server;
  readonly watch: IdleWatch;
  readonly log: Log;
  /** The listener is gone, with its network. */
  gone(): void;
}

const STATUS = {
  400: 'Bad Request',
  403: 'Forbidden',
  407: 'Proxy Authentication Required',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;
type Status = keyof typeof STATUS;

const CHALLENGE = 'Basic realm="egress"';

/** The HTTP proxy of one network, for all passes of it. Whoever shows none gets nothing but 407. */
export class GateProxy {
  readonly #options: GateProxyOptions;
  readonly #passes = new Map<string, GatePass>();
  readonly #sockets = new Set<net.Socket>();
  /** Never listens itself: it is given its connections. */
  readonly #http: http.Server;

  constructor(options: GateProxyOptions) {
    const { server, log, gone } = options;
    this.#options = options;
    this.#http = http.createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      requireHostHeader: false,
      keepAliveTimeout: 0,
    });
    this.#http.on('request', (request, response) => void this.#forward(request, response));
    this.#http.on('connect', (request: http.IncomingMessage, socket: Duplex, early: Buffer) => {
      if (socket instanceof net.Socket) void this.#connect(request, socket, early);
      else socket.destroy();
    });
    this.#http.on('clientError', (_error, socket) => {
      if (socket instanceof net.Socket) refuse(socket, 400, 'this is no HTTP');
      else socket.destroy();
    });
    server.maxConnections = CONNECTIONS_PER_LISTENER_MAX;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', (error) => {
      log('warn', 'A listener of the egress gate failed.', { error: messageOf(error) });
    });
    server.once('close', gone);
  }

  get isListening(): boolean {
    return this.#options.server.listening;
  }

  admit(pass: GatePass): void {
    this.#passes.set(pass.user, pass);
  }

  dismiss(pass: GatePass): void {
    this.#passes.delete(pass.user);
  }

  async close(): Promise<void> {
    const { server } = this.#options;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // HTTP lets go of a socket when it becomes a tunnel: this listener stays.
    socket.on('error', () => undefined);
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    this.#options.watch.watch(socket, HEAD_MS_MAX, true);
    this.#http.emit('connection', socket);
  }

  #passOf({ headers }: http.IncomingMessage): GatePass | undefined {
    const credentials = credentialsOf(headers['proxy-authorization']);
    if (credentials === undefined) return undefined;
    const pass = this.#passes.get(credentials.user);
    return pass?.admits(credentials.secret) === true ? pass : undefined;
  }

  async #forward(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { socket } = request;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const pass = this.#passOf(request);
    try {
      if (pass === undefined) {
        answer(response, 407, 'this way out is for programs of Kennel');
        return;
      }
      pass.hold(socket);
      this.#options.watch.watch(socket, IDLE_MS_MAX);
      await forwardRequest(pass, request, response);
    } catch (error) {
      answer(response, statusOf(error), messageOf(error));
    }
  }

  async #connect(request: http.IncomingMessage, inner: net.Socket, early: Buffer): Promise<void> {
    const pass = this.#passOf(request);
    if (pass === undefined) {
      refuse(inner, 407, 'this way out is for programs of Kennel');
      return;
    }
    const { watch } = this.#options;
    pass.hold(inner);
    watch.watch(inner, IDLE_MS_MAX);
    try {
      const outer = await pass.dial(connectTarget(request.url ?? ''));
      if (early.length > 0) inner.unshift(early);
      inner.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tunnel({ inner, outer, meter: pass.meter, watch });
    } catch (error) {
      refuse(inner, statusOf(error), messageOf(error));
      watch.watch(inner, HEAD_MS_MAX, true);
    }
  }
}

function statusOf(error: unknown): Status {
  if (!isKennelError(error)) return 502;
  if (error.code === 'address.refused') return 403;
  if (error.code === 'url.invalid') return 400;
  if (error.code === 'limit.exceeded') return 503;
  return error.code === 'timeout.exceeded' ? 504 : 502;
}

/** One line, and no more on this connection. */
function answer(response: http.ServerResponse, status: Status, line: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, STATUS[status], {
    'content-type': 'text/plain; charset=utf-8',
    connection: 'close',
    ...(status === 407 ? { 'proxy-authenticate': CHALLENGE } : {}),
  });
  response.end(`${line}\n`);
}

/** The same where there is no response any more but a socket. */
function refuse(socket: net.Socket, status: Status, line: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${line}\n`;
  const challenge = status === 407 ? `proxy-authenticate: ${CHALLENGE}\r\n` : '';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS[status]}\r\n${challenge}content-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // What it still sends is let go, so that its own end can come.
  socket.resume();
}
