import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Principal } from '../core/access.ts';

/** What middleware leaves for handlers. */
export interface ApiEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    /** In every answer and every line of the log. */
    requestId: string;
    /** Who asks; not set on routes that are `open`. */
    principal: Principal;
  };
}

export type ApiContext = Context<ApiEnv>;

/** Who asks; undefined on open routes, and before anybody was asked. */
export const principalIf = (c: ApiContext): Principal | undefined => c.get('principal');
