import type { MiddlewareHandler } from 'hono';

/** HEAD says how long the body of GET would be. An answer that has no end (a stream of events) is ended instead. */
export const headLength = (): MiddlewareHandler => async (c, next) => {
  await next();
  if (c.req.method !== 'HEAD' || c.res.headers.has('content-length')) return;
  if (c.res.headers.get('content-type')?.startsWith('text/event-stream')) {
    await c.res.body?.cancel();
    return;
  }
  if (c.res.status === 304) return;
  const { byteLength } = await c.res.clone().arrayBuffer();
  c.header('Content-Length', String(byteLength));
};
