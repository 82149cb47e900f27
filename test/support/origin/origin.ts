import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { send } from './answer.ts';
import { control } from './control.ts';
import { OriginStream } from './originStream.ts';
import { renderMaster } from './playlistText.ts';
import type { StreamOptions } from './streamOptions.ts';
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
}

/**
 * A live HLS origin with faults: a real HTTP server on 127.0.0.1. Addresses: `/live/<stream>/index.m3u8`, `/master.m3u8`,
 * and `/control`, `/control/<stream>` (see control.ts).
 */
export class Origin {
  readonly #options: OriginOptions;
  readonly #streams = new Map<string, OriginStream>();
  readonly #server: Server;
  readonly #now: () => number;
  #port: number;
  #wakeTimer: NodeJS.Timeout | undefined;

  private constructor(options: OriginOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#now = options.now ?? (() => performance.now());
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        // A bug of the origin must fail the test that uses it, loudly, not look like one more fault.
        process.nextTick(() => {
          throw error;
        });
      });
    });
  }

  static async start(options: OriginOptions): Promise<Origin> {
    const origin = new Origin(options);
    const streams = options.streams ?? { ts: { set: 'ts' }, hi: { set: 'hi' } };
    for (const [name, stream] of Object.entries(streams)) await origin.add(name, stream);
    await origin.up();
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get masterUrl(): string {
    return `${this.url}/master.m3u8`;
  }

  playlistUrl(name = 'ts'): string {
    return `${this.url}/live/${name}/index.m3u8`;
  }

  /** Starts a stream now, or starts one of that name over. */
  async add(name: string, options: StreamOptions = {}): Promise<OriginStream> {
    let startedMs = 0;
    const stream = await OriginStream.load(name, options, () => this.#now() - startedMs);
    startedMs = this.#now();
    this.#streams.set(name, stream);
    return stream;
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

  /**
   * The origin is gone: connections die, new ones are refused, and its streams go on meanwhile. It comes back on the same
   * port after so many milliseconds, or with `up`.
   */
  async down(forMs?: number): Promise<void> {
    clearTimeout(this.#wakeTimer);
    if (this.#server.listening) {
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#server.closeAllConnections();
      await closed;
    }
    if (forMs !== undefined) {
      this.#wakeTimer = setTimeout(() => void this.up(), forMs);
    }
  }

  async up(): Promise<void> {
    clearTimeout(this.#wakeTimer);
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    // A TCP server's address is an AddressInfo; strings are for pipes.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.down();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const [, place, name = ''] = url.pathname.split('/');
    if (place === 'control') {
      await control(this, { request, response, name });
      return;
    }
    if (url.pathname === '/master.m3u8') {
      const names = this.#options.master ?? [...this.#streams.keys()];
      const body = renderMaster(names.map((variant) => this.stream(variant).variant()));
      const headers = { 'content-type': 'application/vnd.apple.mpegurl' };
      await send(response, { status: 200, headers, body });
      return;
    }
    const stream = place === 'live' ? this.#streams.get(name) : undefined;
    if (stream === undefined) await send(response, { status: 404, body: 'no such stream\n' });
    else await stream.handle(request, response, url);
  }
}

export const startOrigin = (options: OriginOptions = {}): Promise<Origin> => Origin.start(options);
