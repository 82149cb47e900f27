import { type Clock, pause } from '../core/clock.ts';
import { isKennelError, KennelError, type KennelErrorCode, systemCodeOf } from '../core/errors.ts';
import { errorOfAnswer, retryAfterMs } from './errorOfAnswer.ts';

/** As the platform's, which it is by default. */
export type Fetch = (url: string | URL | Request, request?: RequestInit) => Promise<Response>;

export interface ServiceFetchOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly key?: string | undefined;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** From the request to the end of the headers of its answer, milliseconds. */
  readonly answerWithinMs: number;
  /** Tries of what may be asked twice, the first one included. */
  readonly triesMax: number;
}

/** What passes by itself, and soon. A tenant that is full or a node that is does not, and whoever asked decides what to do. */
const PASSING: ReadonlySet<KennelErrorCode> = new Set([
  'rate.limited',
  'service.unavailable',
  'database.unavailable',
]);

/** Whoever is told to come back later than this is told so, instead of being kept waiting, milliseconds. */
const RETRY_WITHIN_MS = 30_000;
/** Where nobody says when to come back, milliseconds; doubled each time. */
const RETRY_DELAY_MS = 500;

/**
 * `fetch` that says whose key it is, waits no longer than agreed, asks again when it is told to and may (GET and HEAD, and anything
 * with an Idempotency-Key), and throws for every answer that is a failure. The URL must not hold secrets: messages tell it.
 *
 * @throws KennelError with the code that the service told; `service.unavailable` when none answers
 */
export function serviceFetch(options: ServiceFetchOptions): Fetch {
  return async (url, request = {}) => {
    const headers = new Headers(request.headers);
    if (options.key !== undefined) headers.set('authorization', `Bearer ${options.key}`);
    const mayRepeat =
      /^(get|head)$/i.test(request.method ?? 'get') || headers.has('idempotency-key');
    for (let tries = 1; ; tries += 1) {
      const answer = await answered(url, { ...request, headers }, options);
      if (answer.ok || answer.status === 304) return answer;
      const told = retryAfterMs(answer, options.clock.now());
      const error = await errorOfAnswer(answer);
      const delayMs = told ?? RETRY_DELAY_MS * 2 ** (tries - 1);
      const isWorthIt = mayRepeat && PASSING.has(error.code) && delayMs <= RETRY_WITHIN_MS;
      if (!isWorthIt || tries >= options.triesMax) throw error;
      await pause(options.clock, delayMs, request.signal ?? undefined);
      request.signal?.throwIfAborted();
    }
  };
}

async function answered(
  url: string | URL | Request,
  request: RequestInit,
  { fetch, clock, answerWithinMs }: ServiceFetchOptions,
): Promise<Response> {
  const tooLate = new AbortController();
  const timer = clock.setTimeout(() => tooLate.abort(), answerWithinMs);
  const signals = [tooLate.signal, ...(request.signal ? [request.signal] : [])];
  try {
    return await fetch(url, { ...request, signal: AbortSignal.any(signals) });
  } catch (error) {
    request.signal?.throwIfAborted();
    if (isKennelError(error)) throw error;
    const { origin } = new URL(url instanceof Request ? url.url : url);
    const why = tooLate.signal.aborted
      ? `did not answer within ${answerWithinMs / 1_000} s`
      : `cannot be reached (${whyOf(error)})`;
    throw new KennelError(
      'service.unavailable',
      `The service at ${origin} ${why}. Is it running, and is the address right?`,
      { cause: error, retryable: true, details: { origin } },
    );
  } finally {
    clock.clearTimeout(timer);
  }
}

/** `fetch` says `fetch failed`; what it means is in its cause. */
function whyOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  return systemCodeOf(cause) ?? systemCodeOf(error) ?? String(cause ?? error);
}
