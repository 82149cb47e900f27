import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { pause } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { StartRecorder } from '../../recording/recorder.ts';
import { removeHostFiles, writeHostFile } from './hostFile.ts';
import { type CrashedRecorder, HostRecorders } from './hostRecorders.ts';
import { lineReader } from './lines.ts';
import {
  LINE_BYTES_MAX,
  PROTOCOL,
  parseToHost,
  type ToHost,
  type ToSupervisor,
  writeMessage,
} from './protocol.ts';

export interface HostOptions {
  readonly hostId: string;
  /** Where to listen. The directory exists and is nobody else's. */
  readonly socketPath: string;
  readonly startRecorder: StartRecorder;
  readonly clock: Clock;
  random(): number;
  readonly log: Log;
  /** How long to go on recording without a supervisor, milliseconds. */
  readonly orphanGraceMs?: number;
}

/** A supervisor that is upgraded or restarted by its service manager is back well within this time (DESIGN §4). */
export const ORPHAN_GRACE_MS = 30_000;
const PROGRESS_EVERY_MS = 1_000;
/** Where programs run: whether one of them was stopped has to be known sooner. */
const PROGRAM_PROGRESS_EVERY_MS = 500;
/** A supervisor introduces itself at once. */
const TAKEOVER_WAIT_MS = 5_000;
/** Recorders let go within milliseconds; one that has not by then is left to the end of the process. */
const QUIT_WAIT_MS = 5_000;
/** How long the last messages may take to reach the supervisor. */
const FLUSH_WAIT_MS = 500;
/** One supervisor and its successor, plus whoever knocks by mistake. */
const CONNECTIONS_MAX = 8;
/** Above this a supervisor does not read; what can be said again later (numbers, log lines) is not queued for it. */
const UNREAD_BYTES_MAX = 1024 * 1024;
/** A longer log line stays in the host's own file: the supervisor's reader has a limit. */
const LOG_CHARACTERS_MAX = 64 * 1024;

/** A recorder host: carries recordings for whoever is its supervisor, and for a grace without one. */
export class Host {
  readonly ended: Promise<void>;
  readonly #options: HostOptions;
  readonly #startedAt: number;
  readonly #recorders: HostRecorders;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #resolveEnded: () => void;
  #supervisor: Socket | undefined;
  #grace: unknown;
  #progressTimer: unknown;
  #isQuitting = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#recorders = new HostRecorders({
      ...options,
      log: (level, message, fields) => this.#log(level, message, fields),
      onStarted: (who, at) => this.#send({ type: 'started', ...who, at }),
      onExited: (kept) => this.#send({ type: 'exited', ...kept }),
    });
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves once supervisors can connect. Rejects when the socket cannot be made. */
  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    writeHostFile(socketPath, this.#startedAt);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, resolve);
    });
    chmodSync(socketPath, 0o600);
    this.#awaitSupervisor();
    this.#tellProgress();
  }

  /** Lets go of all recordings, leaves them resumable, and ends. */
  async quit(why: string): Promise<void> {
    if (this.#isQuitting) return;
    this.#isQuitting = true;
    const { clock, socketPath } = this.#options;
    this.#log('info', 'The host is quitting.', { why, recorders: this.#recorders.size });
    this.#send({ type: 'quitting', why });
    clock.clearTimeout(this.#grace);
    clock.clearTimeout(this.#progressTimer);
    this.#server.close();
    this.#recorders.letGoOfAll(why);
    const since = clock.elapsed();
    while (this.#recorders.size > 0 && clock.elapsed() - since < QUIT_WAIT_MS) {
      await pause(clock, 10);
    }
    await this.#flush();
    for (const connection of this.#connections) connection.destroy();
    removeHostFiles(socketPath);
    this.#resolveEnded();
  }

  /** See HostRecorders.crash. */
  crash(error: unknown): CrashedRecorder | undefined {
    const crashed = this.#recorders.crash(error);
    if (crashed !== undefined) {
      const fields = { jobId: crashed.jobId, error: messageOf(error) };
      this.#log('error', 'A recorder threw what nobody caught, and is ended.', fields);
    }
    return crashed;
  }

  #accept(socket: Socket): void {
    const { clock, log } = this.#options;
    this.#connections.add(socket);
    const read = lineReader(LINE_BYTES_MAX);
    const impatience = clock.setTimeout(() => {
      if (socket !== this.#supervisor) socket.destroy();
    }, TAKEOVER_WAIT_MS);
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const line of read(bytes)) this.#hear(socket, parseToHost(line));
      } catch (error) {
        // Whoever says this is no supervisor of ours; one that is connects again.
        log('warn', 'A message could not be read.', { error: messageOf(error).slice(0, 500) });
        socket.destroy();
      }
    });
    // A reset connection ends like any other: `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clock.clearTimeout(impatience);
      this.#connections.delete(socket);
      if (socket !== this.#supervisor) return;
      this.#supervisor = undefined;
      this.#awaitSupervisor();
    });
  }

  #hear(socket: Socket, message: ToHost): void {
    if (message.type === 'takeover') {
      this.#takeOver(socket, message.pid);
      return;
    }
    // Not (or no longer) the supervisor: its words do not count.
    if (socket !== this.#supervisor) return;
    switch (message.type) {
      case 'start':
        this.#start(message);
        return;
      case 'stop':
        this.#recorders.stop(message.jobId, message.why);
        return;
      case 'kill':
        this.#recorders.kill(message.jobId, message.why);
        return;
      case 'acknowledge':
        this.#recorders.acknowledge(message.jobId, message.attempt);
        return;
      case 'ping':
        this.#send({ type: 'pong' });
        return;
      case 'quit':
        void this.quit('quit');
        return;
    }
  }

  #start({ job, directory }: Extract<ToHost, { type: 'start' }>): void {
    if (!this.#isQuitting) {
      this.#recorders.start(job, directory);
      return;
    }
    const exit = { kind: 'crashed', why: 'host.quitting', retryable: true, evidence: {} } as const;
    this.#recorders.refuse(job, exit);
  }

  #takeOver(socket: Socket, byPid: number): void {
    const { clock, hostId } = this.#options;
    const former = this.#supervisor;
    this.#supervisor = socket;
    clock.clearTimeout(this.#grace);
    if (former !== undefined && former !== socket) {
      former.end(writeMessage({ type: 'superseded', byPid }));
      clock.setTimeout(() => former.destroy(), FLUSH_WAIT_MS);
    }
    this.#send({
      type: 'hello',
      protocol: PROTOCOL,
      hostId,
      pid: process.pid,
      startedAt: this.#startedAt,
      recorders: this.#recorders.running(),
      exits: [...this.#recorders.exits],
    });
  }

  #awaitSupervisor(): void {
    const { clock, orphanGraceMs = ORPHAN_GRACE_MS } = this.#options;
    if (this.#isQuitting) return;
    this.#grace = clock.setTimeout(() => void this.quit('orphaned'), orphanGraceMs);
  }

  #tellProgress(): void {
    const recorders = this.#recorders
      .running()
      .map(({ jobId, attempt, progress }) => ({ jobId, attempt, progress }));
    if (recorders.length > 0 && this.#canQueue()) this.#send({ type: 'progress', recorders });
    const hasPrograms = recorders.some(({ progress }) => progress.program !== undefined);
    const everyMs = hasPrograms ? PROGRAM_PROGRESS_EVERY_MS : PROGRESS_EVERY_MS;
    this.#progressTimer = this.#options.clock.setTimeout(() => this.#tellProgress(), everyMs);
  }

  #canQueue(): boolean {
    return (this.#supervisor?.writableLength ?? 0) < UNREAD_BYTES_MAX;
  }

  #log(...[level, message, fields]: Parameters<Log>): void {
    this.#options.log(level, message, fields);
    if (this.#supervisor?.writable !== true || !this.#canQueue()) return;
    const line = writeMessage({ type: 'log', level, message, fields });
    if (line.length <= LOG_CHARACTERS_MAX) this.#supervisor.write(line);
  }

  #send(message: ToSupervisor): void {
    if (this.#supervisor?.writable === true) this.#supervisor.write(writeMessage(message));
  }

  async #flush(): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    supervisor.once('close', resolve);
    supervisor.end(resolve);
    await Promise.race([promise, pause(this.#options.clock, FLUSH_WAIT_MS)]);
  }
}
