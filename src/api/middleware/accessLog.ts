import type { MiddlewareHandler } from 'hono';
import { type ApiEnv, principalIf } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { callerAddress } from '../callerAddress.ts';

/** One line for every answer. No query and no headers: either may hold secrets. */
export const accessLog =
  ({ clock, log }: Pick<ApiParts, 'clock' | 'log'>): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const began = clock.elapsed();
    await next();
    const principal = principalIf(c);
    log('info', 'Answered', {
      requestId: c.var.requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round((clock.elapsed() - began) * 10) / 10,
      address: callerAddress(c),
      tenantId: principal?.tenantId,
      keyId: principal?.keyId,
    });
  };
