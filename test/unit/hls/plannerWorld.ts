import { Planner } from '../../../src/hls/planner/planner.ts';
import type { FetchFailure, FetchOrder } from '../../../src/hls/planner/queue.ts';
import { resumeFrom } from '../../../src/hls/planner/resume.ts';
import type { MediaPlaylist } from '../../../src/hls/playlist/model.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';

/** Every segment of this world lasts one second, and so does the target duration. */
const SEGMENT_MS = 1_000;

export type WorldEvent =
  /** The encoder begins again at number 50, under new names or the old ones. */
  | { readonly kind: 'reset'; readonly at: number; readonly sameNames: boolean }
  /** All numbers move, the names stay. */
  | { readonly kind: 'relabel'; readonly at: number; readonly by: number }
  /** All names move, the numbers stay. */
  | { readonly kind: 'rename'; readonly at: number }
  /** Playlists cannot be had. */
  | { readonly kind: 'outage'; readonly at: number; readonly forMs: number }
  /** Every second answer comes from an edge that is behind. */
  | { readonly kind: 'stale'; readonly at: number; readonly forMs: number; readonly byMs: number }
  /** The recorder dies and comes back. */
  | { readonly kind: 'crash'; readonly at: number; readonly forMs: number }
  /** One content cannot be fetched so many times. */
  | { readonly kind: 'sick'; readonly content: number; readonly times: number };

export interface WorldOptions {
  readonly window: number;
  readonly endsAt: number;
  readonly events: readonly WorldEvent[];
  /** Latencies of successive requests, milliseconds. */
  readonly latencies: readonly number[];
}

interface Shown {
  readonly content: number;
  readonly msn: number;
  readonly name: string;
}

export interface WorldResult {
  readonly ledger: Ledger;
  readonly planner: Planner;
  readonly records: readonly LedgerRecord[];
  /** How often each content was stored. */
  readonly stored: ReadonlyMap<number, number>;
  /** What a living recorder was shown. */
  readonly seen: ReadonlySet<number>;
  readonly end: string;
  readonly fetchesMost: number;
  readonly pollsMost: number;
  readonly fetches: number;
}

/** An origin and an executor without sockets or files, in virtual time: it drives a planner until it says that it is over. */
export function liveThrough(options: WorldOptions): WorldResult {
  return new World(options).run();
}

class World {
  readonly #options: WorldOptions;
  readonly #ledger = new Ledger();
  readonly #records: LedgerRecord[] = [];
  readonly #stored = new Map<number, number>();
  readonly #seen = new Set<number>();
  readonly #sick = new Map<number, number>();
  #tasks: { at: number; life: number; run: () => void }[] = [];
  #now = 0;
  #life = 0;
  #requests = 0;
  #fetching = 0;
  #polling = 0;
  #fetchesMost = 0;
  #pollsMost = 0;
  #fetches = 0;
  #planner: Planner;

  constructor(options: WorldOptions) {
    const at = (event: WorldEvent) => ('at' in event ? event.at : 0);
    this.#options = { ...options, events: options.events.toSorted((a, b) => at(a) - at(b)) };
    for (const event of options.events) {
      if (event.kind === 'sick') this.#sick.set(event.content, event.times);
    }
    this.#append({ t: 'started', at: 0, source: {} });
    this.#planner = this.#newPlanner();
  }

  run(): WorldResult {
    const crashes = this.#options.events
      .filter((event) => event.kind === 'crash')
      .toSorted((a, b) => a.at - b.at);
    for (let step = 0; step < 20_000; step++) {
      const [crash] = crashes;
      if (crash !== undefined && this.#now >= crash.at) {
        crashes.shift();
        this.#crash(crash.forMs);
        continue;
      }
      const plan = this.#planner.plan(this.#now);
      for (const record of plan.records) this.#append({ ...record, at: this.#now });
      for (const order of plan.fetch) this.#fetch(order);
      if (plan.end !== undefined) return this.#result(plan.end.why);
      if (plan.pollAt <= this.#now) {
        this.#poll();
        continue;
      }
      this.#advance(Math.min(plan.pollAt, plan.wakeAt, crash?.at ?? Number.POSITIVE_INFINITY));
    }
    throw new Error('the world went on for ever');
  }

  #result(end: string): WorldResult {
    return {
      ledger: this.#ledger,
      planner: this.#planner,
      records: this.#records,
      stored: this.#stored,
      seen: this.#seen,
      end,
      fetchesMost: this.#fetchesMost,
      pollsMost: this.#pollsMost,
      fetches: this.#fetches,
    };
  }

  #newPlanner(): Planner {
    return new Planner({
      track: 'main',
      patienceMs: 60_000,
      resume: resumeFrom(this.#ledger, 'main', this.#now),
      now: this.#now,
    });
  }

  #crash(forMs: number): void {
    this.#life++;
    // Before its first epoch is written, the journal does not know where the recording began.
    if (this.#ledger.lastEpoch('main') === undefined) this.#seen.clear();
    this.#fetching = 0;
    this.#polling = 0;
    this.#now += forMs;
    this.#planner = this.#newPlanner();
  }

  #advance(until: number): void {
    this.#tasks.sort((a, b) => a.at - b.at);
    const task = this.#tasks[0];
    if (task !== undefined && task.at <= until) {
      this.#tasks.shift();
      this.#now = Math.max(this.#now, task.at);
      if (task.life === this.#life) task.run();
      return;
    }
    if (!Number.isFinite(until)) throw new Error('the planner waits for nothing');
    this.#now = Math.max(this.#now, until);
  }

  #later(run: () => void): void {
    const { latencies } = this.#options;
    const latency = latencies[this.#requests++ % latencies.length] ?? 50;
    this.#tasks.push({ at: this.#now + latency, life: this.#life, run });
  }

  #append(record: LedgerRecord): void {
    this.#records.push(record);
    this.#ledger.apply(record);
  }

  #poll(): void {
    const poll = this.#planner.onPollSent(this.#now);
    const asked = this.#now;
    this.#polling++;
    this.#pollsMost = Math.max(this.#pollsMost, this.#polling);
    this.#later(() => {
      this.#polling--;
      const during = (event: WorldEvent) =>
        'forMs' in event && event.at <= this.#now && this.#now < event.at + event.forMs;
      if (this.#options.events.some((event) => event.kind === 'outage' && during(event))) {
        this.#planner.onPollFailed(poll, 'network');
        return;
      }
      const stale = this.#options.events.find((event) => event.kind === 'stale' && during(event));
      const behindMs = stale?.kind === 'stale' && poll % 2 === 0 ? stale.byMs : 0;
      const playlist = this.#playlist(asked - behindMs);
      for (const { content } of this.#shown(asked - behindMs)) this.#seen.add(content);
      this.#planner.onPlaylist(poll, playlist, this.#now);
    });
  }

  #fetch(order: FetchOrder): void {
    this.#fetches++;
    this.#fetching++;
    this.#fetchesMost = Math.max(this.#fetchesMost, this.#fetching);
    this.#later(() => {
      this.#fetching--;
      const result = this.#download(order);
      const at = { now: this.#now, jitter: 0.5 };
      if (order.purpose === 'probe') {
        this.#planner.onProbed(typeof result === 'number' ? { checksum: `${result}` } : result, at);
      } else if (typeof result === 'number') this.#store(order, result);
      else this.#planner.onFetchFailed(order.key, result, at);
    });
  }

  #store(order: FetchOrder, content: number): void {
    this.#stored.set(content, (this.#stored.get(content) ?? 0) + 1);
    this.#append({
      t: 'segment',
      ...order.key,
      at: this.#now,
      durationMs: SEGMENT_MS,
      bytes: 188,
      checksum: `${content}`,
      file: `${order.key.epoch}/${order.key.msn}`,
      container: 'ts',
      discontinuity: 0,
    });
    this.#planner.onFetched(order.key, `${content}`, this.#now);
  }

  /** The content behind an address, while the origin keeps it: two windows. */
  #download({ segment }: FetchOrder): number | FetchFailure {
    const since = Math.max(0, this.#now - 2 * this.#options.window * SEGMENT_MS);
    const times = [this.#now];
    for (let at = this.#now; at >= since; at -= SEGMENT_MS) times.push(at);
    // What was shown just before something changed.
    for (const event of this.#options.events) if ('at' in event) times.push(event.at - 1);
    for (const at of times.filter((time) => time >= since && time <= this.#now)) {
      const found = this.#shown(at).find(({ name }) => name === segment.identity);
      if (found === undefined) continue;
      const sick = this.#sick.get(found.content) ?? 0;
      this.#sick.set(found.content, sick - 1);
      return sick > 0 ? { cause: 'http.500', detail: 'sick' } : found.content;
    }
    return { cause: 'http.404', detail: 'gone' };
  }

  /** What the origin shows at a time. */
  #shown(at: number): Shown[] {
    const contents = Math.floor(Math.min(at, this.#options.endsAt) / SEGMENT_MS) + 1;
    let from = 0;
    let shift = 0;
    let generation = 0;
    let path = 0;
    for (const event of this.#options.events) {
      if (event.kind === 'reset' && event.at <= at) {
        from = Math.floor(event.at / SEGMENT_MS) + 1;
        shift = 0;
        if (!event.sameNames) generation++;
      } else if (event.kind === 'relabel' && event.at <= at) shift += event.by;
      else if (event.kind === 'rename' && event.at <= at) path++;
    }
    const shown: Shown[] = [];
    const base = generation === 0 && from === 0 ? 100 : 50;
    for (
      let content = Math.max(from, contents - this.#options.window);
      content < contents;
      content++
    ) {
      const number = content - from + base;
      shown.push({ content, msn: number + shift, name: `/p${path}/g${generation}/${number}` });
    }
    return shown;
  }

  #playlist(at: number): MediaPlaylist {
    const shown = this.#shown(at);
    return {
      kind: 'media',
      targetDurationMs: SEGMENT_MS,
      mediaSequence: shown[0]?.msn ?? 0,
      discontinuitySequence: 0,
      endList: at >= this.#options.endsAt + SEGMENT_MS,
      windowMs: shown.length * SEGMENT_MS,
      segments: shown.map(({ msn, name }) => ({
        msn,
        url: new URL(name, 'http://origin.test/'),
        identity: name,
        durationMs: SEGMENT_MS,
        discontinuity: 0,
        gap: false,
      })),
    };
  }
}
