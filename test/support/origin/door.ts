import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from './certificate.ts';
import type { ShowClock } from './showClock.ts';

/**
 * What can be wrong with a door, whatever stands behind it. `refuse`: connections die and new ones are refused. `silent`: they
 * are accepted and nothing is ever answered. `reset`: they are accepted and reset. `handshake`: TLS fails with an alert.
 * `unresolved`: open connections die at its beginning; the name is taken away meanwhile by whoever runs the origin.
 */
const DoorTrouble = z.object({
  do: z.enum(['refuse', 'silent', 'reset', 'handshake', 'unresolved']),
  /** Milliseconds after the beginning of the door's clock. */
  fromMs: z.number().min(0),
  /** Default: for ever. */
  forMs: z.number().positive().default(Number.POSITIVE_INFINITY),
});
export type DoorTrouble = z.output<typeof DoorTrouble>;

/** Another address of the whole origin: a port of its own, with its own troubles. Plain JSON. */
export const DoorOptions = z.object({
  /** https with the certificate of certificate.ts. */
  tls: z.boolean().default(false),
  /** The clock that its troubles follow, as in StreamOptions. Default: one that begins at once. */
  clock: z.string().optional(),
  troubles: z.array(DoorTrouble).default([]),
});
export type DoorOptions = z.input<typeof DoorOptions>;

/** TLS 1.2, alert, fatal, handshake_failure (RFC 5246 §7.2). */
const HANDSHAKE_FAILURE = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);

export interface DoorParts {
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: ShowClock;
  readonly listener: RequestListener;
}

/** A listener on 127.0.0.1. Its port stays the same from its first opening on. */
export class Door {
  readonly troubles: readonly DoorTrouble[];
  readonly #tls: boolean;
  readonly #clock: ShowClock;
  readonly #front: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #port: number;

  constructor(options: DoorOptions, { port, clock, listener }: DoorParts) {
    const { tls, troubles } = DoorOptions.parse(options);
    this.#tls = tls;
    this.troubles = troubles;
    this.#clock = clock;
    this.#port = port;
    const answer: RequestListener = (request, response) => {
      // A connection from before is as silent as a new one.
      if (this.#trouble()?.do !== 'silent') listener(request, response);
    };
    const back = tls
      ? createHttpsServer({ key: ORIGIN_KEY, cert: ORIGIN_CERTIFICATE }, answer)
      : createHttpServer(answer);
    this.#front = createServer((socket) => this.#receive(socket, back));
    clock.onBegin(() => this.#schedule());
  }

  get port(): number {
    return this.#port;
  }

  /** Without a trailing slash. TLS names the host, as its certificate does. */
  get url(): string {
    return this.#tls ? `https://localhost:${this.#port}` : `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    if (this.#front.listening) return;
    this.#front.listen(this.#port, '127.0.0.1');
    await once(this.#front, 'listening');
    // A TCP server's address is an AddressInfo; strings are for pipes.
    this.#port = (this.#front.address() as AddressInfo).port;
  }

  /** Connections die, new ones are refused. */
  async shut(): Promise<void> {
    if (!this.#front.listening) return;
    const closed = once(this.#front, 'close');
    this.#front.close();
    this.#cut();
    await closed;
  }

  /** Shuts for good. */
  async remove(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.shut();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #trouble(): DoorTrouble | undefined {
    if (!this.#clock.hasBegun) return undefined;
    const now = this.#clock.elapsedMs();
    return this.troubles.find(({ fromMs, forMs }) => now >= fromMs && now < fromMs + forMs);
  }

  #receive(socket: Socket, back: { emit(event: 'connection', socket: Socket): boolean }): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const trouble = this.#trouble()?.do;
    // Read, so that the end of the other side is seen; never answered.
    if (trouble === 'silent') socket.resume();
    else if (trouble === 'reset') socket.resetAndDestroy();
    else if (trouble === 'handshake') socket.once('data', () => socket.end(HANDSHAKE_FAILURE));
    else back.emit('connection', socket);
  }

  /** In real time: what dies and comes back does so by itself. */
  #schedule(): void {
    for (const { do: what, fromMs, forMs } of this.troubles) {
      // A failing handshake needs a new one.
      if (what !== 'silent') this.#at(fromMs, () => this.#cut());
      if (what !== 'refuse') continue;
      this.#at(fromMs, () => void this.shut());
      if (forMs !== Number.POSITIVE_INFINITY) this.#at(fromMs + forMs, () => void this.open());
    }
  }

  #at(ms: number, act: () => void): void {
    this.#timers.add(setTimeout(act, ms));
  }
}
