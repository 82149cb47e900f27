import type { MiddlewareHandler } from 'hono';
import { KennelError } from '../../core/errors.ts';
import type { ApiContext, ApiEnv } from '../apiEnv.ts';
import type { Door } from '../apiParts.ts';
import { callerAddress, isLoopback } from '../callerAddress.ts';

const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const HARMLESS_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
/** What proxies add. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const;

/**
 * A service without keys trusts this machine, and this machine's browser opens pages of strangers. So it answers only to its own
 * names (a page that rebinds its name to 127.0.0.1 asks for the name), refuses changes and control channels that other
 * origins' pages ask for, and everything that comes from another machine, directly or through a proxy.
 */
export const localGuard =
  ({ isKeyDemanded, hosts, origins }: Door): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    if (!isKeyDemanded) {
      const why = strangerWhy(c, { hosts, origins });
      if (why !== undefined) throw new KennelError('access.forbidden', why);
    }
    await next();
  };

function strangerWhy(c: ApiContext, door: Pick<Door, 'hosts' | 'origins'>): string | undefined {
  const address = callerAddress(c);
  if (address !== undefined && !isLoopback(address))
    return 'a service without keys answers this machine alone';
  const { hostname, host } = new URL(c.req.url);
  if (!LOOPBACK_HOSTS.includes(hostname) && !door.hosts.includes(hostname))
    return `a service without keys does not answer to the name ${hostname}; add it to its hosts`;
  if (door.hosts.length === 0 && PROXY_HEADERS.some((name) => c.req.header(name) !== undefined))
    return 'a service without keys answers no proxy; demand keys, or name the host that it serves';
  return isOfForeignPage(c, { host, origins: door.origins })
    ? 'a page of another origin may not ask for this; add its origin to those that may'
    : undefined;
}

/** Reading is left to CORS; changes, and upgrades, which CORS does not know, are not. */
export function isOfForeignPage(
  c: ApiContext,
  { host, origins }: { readonly host: string; readonly origins: readonly string[] },
): boolean {
  if (HARMLESS_METHODS.includes(c.req.method) && c.req.header('upgrade') === undefined)
    return false;
  const origin = c.req.header('origin');
  if (origin !== undefined && origins.includes(origin)) return false;
  if (origin !== undefined && hostOf(origin) !== host) return true;
  const site = c.req.header('sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

const hostOf = (origin: string): string | undefined => URL.parse(origin)?.host;
