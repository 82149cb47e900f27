import type { MiddlewareHandler } from 'hono';
import { isTagIn } from '../entityTag.ts';

const ABOUT_THE_BODY = ['content-length', 'content-type', 'content-encoding'] as const;

/**
 * What callers may keep: nothing, or, where an answer has an ETag, a copy that they ask about each time (`If-None-Match`; 304
 * when it still holds).
 */
export const caching = (): MiddlewareHandler => async (c, next) => {
  await next();
  const tag = c.res.headers.get('etag');
  if (!c.res.headers.has('cache-control'))
    c.header('Cache-Control', tag === null ? 'no-store' : 'private, no-cache');
  if (tag === null || c.res.status !== 200) return;
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return;
  const known = c.req.header('if-none-match');
  if (known === undefined || !isTagIn(tag, known)) return;
  await c.res.body?.cancel();
  const headers = new Headers(c.res.headers);
  for (const name of ABOUT_THE_BODY) headers.delete(name);
  c.res = undefined;
  c.res = new Response(null, { status: 304, headers });
};
