import type { MiddlewareHandler } from 'hono';
import { requestId } from 'hono/request-id';
import { v7 } from 'uuid';

/** Twice a UUID with its prefix: what is longer is no id. */
const ID_CHARACTERS_MAX = 80;

/** Gives every request an id, or takes the caller's when it is one (letters, digits, `-`, `_`, `=`): `X-Request-Id`. */
export const requestIds = (): MiddlewareHandler =>
  requestId({ limitLength: ID_CHARACTERS_MAX, generator: () => v7() });
