import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress } from '../../machines/ports.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { AT_ONCE, killLadder } from '../process/killLadder.ts';
import { processesWithEnvironment, startTicksOf } from '../process/procfs.ts';
import type { RecorderDriver } from '../process/recorderDriver.ts';
import { HOST_LIMITS, type HostLimits } from './pool/hostLimits.ts';
import { HostLink } from './pool/hostLink.ts';
import { HostMemory } from './pool/hostMemory.ts';
import { newHostId, pruneHostLogs, scanHosts, socketPathOf } from './pool/hostScan.ts';
import { endOrphanPrograms } from './pool/orphanPrograms.ts';
import { PooledRecorders } from './pool/pooledRecorders.ts';
import { socketDirectory } from './pool/socketDirectory.ts';
import { type HostProcess, NODE_MARKER, spawnHost } from './pool/spawnHost.ts';

export interface HostPoolOptions {
  /** Where hosts are found again by the next life of this node. One node, one directory. */
  readonly runDirectory: string;
  readonly logDirectory: string;
  /** Host processes at most. Default: one per core. */
  readonly hosts?: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The Node that runs the hosts, and the host's entry file. Defaults: this Node, Kennel's own host. */
  readonly execPath?: string;
  readonly entry?: string;
  /** What hosts get as their environment besides the node's marker, e.g. `NODE_EXTRA_CA_CERTS`. Default: nothing. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits?: Partial<HostLimits>;
}

export interface HostCarrier {
  readonly pid: number;
  readonly jobs: readonly { readonly jobId: string; readonly progress: Progress }[];
}

export interface HostPool extends Service {
  /** The recorders in all hosts. Start the pool before the first use. */
  readonly driver: RecorderDriver;
  /** The hosts that live, and what each carries. */
  carriers(): readonly HostCarrier[];
  /** Finds the hosts of an earlier life, adopts what they record, and removes what dead ones left. */
  start(): Promise<void>;
  /**
   * `leave: true` lets the hosts go on recording for a successor (an upgrade). Otherwise they leave their recordings
   * resumable and are gone, verified, when this resolves. Default: false.
   */
  stop(options?: { readonly leave: boolean }): Promise<void>;
}

/** The host's entry beside this file: TypeScript in development, JavaScript in the package. */
const hostEntry = (): string =>
  fileURLToPath(new URL(`./host/main${extname(import.meta.filename)}`, import.meta.url));

class Pool implements HostPool {
  readonly driver: PooledRecorders;
  readonly #options: HostPoolOptions;
  readonly #limits: HostLimits;
  readonly #links = new Map<string, HostLink>();
  /** What marks this node's hosts: one name for the directory however it was given. */
  readonly #node: string;
  readonly #memory: HostMemory;
  #directory = '';
  #isOpen = false;
  #starting: Promise<void> | undefined;

  constructor(options: HostPoolOptions) {
    this.#options = options;
    this.#limits = { ...HOST_LIMITS, ...options.limits };
    this.#node = resolve(options.runDirectory);
    this.#memory = new HostMemory({
      ...options,
      limits: this.#limits,
      hosts: () => this.#links.values(),
    });
    this.driver = new PooledRecorders({
      clock: options.clock,
      log: options.log,
      killAnswerMs: this.#limits.killAnswerMs,
      chooseHost: () => this.#chooseHost(),
      adoptStrangers: async () => await this.#adoptStrangers(),
    });
  }

  carriers(): readonly HostCarrier[] {
    return [...this.#links.values()].map((link) => ({
      pid: link.pid,
      jobs: this.driver.carriedBy(link),
    }));
  }

  async start(): Promise<void> {
    this.#isOpen = true;
    this.#starting ??= this.#open();
    await this.#starting;
  }

  async stop({ leave }: { readonly leave: boolean } = { leave: false }): Promise<void> {
    const starting = this.#starting;
    if (starting === undefined) return;
    this.#starting = undefined;
    await Promise.allSettled([starting]);
    this.#isOpen = false;
    this.#memory.stop();
    const links = [...this.#links.values()];
    if (leave) for (const link of links) link.leave();
    await Promise.all(links.map((link) => (leave ? link.closed : link.quit('host.quit'))));
    this.#links.clear();
    this.driver.forgetAll();
  }

  async #open(): Promise<void> {
    const { logDirectory } = this.#options;
    this.#directory = socketDirectory(this.#node);
    mkdirSync(logDirectory, { recursive: true });
    await this.#adoptStrangers();
    pruneHostLogs(logDirectory, new Set(this.#links.keys()));
    await this.#endUnknown();
    // What is in the table now lives, or is seen to be gone, with its programs, by its link.
    await this.#endProgramsOf((hostId) => !this.#links.has(hostId));
    this.#memory.start();
  }

  /** Connects to every living host that is not in the pool. Resolves when each has said hello or is gone. */
  async #adoptStrangers(): Promise<void> {
    if (!this.#isOpen) return;
    const found = scanHosts(this.#directory, new Set(this.#links.keys()));
    const links = found.map(({ hostId, pid, startTicks }) => {
      this.#options.log('info', 'A recorder host of an earlier life was found.', { hostId, pid });
      return this.#link(hostId, { pid, startTicks });
    });
    await Promise.all(links.map((link) => link.settled));
  }

  /** Hosts whose files are gone cannot be talked to; their recordings are resumed by others. */
  async #endUnknown(): Promise<void> {
    const { clock, log } = this.#options;
    const known = new Set([process.pid, ...[...this.#links.values()].map((link) => link.pid)]);
    for (const pid of await processesWithEnvironment(NODE_MARKER, this.#node)) {
      if (known.has(pid)) continue;
      log('warn', 'A recorder host that cannot be reached is killed.', { pid });
      await killLadder({ pid, startTicks: startTicksOf(pid), rungs: AT_ONCE, clock });
    }
  }

  /** No recorder of a job may begin while something of the last one runs: neither its host, nor what that host had started. */
  async #endProgramsOf(isGone: (hostId: string) => boolean): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await endOrphanPrograms({ node: this.#node, isGone, clock, log });
    } catch (error) {
      // Whoever waits for this waits for the end of a host: it must not wait for ever.
      log('error', 'The programs of dead hosts could not all be ended.', {
        error: messageOf(error),
      });
    }
  }

  /** The least loaded host; a new one when all carry their share and there may be more. */
  #chooseHost(): HostLink {
    if (!this.#isOpen) throw new Error('The host pool is not running.');
    const { hosts = availableParallelism() } = this.#options;
    const loads = [...this.#links.values()]
      .filter((link) => link.isWelcome)
      .map((link) => ({ link, load: this.driver.loadOf(link), count: this.driver.countOn(link) }))
      .sort((one, other) => one.load - other.load || one.count - other.count);
    const [least] = loads;
    if (least === undefined) return this.#spawn();
    const isFull = loads.every(({ count }) => count >= this.#limits.recordersBeforeSpread);
    return isFull && loads.length < hosts ? this.#spawn() : least.link;
  }

  #spawn(): HostLink {
    const { logDirectory, log, entry, execPath, environment } = this.#options;
    const hostId = newHostId();
    const host = spawnHost({
      hostId,
      socketPath: socketPathOf(this.#directory, hostId),
      logDirectory,
      execPath: execPath ?? process.execPath,
      entry: entry ?? hostEntry(),
      orphanGraceMs: this.#limits.orphanGraceMs,
      node: this.#node,
      environment: environment ?? {},
    });
    log('info', 'A recorder host was started.', { hostId, pid: host.pid });
    return this.#link(hostId, host);
  }

  #link(hostId: string, host: HostProcess): HostLink {
    const { clock, log } = this.#options;
    const socketPath = socketPathOf(this.#directory, hostId);
    const link: HostLink = new HostLink({
      hostId,
      socketPath,
      process: host,
      clock,
      log,
      limits: this.#limits,
      listener: {
        hello: (hello) => this.driver.hello(link, hello),
        message: (message) => this.driver.message(link, message),
        superseded: (byPid) => {
          this.#links.delete(hostId);
          this.driver.deposed(byPid);
        },
        gone: async (why, evidence) => {
          log('warn', 'A recorder host is gone.', { why, ...evidence });
          // Before anything else: nothing new may be given to it.
          this.#links.delete(hostId);
          await this.#endProgramsOf((id) => id === hostId);
          this.driver.hostGone(link, why, evidence);
        },
      },
    });
    this.#links.set(hostId, link);
    return link;
  }
}

/** Recorders in child processes, each of which carries many, so that neither side's fall is the other's. */
export const hostPool = (options: HostPoolOptions): HostPool => new Pool(options);
