import { createConnection, type Socket } from 'node:net';
import { type Clock, pause } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { killLadder, type Rung } from '../../process/killLadder.ts';
import { pidAlive } from '../../process/procfs.ts';
import { removeHostFiles } from '../host/hostFile.ts';
import { lineReader } from '../host/lines.ts';
import {
  type Hello,
  LINE_BYTES_MAX,
  PROTOCOL,
  parseToSupervisor,
  type ToHost,
  type ToSupervisor,
  writeMessage,
} from '../host/protocol.ts';
import type { HostLimits } from './hostLimits.ts';
import type { HostProcess } from './spawnHost.ts';

export interface HostLinkListener {
  /** The first words of every connection: what the host carries, and which exits it has kept. */
  hello(hello: Hello): void;
  message(message: ToSupervisor): void;
  /** Another supervisor has the host. It goes on, but is ours no more: nothing else will be said about it. */
  superseded(byPid: number): void;
  /** Nothing of the host process is left. The link closes when this resolves. */
  gone(why: string, evidence: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface HostLinkOptions {
  readonly hostId: string;
  readonly socketPath: string;
  readonly process: HostProcess;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: HostLimits;
  readonly listener: HostLinkListener;
}

/** Between two tries to connect, milliseconds: a host takes some 200 ms to start. */
const CONNECT_AGAIN_MS = 25;
/** Connections in a row that were cut short; after so many the host cannot be talked to. */
const CUTS_MAX = 5;
/** The system tells us within milliseconds how a child ended. */
const ENDING_WAIT_MS = 500;
/** A host that ignores words still hears SIGTERM when its event loop turns, and leaves its recordings in order. */
const ASKED_TO_LEAVE: readonly Rung[] = [
  { signal: 'SIGTERM', waitMs: 2_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];
const KILLED: readonly Rung[] = [{ signal: 'SIGKILL', waitMs: 5_000 }];

/** Why the host must go, and how. */
interface Doom {
  readonly why: string;
  readonly rungs: readonly Rung[];
}

/**
 * One host as its supervisor sees it: connects, connects again, pings, and sees to it that a host which cannot be reached
 * is gone before its recorders are given up. From construction on it lives by itself until the host is gone, left or
 * superseded.
 */
export class HostLink {
  /** Resolves at the first hello, or when there will be none. */
  readonly settled: Promise<void>;
  /** Resolves when this link has nothing to do with the host any more. */
  readonly closed: Promise<void>;
  readonly #options: HostLinkOptions;
  readonly #settle: () => void;
  #socket: Socket | undefined;
  #isUp = false;
  #doom: Doom | undefined;
  #isLetGo = false;

  constructor(options: HostLinkOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.#settle = resolve;
    this.closed = this.#live().finally(resolve);
  }

  get hostId(): string {
    return this.#options.hostId;
  }

  get pid(): number {
    return this.#options.process.pid;
  }

  /** Whether it may be given more work. */
  get isWelcome(): boolean {
    return this.#doom === undefined && !this.#isLetGo;
  }

  /** Whether the host goes on for somebody else, or by itself. */
  get isLetGo(): boolean {
    return this.#isLetGo;
  }

  /** Whether it hears what is sent now. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Lost when the host is not up: whoever sends tells it again at the next hello. */
  send(message: ToHost): void {
    if (this.#isUp) this.#socket?.write(writeMessage(message));
  }

  /** Kills the host: it has shown that it does not listen. */
  kill(why: string): void {
    this.#doomed({ why, rungs: KILLED });
    this.#socket?.destroy();
  }

  /** Asks the host to leave its recordings in order and go; insists when it does not. Resolves when it is gone. */
  async quit(why: string): Promise<void> {
    const { clock, limits } = this.#options;
    this.send({ type: 'quit' });
    this.#doomed({ why, rungs: ASKED_TO_LEAVE });
    const timer = clock.setTimeout(() => this.#socket?.destroy(), limits.quitWaitMs);
    await this.closed;
    clock.clearTimeout(timer);
  }

  /** Lets the host go on by itself. */
  leave(): void {
    this.#isLetGo = true;
    this.#socket?.destroy();
  }

  #doomed(doom: Doom): void {
    this.#doom ??= doom;
  }

  async #live(): Promise<void> {
    const { clock, limits, socketPath, process: host, listener } = this.#options;
    let patienceMs = limits.startWaitMs;
    let hasMet = false;
    let cuts = 0;
    while (this.isWelcome && cuts < CUTS_MAX) {
      const socket = await this.#connect(patienceMs);
      if (socket === undefined) break;
      const since = clock.elapsed();
      hasMet = (await this.#converse(socket)) || hasMet;
      cuts = clock.elapsed() - since < limits.hostSilentMs ? cuts + 1 : 0;
      patienceMs = limits.hostSilentMs;
    }
    if (this.#isLetGo) return;
    const unreachable = hasMet ? 'host.unreachable' : 'host.unstartable';
    const why = !pidAlive(host.pid, host.startTicks) && hasMet ? 'host.died' : unreachable;
    const doom = this.#doom ?? { why, rungs: KILLED };
    await this.#makeSureItIsGone(doom);
    removeHostFiles(socketPath);
    const ending = await Promise.race([host.ending, pause(clock, ENDING_WAIT_MS)]);
    const evidence = { hostId: this.hostId, pid: host.pid, ...ending };
    await listener.gone(doom.why, evidence);
  }

  async #makeSureItIsGone({ rungs, why }: Doom): Promise<void> {
    const { clock, log, process: host } = this.#options;
    const { pid, startTicks } = host;
    // Its recorders may not be started elsewhere while it could still write, so this has no limit but its death.
    while (!(await killLadder({ pid, startTicks, rungs, clock }))) {
      log('error', 'A host outlives SIGKILL.', { hostId: this.hostId, pid, why });
    }
  }

  /** Undefined: the host is dead, unwelcome, or did not answer in time. */
  async #connect(patienceMs: number): Promise<Socket | undefined> {
    const { clock, socketPath, process: host } = this.#options;
    const since = clock.elapsed();
    while (this.isWelcome && clock.elapsed() - since < patienceMs) {
      const socket = await new Promise<Socket | undefined>((resolve) => {
        const attempt = createConnection(socketPath);
        attempt.once('connect', () => resolve(attempt));
        attempt.once('error', () => resolve(undefined));
      });
      if (socket !== undefined) return socket;
      if (!pidAlive(host.pid, host.startTicks)) return undefined;
      await pause(clock, CONNECT_AGAIN_MS);
    }
    return undefined;
  }

  /** Talks until the connection ends. True when the host has said hello. */
  async #converse(socket: Socket): Promise<boolean> {
    const { clock, log } = this.#options;
    const read = lineReader(LINE_BYTES_MAX);
    let hasMet = false;
    let hasSpoken = true;
    const ended = Promise.withResolvers<void>();
    socket.on('error', (error) => {
      log('debug', 'A connection to a host broke.', { hostId: this.hostId, error: error.message });
    });
    socket.on('close', () => ended.resolve());
    socket.on('data', (bytes: Buffer) => {
      hasSpoken = true;
      for (const message of this.#messagesIn(socket, () => read(bytes))) {
        if (message.type === 'hello') hasMet = true;
        this.#hear(socket, message);
      }
    });
    this.#socket = socket;
    if (this.isWelcome) {
      socket.write(writeMessage({ type: 'takeover', protocol: PROTOCOL, pid: process.pid }));
    } else socket.destroy();
    const watch = this.#watch(() => {
      const spoke = hasSpoken;
      hasSpoken = false;
      return spoke;
    });
    await ended.promise;
    clock.clearTimeout(watch.timer);
    this.#isUp = false;
    this.#socket = undefined;
    return hasMet;
  }

  /** Pings, and counts the time that passes without a word. Time in which we did not run ourselves does not count. */
  #watch(spoke: () => boolean): { timer: unknown } {
    const { clock, limits } = this.#options;
    let silentMs = 0;
    let looked = clock.elapsed();
    const look = (): void => {
      const sinceMs = Math.min(clock.elapsed() - looked, limits.pingEveryMs);
      looked = clock.elapsed();
      silentMs = spoke() ? 0 : silentMs + sinceMs;
      if (silentMs >= limits.hostSilentMs) {
        this.kill('host.silent');
        return;
      }
      this.send({ type: 'ping' });
      watch.timer = clock.setTimeout(look, limits.pingEveryMs);
    };
    const watch = { timer: clock.setTimeout(look, limits.pingEveryMs) };
    return watch;
  }

  #messagesIn(socket: Socket, lines: () => string[]): ReturnType<typeof parseToSupervisor>[] {
    try {
      return lines().map(parseToSupervisor);
    } catch (error) {
      // A host that cannot be understood is connected to again, and killed when that does not help.
      const fields = { hostId: this.hostId, error: messageOf(error).slice(0, 500) };
      this.#options.log('error', 'A message of a host could not be read.', fields);
      socket.destroy();
      return [];
    }
  }

  #hear(socket: Socket, message: ReturnType<typeof parseToSupervisor>): void {
    const { listener } = this.#options;
    switch (message.type) {
      case 'foreign':
        this.#options.log('warn', 'A host of another version is sent away.', {
          hostId: this.hostId,
        });
        this.#isUp = true;
        void this.quit('host.foreign');
        return;
      case 'hello':
        this.#isUp = true;
        listener.hello(message);
        this.#settle();
        return;
      case 'quitting':
        // It gets no more work, and its end is seen to.
        void this.quit('host.quit');
        return;
      case 'superseded':
        this.#isLetGo = true;
        this.#isUp = false;
        socket.destroy();
        listener.superseded(message.byPid);
        return;
      case 'pong':
        return;
      case 'started':
      case 'progress':
      case 'exited':
      case 'log':
        listener.message(message);
        return;
    }
  }
}
