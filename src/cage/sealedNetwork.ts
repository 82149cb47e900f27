import { type ChildProcess, spawn } from 'node:child_process';
import { Socket as UdpSocket } from 'node:dgram';
import { Server } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';
import { KennelError, messageOf } from '../core/errors.ts';
import type { CageNetwork } from './cage.ts';
import type { CagePlan } from './cagePlan.ts';
import { type HeldNetwork, holdNetwork, newNetworkArguments } from './heldNetwork.ts';
import { closeListener, type Listeners, LOOPBACK, spareListener } from './loopbackNetwork.ts';

/** How long the keeper may take to start and to hand everything over, milliseconds: a Node starts in 50, on a busy machine in 2,000. */
const HAND_OVER_TIMEOUT_MS = 20_000;

export interface SealedNetworkOptions {
  readonly plan: CagePlan;
  /** Absolute path of bubblewrap. */
  readonly bwrap: string;
  /** The Node that runs the keeper. */
  readonly nodePath: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly listeners: Listeners;
  readonly clock: Clock;
}

/** The keeper's entry beside this file: TypeScript in development, JavaScript in the package. */
const keeperEntry = (): string =>
  fileURLToPath(new URL(`./networkKeeper${extname(import.meta.filename)}`, import.meta.url));

/** A network without any other way out than the listeners that were made in it. */
export class SealedNetwork implements CageNetwork {
  readonly isSealed = true;
  readonly #servers: readonly Server[];
  readonly #sockets: readonly UdpSocket[];
  readonly #spareServers: Server[];
  readonly #spareSockets: UdpSocket[];
  #held: HeldNetwork | undefined;

  constructor(held: HeldNetwork, servers: readonly Server[], sockets: readonly UdpSocket[]) {
    this.#held = held;
    this.#servers = servers;
    this.#sockets = sockets;
    this.#spareServers = [...servers];
    this.#spareSockets = [...sockets];
  }

  /** Makes one. Rejects with `sandbox.unavailable` when the machine cannot do now what it could when it was probed. */
  static async open(options: SealedNetworkOptions): Promise<SealedNetwork> {
    const { plan, bwrap, nodePath, environment, listeners, clock } = options;
    const counts = [String(listeners.tcp), String(listeners.udp)];
    const keeper = spawn(
      bwrap,
      [...newNetworkArguments(plan), nodePath, keeperEntry(), ...counts],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...environment },
      },
    );
    const timer = clock.setTimeout(() => void keeper.kill('SIGKILL'), HAND_OVER_TIMEOUT_MS);
    const gone = endingOf(keeper);
    try {
      const { held, servers, sockets } = await handedOver(keeper, listeners);
      // Its copies of the listeners would take connections that nobody answers.
      keeper.disconnect();
      await gone;
      return new SealedNetwork(held, servers, sockets);
    } catch (error) {
      keeper.kill('SIGKILL');
      throw new KennelError(
        'sandbox.unavailable',
        `No network for programs could be made: ${messageOf(error)}`,
        { cause: error, retryable: true },
      );
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async tcp(): Promise<{ server: Server; host: string; port: number }> {
    const server = spareListener(this.#spareServers, 'tcp');
    return { server, host: LOOPBACK, port: portOf(server) };
  }

  async udp(): Promise<{ socket: UdpSocket; host: string; port: number }> {
    const socket = spareListener(this.#spareSockets, 'udp');
    return { socket, host: LOOPBACK, port: socket.address().port };
  }

  /** How programs get into it. */
  entry(): { readonly net: string; readonly user: string } {
    if (this.#held === undefined) throw new Error('The network is closed.');
    return this.#held;
  }

  get isOpen(): boolean {
    return this.#held !== undefined && this.#servers.every(({ listening }) => listening);
  }

  close(): void {
    this.#held?.close();
    this.#held = undefined;
    for (const listener of [...this.#servers, ...this.#sockets]) closeListener(listener);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The listener is closed.');
  return address.port;
}

interface HandedOver {
  readonly held: HeldNetwork;
  readonly servers: readonly Server[];
  readonly sockets: readonly UdpSocket[];
}

/** Resolves when everything has arrived; rejects when the keeper ends before. */
function handedOver(keeper: ChildProcess, { tcp, udp }: Listeners): Promise<HandedOver> {
  const servers: Server[] = [];
  const sockets: UdpSocket[] = [];
  let held: HeldNetwork | undefined;
  let stderr = '';
  keeper.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, STDERR_CHARACTERS);
  });
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const fail = (error: unknown) => {
      if (isSettled) return;
      isSettled = true;
      held?.close();
      for (const listener of [...servers, ...sockets]) closeListener(listener);
      reject(error);
    };
    keeper.on('message', (message, handle) => {
      try {
        if (handle instanceof Server) servers.push(handle);
        else if (handle instanceof UdpSocket) sockets.push(handle);
        else if (isPidMessage(message)) held = holdNetwork(message.pid);
      } catch (error) {
        return fail(error);
      }
      if (isSettled || held === undefined) return;
      if (servers.length < tcp || sockets.length < udp) return;
      isSettled = true;
      resolve({ held, servers, sockets });
    });
    keeper.once('error', fail);
    keeper.once('close', (code, signal) => {
      fail(new Error(stderr.trim().split('\n', 1)[0] || `it ended with ${signal ?? code}`));
    });
  });
}

/** Enough for the line that says why. */
const STDERR_CHARACTERS = 4_096;

const isPidMessage = (message: unknown): message is { readonly pid: number } =>
  typeof message === 'object' &&
  message !== null &&
  'pid' in message &&
  typeof message.pid === 'number';

const endingOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
