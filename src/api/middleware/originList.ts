import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/** Browsers ask again after so many seconds: Chromium keeps no answer longer than two hours. */
const PREFLIGHT_KEPT_SECONDS = 7_200;

/** Pages of these origins may ask and read (CORS), and no others. Keys come in a header, so no credentials of the browser's. */
export const originList = (origins: readonly string[]): MiddlewareHandler =>
  cors({
    origin: [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: [
      'Accept',
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Last-Event-ID',
      'X-Request-Id',
    ],
    exposeHeaders: [
      'Deprecation',
      'ETag',
      'Link',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'Sunset',
      'X-Request-Id',
    ],
    maxAge: PREFLIGHT_KEPT_SECONDS,
  });
