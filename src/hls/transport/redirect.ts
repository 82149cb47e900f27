import { KennelError } from '../../core/errors.ts';
import { LOCATION_BYTES_MAX } from './limits.ts';
import type { TransportHead } from './transport.ts';
import { unavailable } from './transportError.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws `url.invalid` for anything that is not fetched over HTTP. */
export function checkUrl(url: URL): void {
  if (isHttp(url)) return;
  throw new KennelError(
    'url.invalid',
    `only http and https links can be fetched, not ${url.protocol}`,
    { details: { protocol: url.protocol } },
  );
}

/**
 * Where an answer leads, if anywhere. Within one origin the user and password that the URL may carry stay. Throws
 * `source.unavailable` when it leads nowhere that can be fetched.
 */
export function redirectOf(from: URL, { status, headers }: TransportHead): URL | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  if (location.length > LOCATION_BYTES_MAX) {
    throw unavailable(from.host, `a redirect of more than ${LOCATION_BYTES_MAX} bytes`);
  }
  const to = URL.parse(location, from);
  if (to === null || !isHttp(to)) {
    throw unavailable(from.host, 'it redirects to something that is no http or https link');
  }
  const sameOrigin = to.origin === from.origin;
  to.username = sameOrigin ? to.username || from.username : '';
  to.password = sameOrigin ? to.password || from.password : '';
  return to;
}

const isHttp = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'https:';
