import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PageWorldOptions {
  /** What is behind the pages: an address such as that of an origin's playlist. */
  readonly media: string;
  /** How long an address is good that `/token` gives, milliseconds. Default: a minute. */
  readonly tokenMs?: number;
  /** How long `/later` and `/notfound` have nothing yet, from their first request on, milliseconds. Default: 5 s. */
  readonly notLiveMs?: number;
}

/**
 * Small pages in front of a stream, such as yt-dlp's generic extractor reads: they have a `<video>`. It is all one server:
 * `/watch` has the media; `/redirect` leads to it in two steps; `/later` says that nothing is on yet, and `/notfound` that there
 * is no such page, until it is; `/token` has an address that expires (`/pass/expire/<seconds since the epoch>/<number>/…`, for
 * everything below it); `/empty` has no media; `/login` answers 401; `/list` links to pages.
 */
export interface PageWorld {
  /** Without a trailing slash. */
  readonly url: string;
  /** How often each path was asked for; addresses with a token count as `/pass`. */
  readonly asked: ReadonlyMap<string, number>;
  /** How many addresses with a token were given, and how many requests came with one that had expired. */
  readonly tokens: () => { readonly given: number; readonly expired: number };
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const TOKEN_MS = 60_000;
const NOT_LIVE_MS = 5_000;

const page = (body: string) =>
  `<!DOCTYPE html>\n<html><head><title>A small show</title></head><body>${body}</body></html>\n`;
const video = (source: string) =>
  page(`<video controls><source src="${source}" type="application/x-mpegURL"></video>`);

export async function startPageWorld(options: PageWorldOptions): Promise<PageWorld> {
  const pages = new Pages(options);
  const server = createServer((request, response) => pages.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an AddressInfo; strings are for pipes.
  const { port } = server.address() as AddressInfo;
  pages.url = `http://127.0.0.1:${port}`;
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: pages.url,
    asked: pages.asked,
    tokens: () => ({ given: pages.given, expired: pages.expired }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

class Pages {
  url = '';
  given = 0;
  expired = 0;
  readonly asked = new Map<string, number>();
  readonly #options: PageWorldOptions;
  /** When the pages that come later were first asked for. */
  readonly #firstAsked = new Map<string, number>();

  constructor(options: PageWorldOptions) {
    this.#options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', this.url);
    const first = `/${pathname.split('/')[1] ?? ''}`;
    this.asked.set(first, (this.asked.get(first) ?? 0) + 1);
    if (first === '/pass') {
      this.#pass(request, response);
      return;
    }
    const { status, location, body } = this.#page(pathname);
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      ...(location !== undefined && { location }),
      ...(status === 401 && { 'www-authenticate': 'Basic realm="members"' }),
    });
    response.end(request.method === 'HEAD' ? '' : body);
  }

  #page(path: string): {
    readonly status: number;
    readonly body: string;
    readonly location?: string;
  } {
    const { media } = this.#options;
    const moved = (location: string) => ({ status: 302, location, body: '' });
    switch (path) {
      case '/watch':
        return { status: 200, body: video(media) };
      case '/redirect':
        return moved('/redirect/again');
      case '/redirect/again':
        return moved(`${this.url}/watch`);
      case '/later':
        return this.#isLive(path)
          ? { status: 200, body: video(media) }
          : { status: 200, body: page('<p>The show begins soon.</p>') };
      case '/notfound':
        return this.#isLive(path)
          ? { status: 200, body: video(media) }
          : { status: 404, body: page('<p>There is nothing here.</p>') };
      case '/token':
        return { status: 200, body: video(this.#token()) };
      case '/empty':
        return { status: 200, body: page('<p>Only words.</p>') };
      case '/login':
        return { status: 401, body: page('<p>Members only.</p>') };
      case '/list':
        return {
          status: 200,
          body: page(`${video(media)}${video(`${media}?second`)}${video(`${media}?third`)}`),
        };
      default:
        return { status: 404, body: page('<p>There is nothing here.</p>') };
    }
  }

  #isLive(path: string): boolean {
    const first = this.#firstAsked.get(path) ?? performance.now();
    this.#firstAsked.set(path, first);
    return performance.now() - first >= (this.#options.notLiveMs ?? NOT_LIVE_MS);
  }

  /** The address of the media below a path that expires: whatever is named beside it carries the same token. */
  #token(): string {
    this.given++;
    const expires = (Date.now() + (this.#options.tokenMs ?? TOKEN_MS)) / 1_000;
    const { pathname, search } = new URL(this.#options.media);
    return `${this.url}/pass/expire/${expires.toFixed(3)}/${this.given}${pathname}${search}`;
  }

  /** Brings it from the media's own server while the token is good. */
  #pass(request: IncomingMessage, response: ServerResponse): void {
    const [, seconds, path] = /^\/pass\/expire\/([\d.]+)\/\d+(\/.*)$/.exec(request.url ?? '') ?? [];
    if (path === undefined || Number(seconds) * 1_000 < Date.now()) {
      this.expired++;
      response.writeHead(403).end('expired\n');
      return;
    }
    const { host: _host, ...headers } = request.headers;
    const onward = httpRequest(new URL(path, this.#options.media), {
      method: request.method,
      headers,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}
