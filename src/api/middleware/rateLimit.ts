import type { MiddlewareHandler } from 'hono';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { KennelError } from '../../core/errors.ts';
import type { ApiContext, ApiEnv } from '../apiEnv.ts';

const WINDOW_SECONDS = 60;

/**
 * Lets each caller ask so often in a minute; every answer says how often it may ask again (`RateLimit`, `RateLimit-Policy`:
 * draft-ietf-httpapi-ratelimit-headers).
 *
 * @param callerOf what is counted; undefined: not counted
 */
export function rateLimit(
  name: string,
  requestsMax: number,
  callerOf: (c: ApiContext) => string | undefined,
): MiddlewareHandler<ApiEnv> {
  const limiter = new RateLimiterMemory({ points: requestsMax, duration: WINDOW_SECONDS });
  return async (c, next) => {
    const caller = callerOf(c);
    if (caller !== undefined) {
      const { isOver, remaining, msLeft } = await consume(limiter, caller);
      c.header('RateLimit-Policy', `"${name}";q=${requestsMax};w=${WINDOW_SECONDS}`, {
        append: true,
      });
      c.header('RateLimit', `"${name}";r=${remaining};t=${Math.ceil(msLeft / 1_000)}`, {
        append: true,
      });
      if (isOver) {
        throw new KennelError(
          'rate.limited',
          `this ${name} may ask ${requestsMax} times in ${WINDOW_SECONDS} s`,
          { retryable: true, details: { retryAfterMs: Math.ceil(msLeft) } },
        );
      }
    }
    await next();
  };
}

async function consume(limiter: RateLimiterMemory, caller: string) {
  try {
    return standing(await limiter.consume(caller), false);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return standing(refusal, true);
    throw refusal;
  }
}

const standing = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isOver: boolean) => ({
  isOver,
  remaining: remainingPoints,
  msLeft: msBeforeNext,
});
