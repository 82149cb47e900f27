import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, Server } from 'node:net';
import { KennelError } from '../core/errors.ts';
import type { CageNetwork } from './cage.ts';

export const LOOPBACK = '127.0.0.1';

/** How many listeners a network has. */
export interface Listeners {
  readonly tcp: number;
  readonly udp: number;
}

/** Takes one of those that are left. */
export function spareListener<T>(spare: T[], protocol: keyof Listeners): T {
  const listener = spare.shift();
  if (listener === undefined) throw noneLeft(protocol);
  return listener;
}

const noneLeft = (protocol: keyof Listeners): KennelError =>
  new KennelError('limit.exceeded', `All ${protocol} listeners of the program's network are used.`);

/** A listener has two owners, the network and whoever took it; closing it twice is no mistake here. */
export function closeListener(listener: Server | UdpSocket): void {
  try {
    listener.close();
  } catch {
    // ERR_SOCKET_DGRAM_NOT_RUNNING: closed already, which is all that is wanted.
  }
}

/** The machine's own loopback, for programs that share its network: they are asked to use these listeners, and could go round them. */
export class LoopbackNetwork implements CageNetwork {
  readonly isSealed = false;
  readonly #left: { tcp: number; udp: number };
  readonly #opened: (Server | UdpSocket)[] = [];
  #isClosed = false;

  constructor(listeners: Listeners) {
    this.#left = { ...listeners };
  }

  async tcp(): Promise<{ server: Server; host: string; port: number }> {
    if (this.#left.tcp-- <= 0) throw noneLeft('tcp');
    const server = createServer().listen(0, LOOPBACK);
    this.#opened.push(server);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The listener is closed.');
    return { server, host: LOOPBACK, port: address.port };
  }

  async udp(): Promise<{ socket: UdpSocket; host: string; port: number }> {
    if (this.#left.udp-- <= 0) throw noneLeft('udp');
    const socket = createSocket('udp4').bind(0, LOOPBACK);
    this.#opened.push(socket);
    await once(socket, 'listening');
    return { socket, host: LOOPBACK, port: socket.address().port };
  }

  get isOpen(): boolean {
    const isGone = (one: Server | UdpSocket) => one instanceof Server && !one.listening;
    return !this.#isClosed && !this.#opened.some(isGone);
  }

  close(): void {
    this.#isClosed = true;
    this.#left.tcp = 0;
    this.#left.udp = 0;
    for (const listener of this.#opened.splice(0)) closeListener(listener);
  }
}
