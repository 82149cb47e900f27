import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * What browsers are told of every answer: it is data, and nobody frames, sniffs or runs it. A route that says something else
 * (the documentation) is left alone. No HSTS: whoever ends TLS in front of Kennel knows whether all of their host has it.
 */
export const safeHeaders = (): MiddlewareHandler =>
  secureHeaders({
    overwrite: false,
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  });
