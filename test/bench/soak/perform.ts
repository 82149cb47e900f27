import { setTimeout as sleep } from 'node:timers/promises';
import { startOrigin } from '../../support/origin/origin.ts';
import { type Account, accountOf } from './account.ts';
import { insideOf } from './hostInspector.ts';
import type { Plan } from './plan.ts';
import type { Inside } from './protocol.ts';
import { look, type Sample } from './samples.ts';
import { SoakedNode } from './soakedNode.ts';
import { badWeather, type Weather } from './weather.ts';

const SAMPLE_MS = 500;
/** How often processes are asked about their inside in the second half; a collection of garbage takes them some 50 ms. */
const LOOKS = 10;
/** A first short recording, after which everything is loaded that a recording needs; media time, segments. */
const WARM_UP_SEGMENTS = 30;
/** Nodes are asked about their inside only when nothing of a burst is left. */
export const REST_MS = 3_000;
/** Connections are kept for a while after their last use, and the index is brought after its journal every 5 s. */
const CALM_DOWN_MS = 20_000;
/** How long after their end recordings may take: files are made one after the other. */
const FINISH_MS = 600_000;

/** A process from outside and inside at one moment of the soak. */
export interface Station {
  readonly when: 'before' | 'half-time' | 'on the way' | 'at the end' | 'afterwards';
  /** Milliseconds since the recordings began. */
  readonly atMs: number;
  readonly role: Sample['role'];
  readonly pid: number;
  readonly descriptors: number;
  readonly rssBytes: number;
  /** Undefined: it could not be asked. */
  readonly inside: Inside | undefined;
}

export interface Soaked {
  readonly samples: readonly Sample[];
  readonly stations: readonly Station[];
  readonly accounts: readonly Account[];
  readonly weather: Weather;
  /** How long the recordings took, milliseconds. */
  readonly tookMs: number;
}

/** One soak, from a node's start to its end. */
export class Soak {
  readonly #plan: Plan;
  readonly #print: (text: string) => void;
  readonly #node = new SoakedNode();
  readonly #samples: Sample[] = [];
  readonly #stations: Station[] = [];

  constructor(plan: Plan, print: (text: string) => void) {
    this.#plan = plan;
    this.#print = print;
  }

  async run(): Promise<Soaked> {
    const origin = await startOrigin({
      streams: { warm: { set: 'ts', rate: this.#plan.rate, endAfter: WARM_UP_SEGMENTS } },
    });
    try {
      await this.#node.start();
      await this.#warmUp(origin.playlistUrl('warm'));
      await this.#station('before');
      for (const [name, options] of Object.entries(this.#plan.shows)) {
        await origin.add(name, options);
      }
      return await this.#record(origin);
    } finally {
      await this.#node.stop();
      await origin.stop();
    }
  }

  async #warmUp(url: string): Promise<void> {
    const { ended } = this.#node.record(url, this.#node.home.file('warm.mp4'));
    const { exitCode, said } = await ended;
    if (exitCode !== 0) throw new Error(`the first recording ended with ${exitCode}: ${said}`);
    await sleep(REST_MS);
  }

  async #record(origin: Awaited<ReturnType<typeof startOrigin>>): Promise<Soaked> {
    const { shows, lengthMs } = this.#plan;
    const node = this.#node;
    const jobs = Object.keys(shows).map((show) => {
      const job = node.record(origin.playlistUrl(show), node.home.file(`${show}.mp4`));
      return { show, job };
    });
    const beganAt = performance.now();
    const over = new AbortController();
    const sampling = setInterval(() => this.#look(performance.now() - beganAt), SAMPLE_MS);
    const weather = badWeather({
      plan: this.#plan,
      origin,
      killHosts: () => this.#killHosts(),
      signal: over.signal,
    });
    try {
      for (let look = 0; look <= LOOKS; look++) {
        const atMs = (lengthMs - REST_MS) * (0.5 + (0.5 * look) / LOOKS);
        await sleep(beganAt + atMs - performance.now());
        const inBetween = look === LOOKS ? 'at the end' : 'on the way';
        await this.#station(look === 0 ? 'half-time' : inBetween, atMs);
      }
      await Promise.race([weather, sleep(FINISH_MS, undefined, { signal: over.signal })]);
      await Promise.all(jobs.map(({ job }) => job.recorded));
    } finally {
      clearInterval(sampling);
    }
    const tookMs = performance.now() - beganAt;
    this.#print(`all are recorded after ${(tookMs / 1_000).toFixed(0)} s; their files are made`);
    const accounts: Account[] = [];
    const { unavoidable } = await weather;
    for (const { show, job } of jobs) {
      const ended = await job.ended;
      const stream = origin.stream(show);
      const known = unavoidable.get(show) ?? new Set<number>();
      const { recording = '' } = job;
      accounts.push(await accountOf({ show, stream, recording, ended, unavoidable: known }));
    }
    over.abort();
    await sleep(CALM_DOWN_MS);
    await this.#station('afterwards');
    return {
      samples: this.#samples,
      stations: this.#stations,
      accounts,
      weather: await weather,
      tookMs,
    };
  }

  #processes(): Pick<Sample, 'pid' | 'role'>[] {
    const hosts = this.#node.home.hostPids().map((pid) => ({ pid, role: 'host' as const }));
    return [{ pid: this.#node.pid, role: 'supervisor' }, ...hosts];
  }

  #look(atMs: number): void {
    for (const who of this.#processes()) {
      const sample = look({ ...who, atMs });
      if (sample) this.#samples.push(sample);
    }
  }

  async #station(when: Station['when'], atMs = 0): Promise<void> {
    for (const { pid, role } of this.#processes()) {
      const inside = role === 'host' ? await insideOf(pid) : await this.#node.inside();
      const sample = look({ pid, role, atMs });
      if (sample) this.#stations.push({ when, ...sample, inside });
    }
  }

  #killHosts(): number {
    const pids = this.#node.home.hostPids();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length;
  }
}
