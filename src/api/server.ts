import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  createAdaptorServer,
  type HttpBindings,
  type WebSocketServerLike,
} from '@hono/node-server';
import { type Clock, pause } from '../core/clock.ts';

export interface ApiServerOptions {
  /** What answers requests: every Hono app has one. */
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
  /** Takes over connections that are upgraded. */
  readonly sockets?: WebSocketServerLike;
  readonly clock: Clock;
  readonly limits?: Partial<ConnectionLimits>;
}

/** What one client, and all together, may hold of the server. */
export interface ConnectionLimits {
  /** Connections at once. */
  readonly connectionsMax: number;
  /** Request line and headers, bytes. */
  readonly headerBytesMax: number;
  /** From the first byte of a request to the last of its headers, milliseconds. */
  readonly headersWithinMs: number;
  /** From the first byte of a request to the last of its body, milliseconds. */
  readonly requestWithinMs: number;
  /** Connections that ask nothing are kept for so long, milliseconds. */
  readonly keepAliveMs: number;
}

const LIMITS: ConnectionLimits = {
  // Some 20 KiB each. Node takes as many descriptors as it is allowed, on Linux rarely fewer than 4,096 and mostly a million.
  connectionsMax: 2_000,
  // Node's own default: keys and forwarded headers fit in.
  headerBytesMax: 16 * 1024,
  headersWithinMs: 10_000,
  // The largest body (1 MiB) at the pace of a slow mobile link, 140 kbit/s.
  requestWithinMs: 60_000,
  // Longer than load balancers keep idle connections (60 s): whoever closes first must not be the one that is asked.
  keepAliveMs: 65_000,
};

/** How often Node looks for clients that are too slow, milliseconds. */
const CLIENTS_CHECKED_EVERY_MS = 1_000;

export interface ApiServer {
  /** To listen with: on a port, or on a socket file. */
  readonly server: Server;
  /** Takes nothing new, ends idle connections at once and others as they are answered, and cuts what is left after `withinMs`. */
  close(withinMs: number): Promise<void>;
}

type Asked = Pick<HttpBindings, 'incoming'> & Partial<Pick<HttpBindings, 'outgoing'>>;

/**
 * An HTTP server that slow, many and rude clients do not stop. When there is no room for another connection, the one that has
 * asked nothing for longest makes way: clients who dribble their headers hold places only until somebody needs them.
 */
export function apiServer(options: ApiServerOptions): ApiServer {
  const limits = { ...LIMITS, ...options.limits };
  // `createServer` of node:http makes nothing else.
  const server = createAdaptorServer({
    fetch: (request, env) => {
      // `createServer` of node:http knows one kind of request; an upgrade has nothing that answers it.
      const { incoming, outgoing } = env as Asked;
      if (outgoing === undefined) connections.upgraded(incoming.socket);
      return options.fetch(request, env as HttpBindings);
    },
    overrideGlobalObjects: false,
    ...(options.sockets && { websocket: { server: options.sockets } }),
    createServer,
    serverOptions: {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersWithinMs,
      requestTimeout: limits.requestWithinMs,
      connectionsCheckingInterval: CLIENTS_CHECKED_EVERY_MS,
      keepAliveTimeout: limits.keepAliveMs,
    },
  }) as Server;
  const connections = new Connections(server, limits.connectionsMax);
  return {
    server,
    close: async (withinMs) => {
      const gone = new AbortController();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.endIdle();
      const cut = pause(options.clock, withinMs, gone.signal).then(() => connections.cut());
      await closed;
      gone.abort();
      await cut;
    },
  };
}

/** Who is connected, and which of them wait for an answer. */
class Connections {
  /** Requests under way, by connection; the one that has been without any for longest comes first. */
  readonly #running = new Map<Socket, number>();
  #isEnding = false;

  constructor(server: Server, connectionsMax: number) {
    server.on('connection', (socket) => {
      this.#running.set(socket, 0);
      socket.once('close', () => this.#running.delete(socket));
      if (this.#running.size > connectionsMax) this.#makeRoom();
    });
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
  }

  /**
   * It is another protocol's from now on, and never idle. Told and not listened for: the library answers upgrades that are refused
   * only where nobody else listens to them.
   */
  upgraded(socket: Socket): void {
    this.#count(socket, 1);
  }

  endIdle(): void {
    this.#isEnding = true;
    for (const [socket, running] of this.#running) if (running === 0) socket.destroySoon();
  }

  cut(): void {
    for (const socket of this.#running.keys()) socket.destroy();
  }

  /** When everybody waits for an answer, the newest, who has not asked yet, is the first without a request. */
  #makeRoom(): void {
    for (const [socket, running] of this.#running) {
      if (running > 0) continue;
      this.#running.delete(socket);
      socket.destroy();
      return;
    }
  }

  #count(socket: Socket, change: number): void {
    const running = this.#running.get(socket);
    if (running === undefined) return;
    // To the end of the line.
    this.#running.delete(socket);
    this.#running.set(socket, running + change);
    if (this.#isEnding && running + change === 0) socket.destroySoon();
  }
}
