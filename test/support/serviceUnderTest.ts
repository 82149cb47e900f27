import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type KennelHome, type Ran, type Running } from './kennel.ts';

/** Systems give outgoing connections ports from here on: below it, nobody takes the port while the service is dead. */
const EPHEMERAL_FIRST = 32_768;
const PORT_FIRST = 20_000;
const ASK_EVERY_MS = 50;
/** An empty embedded database takes several seconds to be made, and other tests may be running. */
const READY_WITHIN_MS = 90_000;

export interface ServiceUnderTestOptions {
  readonly home: KennelHome;
  /** `DATABASE_URL` for a real Postgres; without it the database is the embedded one. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The real `kennel serve`, in a process of its own, on one data directory and one address for all its lives: whoever speaks to it
 * goes on speaking to the next life.
 */
export class ServiceUnderTest {
  readonly home: KennelHome;
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #port: number;
  readonly #lives: Running[] = [];

  private constructor({ home, env = {} }: ServiceUnderTestOptions, port: number) {
    this.home = home;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = env;
    this.#port = port;
  }

  /** Nothing runs before `start`. */
  static async on(options: ServiceUnderTestOptions): Promise<ServiceUnderTest> {
    return new ServiceUnderTest(options, await freePort());
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives.length;
  }

  /** Begins the next life, and does not wait until it answers. */
  begin(): void {
    this.#lives.push(this.home.start(['serve', '--port', String(this.#port)], { ...this.#env }));
  }

  /** Begins the next life, and resolves once it is ready. */
  async start(): Promise<void> {
    this.begin();
    await this.ready();
  }

  /** Resolves once `/readyz` says so, whichever life it is by then. */
  async ready(withinMs = READY_WITHIN_MS): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const status = await this.#readyStatus();
      if (status === 200) return;
      if (performance.now() > deadline)
        throw new Error(`not ready within ${withinMs} ms (${status}):\n${this.said()}`);
      await sleep(ASK_EVERY_MS);
    }
  }

  /** Below its address; rejects while nobody listens there. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    // A connection that is kept open to a dead life costs the first request of the next one.
    return fetch(this.url + path, {
      ...init,
      headers: { connection: 'close', ...Object.fromEntries(new Headers(init.headers)) },
    });
  }

  /** SIGKILL; resolves once it is gone. Its recorder hosts live on. */
  async kill(): Promise<void> {
    const life = this.#lives.at(-1);
    life?.child.kill('SIGKILL');
    await life?.ended;
  }

  /** SIGTERM: it drains; resolves once it is gone. */
  async stop(): Promise<Ran | undefined> {
    const life = this.#lives.at(-1);
    life?.child.kill('SIGTERM');
    return await life?.ended;
  }

  /** What its lives printed, the last one at the end. */
  said(lives = 2): string {
    return this.#lives
      .slice(-lives)
      .map((life) => life.said())
      .join('\n-- the next life --\n');
  }

  /** Ends whatever is left of it, hosts and programs too, and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    for (const pid of this.home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    this.home.remove();
  }

  async #readyStatus(): Promise<number> {
    try {
      const response = await this.fetch('/readyz', { signal: AbortSignal.timeout(5_000) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORT_FIRST + Math.floor(Math.random() * (EPHEMERAL_FIRST - PORT_FIRST));
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
