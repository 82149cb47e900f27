import { Planner } from '../../../src/hls/planner/planner.ts';
import type { FetchFailure, FetchOrder, SourcedSegment } from '../../../src/hls/planner/queue.ts';
import { resumeFrom } from '../../../src/hls/planner/resume.ts';
import type { MediaPlaylist, PlaylistSegment } from '../../../src/hls/playlist/model.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';

/** Every segment of this world lasts one second, and so does the target duration. */
const SEGMENT_MS = 1_000;
/** The date of the first content. */
export const DATE = Date.UTC(2026, 0, 1);

export type SourceEvent =
  /** Playlists cannot be had; `hung`: they are not even refused. */
  | {
      readonly kind: 'outage';
      readonly at: number;
      readonly forMs: number;
      readonly hung?: boolean;
    }
  /** It answers and stands still. */
  | { readonly kind: 'frozen'; readonly at: number; readonly forMs: number }
  /** Its encoder begins again, under other names and numbers. */
  | { readonly kind: 'reset'; readonly at: number }
  /** It says that this content does not exist. */
  | { readonly kind: 'gap'; readonly content: number }
  /** One content cannot be fetched from it so many times. */
  | { readonly kind: 'sick'; readonly content: number; readonly times: number };

/** One link to the stream. */
export interface SourceOptions {
  /** Its number for the first content. */
  readonly base: number;
  /** How far it is behind the encoder. */
  readonly lagMs: number;
  readonly window: number;
  /** Sources with the same names or bytes have them in common. */
  readonly names: string;
  readonly bytes: string;
  readonly dated: boolean;
  /** How far its segments' limits are from those of the others. */
  readonly dateShiftMs?: number;
  /** When it says that the stream is over, if before the others. */
  readonly endsAt?: number;
  readonly events: readonly SourceEvent[];
}

export interface SourcesWorldOptions {
  readonly sources: readonly SourceOptions[];
  /** All are polled all the time. Otherwise the next one only while the one before is gone. */
  readonly dual: boolean;
  readonly endsAt: number;
  readonly latencies: readonly number[];
  readonly crashes?: readonly { readonly at: number; readonly forMs: number }[];
  /** A failed order is carried out from its mirrors at once. */
  readonly mirrors?: boolean;
}

export interface SourcesWorldResult {
  readonly ledger: Ledger;
  readonly planner: Planner;
  readonly records: readonly LedgerRecord[];
  /** How often each content was stored. */
  readonly stored: ReadonlyMap<number, number>;
  readonly end: { readonly why: string; readonly evidence: Readonly<Record<string, unknown>> };
  readonly endedAt: number;
  readonly probes: number;
  readonly pollsMost: number;
}

interface Shown {
  readonly content: number;
  readonly msn: number;
  readonly name: string;
  readonly gap: boolean;
}

/** Several origins of one stream, and an executor, without sockets or files, in virtual time. */
export function liveThroughSources(options: SourcesWorldOptions): SourcesWorldResult {
  return new SourcesWorld(options).run();
}

class SourcesWorld {
  readonly #options: SourcesWorldOptions;
  readonly #ledger = new Ledger();
  readonly #records: LedgerRecord[] = [];
  readonly #stored = new Map<number, number>();
  readonly #sick = new Map<string, number>();
  readonly #read = new Map<number, string>();
  readonly #polling = new Map<number, number>();
  #tasks: { at: number; life: number; run: () => void }[] = [];
  #now = 0;
  #life = 0;
  #requests = 0;
  #probes = 0;
  #pollsMost = 0;
  #planner: Planner;

  constructor(options: SourcesWorldOptions) {
    this.#options = options;
    for (const [source, { events }] of options.sources.entries()) {
      for (const event of events) {
        if (event.kind === 'sick') this.#sick.set(`${source}/${event.content}`, event.times);
      }
    }
    this.#append({ t: 'started', at: 0, source: {} });
    this.#planner = this.#newPlanner();
  }

  run(): SourcesWorldResult {
    const crashes = [...(this.#options.crashes ?? [])].sort((a, b) => a.at - b.at);
    for (let step = 0; step < 60_000; step++) {
      const [crash] = crashes;
      if (crash !== undefined && this.#now >= crash.at) {
        crashes.shift();
        this.#life++;
        this.#now += crash.forMs;
        this.#read.clear();
        this.#polling.clear();
        this.#planner = this.#newPlanner();
        continue;
      }
      const plan = this.#planner.plan(this.#now);
      for (const record of plan.records) this.#append({ ...record, at: this.#now });
      for (const order of plan.fetch) this.#fetch(order);
      if (plan.end !== undefined) return this.#result(plan.end);
      if (plan.pollAt <= this.#now && this.#pollAll()) continue;
      // As the executor does: when nobody may be asked although a poll is due, it looks again soon.
      const pollAt = plan.pollAt <= this.#now ? this.#now + 250 : plan.pollAt;
      this.#advance(Math.min(pollAt, plan.wakeAt, crash?.at ?? Number.POSITIVE_INFINITY));
    }
    throw new Error('the world went on for ever');
  }

  #result(end: SourcesWorldResult['end']): SourcesWorldResult {
    return {
      ledger: this.#ledger,
      planner: this.#planner,
      records: this.#records,
      stored: this.#stored,
      end,
      endedAt: this.#now,
      probes: this.#probes,
      pollsMost: this.#pollsMost,
    };
  }

  #newPlanner(): Planner {
    return new Planner({
      track: 'main',
      patienceMs: 30_000,
      resume: resumeFrom(this.#ledger, 'main', this.#now),
      now: this.#now,
    });
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

  #later(run: () => void, forMs?: number): void {
    const { latencies } = this.#options;
    const latency = forMs ?? latencies[this.#requests++ % latencies.length] ?? 50;
    this.#tasks.push({ at: this.#now + latency, life: this.#life, run });
  }

  #append(record: LedgerRecord): void {
    this.#records.push(record);
    this.#ledger.apply(record);
  }

  /** Those that are polled now: all of them, or the first and, behind each that is gone, the next. */
  #pollAll(): boolean {
    let asked = false;
    for (const source of this.#options.sources.keys()) {
      if (this.#planner.mayPoll(source)) {
        this.#poll(source);
        asked = true;
      }
      if (!this.#options.dual && !this.#planner.isGone(source, this.#now)) break;
    }
    return asked;
  }

  #poll(source: number): void {
    const poll = this.#planner.onPollSent(this.#now, source);
    const under = (this.#polling.get(source) ?? 0) + 1;
    this.#polling.set(source, under);
    this.#pollsMost = Math.max(this.#pollsMost, under);
    const outage = this.#during(source, 'outage');
    const failing = outage?.kind === 'outage';
    this.#later(
      () => {
        this.#polling.set(source, (this.#polling.get(source) ?? 0) - 1);
        const isOut = failing || this.#during(source, 'outage') !== undefined;
        if (isOut) this.#planner.onPollFailed(poll, 'network', this.#now);
        else this.#answer(source, poll);
      },
      failing && outage.hung === true ? 1_500 : undefined,
    );
  }

  #answer(source: number, poll: number): void {
    const playlist = this.#playlist(source, this.#now);
    const text = JSON.stringify(playlist);
    if (this.#read.get(source) === text) {
      this.#planner.onUnchanged(poll, this.#now);
      return;
    }
    this.#read.set(source, text);
    this.#planner.onPlaylist(poll, playlist, this.#now);
  }

  #during(source: number, kind: 'outage' | 'frozen'): SourceEvent | undefined {
    return this.#options.sources[source]?.events.find(
      (event) => event.kind === kind && event.at <= this.#now && this.#now < event.at + event.forMs,
    );
  }

  #fetch(order: FetchOrder): void {
    if (order.purpose === 'probe') this.#probes++;
    this.#later(() => {
      const at = { now: this.#now, jitter: 0.5 };
      const addresses = this.#options.mirrors === true ? [order, ...order.mirrors] : [order];
      let result: { content: number; checksum: string; source: number } | FetchFailure | undefined;
      for (const address of addresses) {
        result = this.#download(address);
        if ('content' in result) break;
      }
      if (result === undefined) throw new Error('an order has no address');
      if (order.purpose === 'probe') this.#planner.onProbed(result, at);
      else if ('content' in result) this.#store(order, result);
      else this.#planner.onFetchFailed(order.key, result, at);
    });
  }

  #store(
    { key, segment }: FetchOrder,
    { content, checksum, source }: { content: number; checksum: string; source: number },
  ): void {
    this.#stored.set(content, (this.#stored.get(content) ?? 0) + 1);
    this.#append({
      t: 'segment',
      ...key,
      at: this.#now,
      durationMs: SEGMENT_MS,
      bytes: 188,
      checksum,
      file: `${key.epoch}/${key.msn}`,
      container: 'ts',
      discontinuity: 0,
      ...(segment.wallClock !== undefined && { wallClock: segment.wallClock }),
      ...(source !== 0 && { source }),
    });
    this.#planner.onFetched(key, checksum, { now: this.#now, source });
  }

  /** The content behind an address, while the origin keeps it: two windows. */
  #download({
    source,
    segment,
  }: SourcedSegment): { content: number; checksum: string; source: number } | FetchFailure {
    const options = this.#options.sources[source];
    if (options === undefined) throw new Error('there is no such source');
    if (this.#during(source, 'outage') !== undefined) return { cause: 'network', detail: 'down' };
    const since = Math.max(0, this.#now - 2 * options.window * SEGMENT_MS);
    const times = [this.#now];
    for (let at = this.#now; at >= since; at -= SEGMENT_MS) times.push(at);
    for (const event of options.events) if (event.kind === 'reset') times.push(event.at - 1);
    for (const at of times.filter((time) => time >= since && time <= this.#now)) {
      const found = this.#shown(source, at).find(({ name }) => name === segment.identity);
      if (found === undefined || found.gap) continue;
      const name = `${source}/${found.content}`;
      const sick = this.#sick.get(name) ?? 0;
      this.#sick.set(name, sick - 1);
      if (sick > 0) return { cause: 'http.500', detail: 'sick' };
      return { content: found.content, checksum: `${options.bytes}${found.content}`, source };
    }
    return { cause: 'http.404', detail: 'gone' };
  }

  /** What a source shows at a time. */
  #shown(source: number, asked: number): Shown[] {
    const options = this.#options.sources[source];
    if (options === undefined) throw new Error('there is no such source');
    const frozen = options.events.find(
      (event) => event.kind === 'frozen' && event.at <= asked && asked < event.at + event.forMs,
    );
    const at = frozen?.kind === 'frozen' ? frozen.at : asked;
    const endsAt = Math.min(this.#options.endsAt, options.endsAt ?? Number.POSITIVE_INFINITY);
    const contents = Math.floor((Math.min(at, endsAt) - options.lagMs) / SEGMENT_MS) + 1;
    const resets = options.events.filter((event) => event.kind === 'reset' && event.at <= at);
    const reset = resets.at(-1);
    const from =
      reset?.kind === 'reset' ? Math.floor((reset.at - options.lagMs) / SEGMENT_MS) + 1 : 0;
    const base = resets.length === 0 ? options.base : 7 + resets.length;
    const shown: Shown[] = [];
    for (
      let content = Math.max(0, from, contents - options.window);
      content < contents;
      content++
    ) {
      const gap = options.events.some((event) => event.kind === 'gap' && event.content === content);
      const name = `/${options.names}${resets.length}/${content}.ts`;
      shown.push({ content, msn: content - from + base, name, gap });
    }
    return shown;
  }

  #playlist(source: number, at: number): MediaPlaylist {
    const shown = this.#shown(source, at);
    const {
      dated = false,
      lagMs = 0,
      dateShiftMs = 0,
      endsAt,
    } = this.#options.sources[source] ?? {};
    const endListAt = Math.min(
      this.#options.endsAt + lagMs + SEGMENT_MS,
      endsAt ?? Number.POSITIVE_INFINITY,
    );
    return {
      kind: 'media',
      targetDurationMs: SEGMENT_MS,
      mediaSequence: shown[0]?.msn ?? 0,
      discontinuitySequence: 0,
      endList: at >= endListAt,
      windowMs: shown.length * SEGMENT_MS,
      segments: shown.map(
        ({ content, msn, name, gap }): PlaylistSegment => ({
          msn,
          url: new URL(name, `http://origin${source}.test/`),
          identity: name,
          durationMs: SEGMENT_MS,
          discontinuity: 0,
          gap,
          ...(dated && { wallClock: DATE + content * SEGMENT_MS + dateShiftMs }),
        }),
      ),
    };
  }
}
