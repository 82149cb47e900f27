import type { MiddlewareHandler } from 'hono';

/** A route that will go. Dates are milliseconds since the epoch. */
export interface Deprecation {
  readonly since: number;
  /** When it stops to answer, if that is known. */
  readonly sunset?: number;
  /** Where it is told what to do instead. */
  readonly link?: string;
}

/** Says in every answer that the route will go: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594). */
export const deprecated =
  ({ since, sunset, link }: Deprecation): MiddlewareHandler =>
  async (c, next) => {
    await next();
    c.header('Deprecation', `@${Math.floor(since / 1_000)}`);
    if (sunset !== undefined) c.header('Sunset', new Date(sunset).toUTCString());
    if (link !== undefined) c.header('Link', `<${link}>; rel="deprecation"`, { append: true });
  };
