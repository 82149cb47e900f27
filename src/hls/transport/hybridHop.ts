import type { Clock } from '../../core/clock.ts';
import { isKennelError } from '../../core/errors.ts';
import type { Hop, HopAnswer, HopRequest } from './hop.ts';
import { CLIENT_KEPT_MS, FALLBACK_PAUSE_MS } from './limits.ts';
import { RecentOrigins } from './recentOrigins.ts';

/** One request that the other client was tried for. */
export interface Fallback {
  readonly host: string;
  /** Why the lean client could not be used. */
  readonly reason: string;
  /** Whether the other one gave a usable answer. If so, the origin is its for `CLIENT_KEPT_MS`. */
  readonly helped: boolean;
}

export interface HybridHopOptions {
  readonly lean: Hop;
  readonly undici: Hop;
  readonly clock: Clock;
  onFallback?(fallback: Fallback): void;
}

/** What the lean client came to, and how to settle for it. */
interface Refused {
  readonly reason: string;
  end(): HopAnswer;
}

/** HTTP's words for "not with this version" (RFC 9110 §15.5.22, §15.6.6). */
const OTHER_VERSION = new Set([426, 505]);
/** OpenSSL's words for a server that speaks none of the protocols that were offered. */
const NO_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/**
 * The lean client, and undici where a proxy is named or where the lean one cannot be used: an origin that offers HTTP/2 only,
 * or whose HTTP the strict reader refuses before any of it was handed over. The same request is then tried once with
 * undici, and if that helps the origin stays with it for a time. The answer says who served it.
 */
export function hybridHop(options: HybridHopOptions): Hop {
  const { lean, undici } = options;
  const known = new RecentOrigins<'undici' | 'hopeless'>(options.clock);

  async function leanThenUndici(request: HopRequest): Promise<HopAnswer> {
    const first = watched(request);
    let refused: Refused;
    try {
      const answer = await lean.get(first.request);
      if (!wantsOtherVersion(request.url, answer)) return answer;
      refused = { reason: `it answered ${answer.status}`, end: () => answer };
    } catch (error) {
      const reason = first.over() ? undefined : mendable(error);
      if (reason === undefined) throw error;
      refused = { reason, end: () => rethrow(error) };
    }
    const hopeless = known.get(request.url.origin) === 'hopeless';
    return hopeless ? refused.end() : await secondTry(request, refused);
  }

  async function secondTry(request: HopRequest, { reason, end }: Refused): Promise<HopAnswer> {
    const { origin, host } = request.url;
    const second = watched(request);
    const tell = (helped: boolean) => {
      if (helped) known.set(origin, 'undici', CLIENT_KEPT_MS);
      else known.set(origin, 'hopeless', FALLBACK_PAUSE_MS);
      options.onFallback?.({ host, reason, helped });
    };
    try {
      const answer = await undici.get(second.request);
      tell(!wantsOtherVersion(request.url, answer));
      return answer;
    } catch (error) {
      // Once undici has understood the head, what comes after is the truth about this request.
      if (request.signal.aborted) throw error;
      tell(second.over());
      return second.over() ? rethrow(error) : end();
    }
  }

  return {
    get: async (request) =>
      request.proxy !== undefined || known.get(request.url.origin) === 'undici'
        ? await undici.get(request)
        : await leanThenUndici(request),
    close: () => {
      lean.close();
      undici.close();
    },
  };
}

/** Over plain TCP undici offers no other version either. */
const wantsOtherVersion = (url: URL, { status }: HopAnswer): boolean =>
  url.protocol === 'https:' && OTHER_VERSION.has(status);

/** Why another client might do better, if it might. */
function mendable(error: unknown): string | undefined {
  if (!isKennelError(error)) return undefined;
  const { malformed, system, reason } = error.details;
  if (malformed !== true && system !== NO_PROTOCOL) return undefined;
  return typeof reason === 'string' ? reason : error.message;
}

/** The same request; `over` tells that it cannot be asked again: the caller has seen of its answer, or does not want it any more. */
function watched(request: HopRequest): { readonly request: HopRequest; over(): boolean } {
  let seen = false;
  return {
    over: () => seen || request.signal.aborted,
    request: {
      ...request,
      onHead: (head) => {
        seen = true;
        request.onHead?.(head);
      },
    },
  };
}

function rethrow(error: unknown): never {
  throw error;
}
