import { plainHeaders } from '../transport/fetchText.ts';
import type { Transport } from '../transport/transport.ts';

/** Origins that are remembered; the one that was learned first is forgotten. A broadcast has a handful. */
const ORIGINS_MAX = 256;

/** The headers that pages asked for (Referer, User-Agent, …), each for the origins that its page led to. */
export class PageHeaders {
  readonly #byOrigin = new Map<string, Readonly<Record<string, string>>>();
  readonly #own: ReadonlySet<string>;

  /** `own`: headers of the job, which hold whatever a page says. */
  constructor(own: Readonly<Record<string, string>> = {}) {
    this.#own = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  }

  /** From now on these headers go to the origins of these addresses. */
  learn(headers: Readonly<Record<string, string>>, addresses: Iterable<URL | undefined>): void {
    const kept = Object.entries(plainHeaders(headers)).filter(
      ([name]) => !this.#own.has(name.toLowerCase()),
    );
    if (kept.length === 0) return;
    const known = Object.fromEntries(kept.map(([name, value]) => [name.toLowerCase(), value]));
    const origins = new Set<string>();
    for (const address of addresses) if (address !== undefined) origins.add(address.origin);
    for (const origin of origins) this.#byOrigin.set(origin, known);
    for (const [oldest] of this.#byOrigin) {
      if (this.#byOrigin.size <= ORIGINS_MAX) break;
      this.#byOrigin.delete(oldest);
    }
  }

  /** The same transport, with what pages asked for; the headers of a request itself hold. */
  over(transport: Transport): Transport {
    return {
      get: async (request) => {
        const known =
          this.#byOrigin.size === 0 ? undefined : this.#byOrigin.get(request.url.origin);
        if (known === undefined) return await transport.get(request);
        return await transport.get({ ...request, headers: { ...known, ...request.headers } });
      },
      close: () => transport.close(),
    };
  }
}
