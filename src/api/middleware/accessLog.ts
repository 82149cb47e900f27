import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { callerAddress } from '../callerAddress.ts';

/** One line for every answer. No query and no headers: either may hold secrets. */
export const accessLog =
  ({ clock, log }: Pick<ApiParts, 'clock' | 'log'>): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const began = clock.elapsed();
    await next();
    // Open routes have no principal, whatever the type says.
    const { principal, requestId }: Partial<ApiEnv['Variables']> = c.var;
    log('info', 'Answered', {
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round((clock.elapsed() - began) * 10) / 10,
      address: callerAddress(c),
      tenantId: principal?.tenantId,
      keyId: principal?.keyId,
    });
  };
