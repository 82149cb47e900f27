import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { DEFAULT_TENANT, mayDo, type Principal, SCOPES } from '../../core/access.ts';
import { KennelError } from '../../core/errors.ts';
import type { ApiContext, ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { accessOf, TAKES_TICKETS } from '../routeAccess.ts';

/** Whoever reaches a service that demands no keys. */
const OPERATOR: Principal = { tenantId: DEFAULT_TENANT, scopes: SCOPES };

/**
 * Who asks, and whether they may: by `ROUTE_ACCESS`, for every route below `base`, however it was mounted. A route that the
 * table does not have is nobody's.
 */
export const authentication =
  ({
    accessKeys,
    door,
    realtime,
    base,
  }: Pick<ApiParts, 'accessKeys' | 'door' | 'realtime'> & {
    readonly base: string;
  }): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const key = routeKeyOf(c, base);
    if (key === undefined) return await next();
    const access = accessOf(key);
    if (access === undefined)
      throw new KennelError('bug', `the table of access does not have ${key}`);
    if (access !== 'open') {
      const principal = holderOf(c, key, realtime) ?? (await whoAsks(c, { accessKeys, door }));
      if (access !== 'anyKey' && !mayDo(principal, access)) {
        throw new KennelError('access.forbidden', `this needs the scope ${access}`, {
          details: { needed: access, scopes: principal.scopes },
        });
      }
      c.set('principal', principal);
    }
    return await next();
  };

/** `GET /keys/{keyId}` of the route that will answer, undefined when none will. */
function routeKeyOf(c: ApiContext, base: string): string | undefined {
  const route = matchedRoutes(c).findLast(
    ({ method, path }) => method !== 'ALL' && !path.includes('*'),
  );
  if (!route?.path.startsWith(base)) return undefined;
  const path = route.path.slice(base.length).replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}');
  return `${route.method} ${path}`;
}

/** Whose ticket it is, where tickets are taken and no key is sent; undefined when none is sent either. */
function holderOf(
  c: ApiContext,
  key: string,
  { tickets }: ApiParts['realtime'],
): Principal | undefined {
  const ticket = c.req.query('ticket');
  if (ticket === undefined || !TAKES_TICKETS.has(key)) return undefined;
  if (c.req.header('authorization') !== undefined) return undefined;
  const principal = tickets.take(ticket);
  if (!principal)
    throw new KennelError('access.denied', 'this ticket is not known, was used or has expired');
  return principal;
}

async function whoAsks(
  c: ApiContext,
  { accessKeys, door }: Pick<ApiParts, 'accessKeys' | 'door'>,
): Promise<Principal> {
  const header = c.req.header('authorization');
  if (header === undefined) {
    if (!door.isKeyDemanded) return OPERATOR;
    throw new KennelError('access.missing', 'send a key: Authorization: Bearer kn_…');
  }
  const [, text] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  const principal = text === undefined ? undefined : await accessKeys.whose(text);
  if (!principal)
    throw new KennelError('access.denied', 'this key is not known, was revoked or has expired');
  return principal;
}
