import { KennelError } from '../../core/errors.ts';

/**
 * Throws `usage.invalid` unless it is a proxy that can be used; the refusal never tells its user or password. HTTP proxies
 * only: `http:` or `https:` is how the proxy itself is spoken to.
 */
export function checkedProxy(proxy: URL): URL {
  const { protocol, hostname } = proxy;
  if (protocol === 'http:' || protocol === 'https:') return proxy;
  throw new KennelError('usage.invalid', `a proxy must be an http or https link, not ${protocol}`, {
    details: { protocol, host: hostname },
  });
}

/** Reads a proxy from text (`http://[user:password@]host[:port]`). Throws `usage.invalid`, without the text. */
export function parseProxy(text: string): URL {
  const proxy = URL.parse(text);
  if (proxy === null) throw new KennelError('usage.invalid', 'the proxy is no valid link');
  return checkedProxy(proxy);
}
