import { hc, type PickResponseByStatusCode } from 'hono/client';
import type { ApiType } from '../api/app.ts';
import { systemClock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import { type ControlChannel, controlChannel } from './controlChannel.ts';
import { type EventWishes, type ServiceEvent, serviceEvents } from './eventStream.ts';
import { type Fetch, serviceFetch } from './serviceFetch.ts';

export { isKennelError, KennelError, type KennelErrorCode } from '../core/errors.ts';
export type { ControlChannel } from './controlChannel.ts';
export type { EventWishes, ServiceEvent } from './eventStream.ts';

export interface KennelClientOptions {
  /** Of the service, without `/api/v1`: `https://kennel.example`, also below a path. */
  readonly url: string;
  /** `kn_…`; absent for a service that demands none. */
  readonly key?: string | undefined;
  /** Default: that of the platform. */
  readonly fetch?: Fetch | undefined;
  /** How long an answer may take, milliseconds. Default: 30 s. */
  readonly answerWithinMs?: number | undefined;
  /** Tries of requests that may be repeated, when the service says that it will be well again within half a minute. Default: 4. */
  readonly triesMax?: number | undefined;
}

/** What is not a failure: those are thrown. */
type GoodStatus = 200 | 201 | 202 | 204;
type GoodApi = PickResponseByStatusCode<ApiType, GoodStatus>;
const typed = (url: string, fetch: Fetch) => hc<GoodApi>(url, { fetch }).api.v1;

/** One page of anything that comes in pages. */
interface Page {
  readonly next_page_url: string | null;
}

export interface KennelClient {
  /**
   * Every route, with the types of what is sent and what comes back: `client.api.jobs[':jobId'].$get({ param: { jobId } })` answers with a
   * `Response` whose `status` and `json()` are typed. Failures are thrown as `KennelError`, with the code that the service tells.
   */
  readonly api: ReturnType<typeof typed>;
  /** All pages, one after another: `client.pages((cursor) => client.api.jobs.$get({ query: { ...cursor } }))`. */
  pages<Body extends Page>(
    ask: (place: { readonly cursor?: string }) => Promise<{ readonly json: () => Promise<Body> }>,
  ): AsyncGenerator<Body>;
  /** What happens, as it happens; resumes by itself. */
  events(wishes?: EventWishes): AsyncGenerator<ServiceEvent>;
  /** Jobs are ended and watched over one connection. Where WebSockets take headers, as in Node.js. */
  control(): Promise<ControlChannel>;
}

const ANSWER_WITHIN_MS = 30_000;
const TRIES_MAX = 4;
const API_PATH = '/api/v1';

/**
 * A client of Kennel's API.
 *
 * @throws KennelError `usage.invalid` for an address that is none
 */
export function kennelClient(options: KennelClientOptions): KennelClient {
  const { key, answerWithinMs = ANSWER_WITHIN_MS, triesMax = TRIES_MAX } = options;
  const base = baseOf(options.url);
  const clock = systemClock;
  const { fetch: given = (url, request) => globalThis.fetch(url, request) } = options;
  const fetch = serviceFetch({ key, fetch: given, clock, answerWithinMs, triesMax });
  const api = typed(base, fetch);
  return {
    api,
    pages: async function* (ask) {
      let cursor: string | null | undefined;
      do {
        const page = await (await ask(cursor ? { cursor } : {})).json();
        yield page;
        // The path of the next page may differ before a proxy; the cursor is the same everywhere.
        cursor = page.next_page_url && new URL(page.next_page_url, base).searchParams.get('cursor');
      } while (cursor);
    },
    events: (wishes = {}) => serviceEvents({ base: `${base}${API_PATH}`, fetch, clock }, wishes),
    control: async () => {
      const url = new URL(`${base}${API_PATH}/control`);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      const headers: Record<string, string> = key === undefined ? {} : bearer(key);
      return await controlChannel(new WebSocket(url, { headers })).catch(async (error: unknown) => {
        // A WebSocket does not tell why it was refused; the API does.
        await api.me.$get();
        throw error;
      });
    },
  };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

function baseOf(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new KennelError(
      'usage.invalid',
      `${JSON.stringify(url)} is no address of a service; write http://127.0.0.1:7331 or https://kennel.example.`,
    );
  if (parsed.username !== '' || parsed.password !== '')
    throw new KennelError(
      'usage.invalid',
      'The address of a service holds no name or password; the key is given apart from it.',
    );
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}
