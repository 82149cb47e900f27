import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { HttpBindings, WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import type { Clock } from '../core/clock.ts';
import { KennelError, systemCodeOf } from '../core/errors.ts';
import { apiServer } from './server.ts';

export interface FrontDoorOptions {
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, instead of host and port. */
  readonly socket?: string | undefined;
  readonly clock: Clock;
}

/** What answers requests: every Hono app does. */
export interface Answerer {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
}

export interface FrontDoor {
  /** `http://127.0.0.1:7331`, `unix:/run/kennel.sock` */
  readonly address: string;
  /** From now on, somebody else answers. */
  answerBy(answerer: Answerer): void;
  /** Takes nothing new, gives running requests a moment, and then cuts what is left. Idempotent. */
  close(): Promise<void>;
}

/** A message of the control protocol is short, bytes. */
const MESSAGE_BYTES_MAX = 64 * 1024;
/** Streams of events never end by themselves: nobody waits longer for them, milliseconds. */
const CLOSE_WITHIN_MS = 2_000;
/** RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;

/**
 * Opens the socket that the service answers at. It is open before anything else works, so that probes are answered from the
 * first moment; who answers changes as the service comes up.
 *
 * @throws KennelError `config.invalid` when nobody can listen there
 */
export async function openFrontDoor(
  options: FrontDoorOptions,
  first: Answerer,
): Promise<FrontDoor> {
  let answerer = first;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX });
  const { server, close } = apiServer({
    fetch: (request, env) => answerer.fetch(request, env),
    // The server that this library was made for; its own types differ in what may be undefined.
    sockets: sockets as unknown as WebSocketServerLike,
    clock: options.clock,
  });
  await listen(server, options);
  let closed: Promise<void> | undefined;
  return {
    address: addressOf(server),
    answerBy: (next) => {
      answerer = next;
    },
    close: () => {
      for (const socket of sockets.clients) socket.close(GOING_AWAY, 'the service ends');
      closed ??= close(CLOSE_WITHIN_MS);
      return closed;
    },
  };
}

async function listen(server: Server, { host, port, socket }: FrontDoorOptions): Promise<void> {
  if (socket !== undefined) await removeStale(socket);
  try {
    const listening = once(server, 'listening');
    server.listen(socket === undefined ? { host, port } : { path: socket });
    await listening;
  } catch (error) {
    const where = socket ?? `${host}:${port}`;
    throw new KennelError('config.invalid', whyNot(where, systemCodeOf(error) ?? String(error)), {
      cause: error,
    });
  }
}

/** The socket of a service that was killed is in the way of the next one; that of a living one is not ours to remove. */
async function removeStale(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const probe = connect(path);
  try {
    await once(probe, 'connect');
  } catch {
    rmSync(path, { force: true });
  } finally {
    probe.destroy();
  }
}

function whyNot(where: string, code: string): string {
  const choose = 'choose another with --port, KENNEL_API_PORT or port in [api]';
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program: stop it, or ${choose}`;
    case 'EACCES':
      return `nobody but root may listen at ${where}: ${choose}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no address ${where}: see --host, KENNEL_API_HOST or host in [api]`;
    default:
      return `nobody can listen at ${where} (${code})`;
  }
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null) throw new Error('a server that listens has an address');
  if (typeof address === 'string') return `unix:${address}`;
  const { family, address: host, port } = address;
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`;
}
