import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from './answer.ts';
import { control } from './control.ts';
import { Door, type DoorOptions } from './door.ts';
import { type Described, MasterOptions, type ResolvedMaster, renderMaster } from './masterText.ts';
import { loadSet, type MediaSet } from './mediaSet.ts';
import { OriginStream } from './originStream.ts';
import type { Reach } from './reach.ts';
import { ShowClock } from './showClock.ts';
import { StreamOptions } from './streamOptions.ts';
import type { Truth } from './truth.ts';

export interface OriginOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Monotonic milliseconds; tests pass one that they move. Delays within an answer are always real. */
  readonly now?: () => number;
  /** Streams by name. Default: `ts` and `hi`, each playing the set of its name. */
  readonly streams?: Readonly<Record<string, StreamOptions>>;
  /** Streams that `/master.m3u8` offers as variants, best first. Default: all, in the order they were added. */
  readonly master?: readonly string[];
  /** More master playlists, at `/<name>.m3u8`. */
  readonly masters?: Readonly<Record<string, MasterOptions>>;
  /** More ports of the same origin, each with troubles of its own. */
  readonly doors?: Readonly<Record<string, DoorOptions>>;
}

const DEFAULT_STREAMS: Readonly<Record<string, StreamOptions>> = {
  ts: { set: 'ts' },
  hi: { set: 'hi' },
};

/**
 * A live HLS origin with faults: a real HTTP server on 127.0.0.1. Addresses: `/live/<stream>/index.m3u8`, `/master.m3u8`,
 * `/<master>.m3u8`, and `/control`, `/control/<stream>` (see control.ts). Each of its doors leads to all of them.
 */
export class Origin {
  readonly #options: OriginOptions;
  readonly #streams = new Map<string, OriginStream>();
  readonly #masters = new Map<string, ResolvedMaster>();
  readonly #clocks = new Map<string, ShowClock>();
  readonly #doors = new Map<string, Door>();
  /** Many streams play the same few sets. */
  readonly #sets = new Map<string, Promise<MediaSet>>();
  readonly #front: Door;
  readonly #now: () => number;
  #wakeTimer: NodeJS.Timeout | undefined;

  private constructor(options: OriginOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const clock = this.#clock(undefined);
    clock.begin();
    this.#front = new Door({}, { port: options.port ?? 0, clock, listener: this.#listener });
  }

  static async start(options: OriginOptions): Promise<Origin> {
    const origin = new Origin(options);
    await origin.up();
    for (const [name, door] of Object.entries(options.doors ?? {})) await origin.open(name, door);
    for (const [name, stream] of Object.entries(options.streams ?? DEFAULT_STREAMS)) {
      await origin.add(name, stream);
    }
    for (const [name, master] of Object.entries(options.masters ?? {})) {
      origin.addMaster(name, master);
    }
    return origin;
  }

  get port(): number {
    return this.#front.port;
  }

  /** Without a trailing slash. */
  get url(): string {
    return this.#front.url;
  }

  get masterUrl(): string {
    return this.masterUrlOf('master');
  }

  masterUrlOf(name: string, door?: string): string {
    return `${this.door(door).url}/${name}.m3u8`;
  }

  playlistUrl(name = 'ts'): string {
    const stream = this.find(name);
    // One that is not there yet will be behind the front door, unless it says otherwise.
    const path = stream?.path ?? `live/${name}/index.m3u8`;
    return `${this.door(stream?.door).url}/${path}`;
  }

  /** Starts a stream (with its clock's beginning, if it has one), or starts one of that name over. */
  async add(name: string, options: StreamOptions = {}): Promise<OriginStream> {
    const resolved = StreamOptions.parse(options);
    const clock = this.#clock(resolved.clock);
    const stream = await OriginStream.load(name, resolved, {
      clock,
      set: (set) => this.#set(set),
    });
    if (!resolved.startsOnRequest) clock.begin();
    this.#streams.set(name, stream);
    return stream;
  }

  addMaster(name: string, options: MasterOptions): void {
    this.#masters.set(name, MasterOptions.parse(options));
  }

  /** Opens another door. */
  async open(name: string, options: DoorOptions): Promise<Door> {
    const clock = this.#clock(options.clock);
    if (options.clock === undefined) clock.begin();
    const door = new Door(options, { port: 0, clock, listener: this.#listener });
    this.#doors.set(name, door);
    await door.open();
    return door;
  }

  /** By its name; without one the origin's own. */
  door(name?: string): Door {
    const door = name === undefined ? this.#front : this.#doors.get(name);
    if (door === undefined) throw new Error(`the origin has no door called ${name}`);
    return door;
  }

  stream(name = 'ts'): OriginStream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new Error(`the origin has no stream called ${name}`);
    return stream;
  }

  find(name: string): OriginStream | undefined {
    return this.#streams.get(name);
  }

  truth(name = 'ts'): Truth {
    return this.stream(name).truth();
  }

  /** Which segments of a stream anybody could have fetched through its door. */
  reach(name: string): Reach {
    const stream = this.stream(name);
    const { troubles } = this.door(stream.door);
    return stream.reach((now) =>
      troubles.every(({ fromMs, forMs }) => now < fromMs || now >= fromMs + forMs),
    );
  }

  /**
   * The origin is gone: connections die, new ones are refused, and its streams go on meanwhile. It comes back on the same
   * ports after so many milliseconds, or with `up`.
   */
  async down(forMs?: number): Promise<void> {
    clearTimeout(this.#wakeTimer);
    for (const door of this.#allDoors()) await door.shut();
    if (forMs !== undefined) {
      this.#wakeTimer = setTimeout(() => void this.up(), forMs);
    }
  }

  async up(): Promise<void> {
    clearTimeout(this.#wakeTimer);
    for (const door of this.#allDoors()) await door.open();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#wakeTimer);
    for (const door of this.#allDoors()) await door.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #allDoors(): Door[] {
    return [this.#front, ...this.#doors.values()];
  }

  #set(name: string): Promise<MediaSet> {
    const known = this.#sets.get(name) ?? loadSet(name);
    this.#sets.set(name, known);
    return known;
  }

  #clock(name: string | undefined): ShowClock {
    const known = name === undefined ? undefined : this.#clocks.get(name);
    const clock = known ?? new ShowClock(this.#now);
    if (name !== undefined) this.#clocks.set(name, clock);
    return clock;
  }

  readonly #listener = (request: IncomingMessage, response: ServerResponse): void => {
    this.#handle(request, response).catch((error: unknown) => {
      // A bug of the origin must fail the test that uses it, loudly, not look like one more fault.
      process.nextTick(() => {
        throw error;
      });
    });
  };

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const [, place = '', name = ''] = url.pathname.split('/');
    if (place === 'control') {
      await control(this, { request, response, name });
      return;
    }
    const master = name === '' ? this.#masterNamed(place) : undefined;
    if (master !== undefined) {
      const body = this.#masterText(master);
      const headers = { 'content-type': 'application/vnd.apple.mpegurl' };
      await send(response, { status: 200, headers, body });
      return;
    }
    const stream = place === 'live' ? this.#streams.get(name) : undefined;
    if (stream === undefined) await send(response, { status: 404, body: 'no such stream\n' });
    else await stream.handle(request, response, url);
  }

  #masterNamed(file: string): ResolvedMaster | undefined {
    const name = file.endsWith('.m3u8') ? file.slice(0, -'.m3u8'.length) : undefined;
    if (name === undefined || name !== 'master') return this.#masters.get(name ?? '');
    const names = this.#options.master ?? [...this.#streams.keys()];
    const variants = names.map((stream) => ({ stream }));
    return this.#masters.get(name) ?? MasterOptions.parse({ variants });
  }

  #masterText(master: ResolvedMaster): string {
    // The clock begins before passes are minted: they are dated by it.
    for (const { stream } of [...master.variants, ...master.renditions]) {
      this.stream(stream).clock.begin();
    }
    return renderMaster(master, (name, door): Described => {
      const described = this.stream(name).described();
      if (door === undefined) return described;
      return { ...described, uri: `${this.door(door).url}/${described.uri}` };
    });
  }
}

export const startOrigin = (options: OriginOptions = {}): Promise<Origin> => Origin.start(options);
