import { absentDatabase } from '../api/absentDatabase.ts';
import { type Answerer, type FrontDoor, openFrontDoor } from '../api/frontDoor.ts';
import { HEALTH_PATHS, type HealthCheck, healthRoutes } from '../api/health.ts';
import type { KennelService, ServiceOptions, Started } from '../cli/context.ts';
import { LiveConfig } from '../config/liveConfig.ts';
import { removeServiceFile, writeServiceFile } from '../config/serviceFile.ts';
import { watchConfig } from '../config/watchConfig.ts';
import { systemClock as clock } from '../core/clock.ts';
import { isKennelError, KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/database.ts';
import { persist } from '../db/persist.ts';
import { drained } from '../jobs/drain.ts';
import { loopLag } from '../observability/loopLag.ts';
import {
  closeInTime,
  databaseOf,
  lockNode,
  makeDataDirectory,
  nodeLog,
  recorderHosts,
} from './ground.ts';
import { probedTools } from './probedTools.ts';
import { serviceParts } from './serviceParts.ts';

type Parts = ReturnType<typeof serviceParts>;

/**
 * The composition root of the service. It answers probes before anything else works, adopts what records before it asks for the
 * database, and waits for that one as long as it takes.
 */
export async function composeService(options: ServiceOptions): Promise<KennelService> {
  const { config } = options.loaded;
  await makeDataDirectory(config.dataDir);
  const level: { of: () => typeof config } = { of: () => config };
  const log = nodeLog(config, () => level.of().logLevel);
  const live = new LiveConfig(options.loaded, { load: options.load, log });
  level.of = () => live.current;
  return new ComposedService({ ...options, live, log });
}

interface Ground extends ServiceOptions {
  readonly live: LiveConfig;
  readonly log: Log;
}

class ComposedService implements KennelService {
  readonly #ground: Ground;
  readonly #ending = new AbortController();
  readonly #lag = loopLag(clock.elapsed);
  readonly #fallen = Promise.withResolvers<unknown>();
  readonly #watch;
  readonly #hosts;
  #tools: ReturnType<typeof probedTools> | undefined;
  #lock: ReturnType<typeof lockNode> | undefined;
  #door: FrontDoor | undefined;
  #parts: Parts | undefined;
  #progress: 'starting' | 'waiting' | 'running' | 'draining' = 'starting';
  #stopped: Promise<void> | undefined;

  constructor(ground: Ground) {
    const { live, log } = ground;
    this.#ground = ground;
    this.#hosts = recorderHosts(live.current, log);
    this.#watch = watchConfig({
      loaded: () => live.loaded,
      onChange: () => void live.reload('file'),
      directory: process.cwd(),
      clock,
      log,
    });
  }

  get fallen(): Promise<unknown> {
    return this.#fallen.promise;
  }

  async open(): Promise<string> {
    const { current } = this.#ground.live;
    this.#lock = lockNode(current);
    const options = { ...current.api, clock };
    this.#door = await openFrontDoor(options, this.#withHealth(absentDatabase()));
    const { address } = this.#door;
    writeServiceFile(current.dataDir, { address, pid: process.pid });
    return address;
  }

  async start(): Promise<Started> {
    const { live, log } = this.#ground;
    await this.#watch.start();
    this.#tools = probedTools(live.current, log);
    // Hosts of an earlier life wait for half a minute only, and need no database to be adopted.
    await this.#hosts.start();
    const database = await this.#openDatabase();
    const parts = serviceParts({ live, database, hosts: this.#hosts, log });
    this.#parts = parts;
    void parts.recording.fallen.then(this.#fallen.resolve);
    const started = await parts.start(this.#ending.signal);
    this.#door?.answerBy(this.#withHealth(parts.app));
    await this.#tools.probing;
    if (this.#progress !== 'draining') this.#progress = 'running';
    return started;
  }

  reload(why: string) {
    return this.#ground.live.reload(why);
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#progress = 'draining';
    const parts = this.#parts;
    if (parts === undefined) return;
    await parts.closeQueue();
    const { node } = parts.recording;
    await drained({
      policy: () => {
        const { policy, limitSeconds } = this.#ground.live.current.drain;
        return { policy, limitMs: limitSeconds * 1_000 };
      },
      jobs: () => node.jobIds().flatMap((id) => node.status(id)?.state ?? []),
      signal,
      clock,
      log: this.#ground.log,
    });
  }

  stop({ leave }: { readonly leave: boolean }): Promise<void> {
    this.#stopped ??= this.#stop(leave);
    return this.#stopped;
  }

  async #stop(leave: boolean): Promise<void> {
    this.#progress = 'draining';
    this.#ending.abort(new Error('the service ends'));
    // Another service's, when this one could not listen.
    if (this.#door) removeServiceFile(this.#ground.live.current.dataDir);
    await this.#watch.stop();
    await this.#parts?.stop();
    await this.#hosts.stop({ leave });
    await this.#tools?.probing;
    await this.#door?.close();
    this.#lock?.release();
    this.#lag.stop();
    await closeInTime(async () => await this.#parts?.close());
  }

  /** Outlasts every outage; says so once. */
  async #openDatabase(): Promise<Database> {
    const { live, log, say } = this.#ground;
    const open = async () => {
      try {
        return await databaseOf(live.current, log);
      } catch (error) {
        const isAway = isKennelError(error) && error.code === 'database.unavailable';
        if (isAway && this.#progress !== 'waiting') {
          say(`${error.message}; the service waits for it, and what records goes on`);
          this.#progress = 'waiting';
        }
        throw error;
      }
    };
    const signal = this.#ending.signal;
    const database = await persist(open, signal, { clock, random: Math.random, log });
    if (!signal.aborted) return database;
    await database.close();
    throw new KennelError('service.unavailable', 'the service ends');
  }

  #withHealth(app: Answerer): Answerer {
    const health = healthRoutes({
      lagMs: this.#lag.lagMs,
      startup: () => this.#startup(),
      readiness: () => this.#readiness(),
      clock,
    });
    return {
      fetch: (request, env) =>
        HEALTH_PATHS.has(new URL(request.url).pathname)
          ? health.fetch(request)
          : app.fetch(request, env),
    };
  }

  #startup(): readonly HealthCheck[] {
    const isStarted = this.#progress === 'running' || this.#progress === 'draining';
    return [
      {
        name: 'start',
        look: () => {
          if (isStarted) return undefined;
          return this.#progress === 'waiting'
            ? 'the database does not answer'
            : 'is being started: migrations, hosts, unfinished jobs';
        },
      },
      ...(this.#tools ? [this.#tools.probed] : []),
    ];
  }

  #readiness(): readonly HealthCheck[] {
    return [
      {
        name: 'open',
        look: () => (this.#progress === 'draining' ? 'the service drains' : undefined),
      },
      ...(this.#tools ? [this.#tools.fit] : []),
      ...(this.#parts?.checks ?? []),
    ];
  }
}
