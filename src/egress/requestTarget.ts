import { KennelError } from '../core/errors.ts';
import type { Target } from './dial.ts';

/**
 * The target of a request in absolute form, and what is asked of it, as the program wrote that. Throws `url.invalid` for
 * everything but plain HTTP.
 */
export function httpTarget(text: string): { readonly target: Target; readonly path: string } {
  const [, authority = '', path = ''] =
    /^http:\/\/([^/?#\\]+)([/?][^#]*)?(?:#.*)?$/i.exec(text) ?? [];
  const url = URL.parse(`http://${authority}/`);
  if (authority === '' || url === null) throw notHttp();
  const port = url.port === '' ? 80 : Number(url.port);
  return { target: { host: url.hostname, port }, path: path.startsWith('/') ? path : `/${path}` };
}

/** The target of a CONNECT, `host:port`. Throws `url.invalid`. */
export function connectTarget(text: string): Target {
  const [, host = '', port = ''] = /^([^/?#\\@\s]+):(\d{1,5})$/.exec(text) ?? [];
  const hostname = URL.parse(`http://${host}/`)?.hostname ?? '';
  const number = Number(port);
  if (host.endsWith(':') || hostname === '' || number < 1 || number > 65_535) {
    throw new KennelError('url.invalid', 'a tunnel goes to host:port');
  }
  // Without brackets an IPv6 address and its port cannot be told apart, and URL would take its end for one.
  if (URL.parse(`http://${host}/`)?.port !== '' || /^[^[].*:/.test(host)) {
    throw new KennelError('url.invalid', 'a tunnel goes to host:port');
  }
  return { host: hostname, port: number };
}

const notHttp = (): KennelError =>
  new KennelError(
    'url.invalid',
    'only http links, and tunnels for everything else, go through here',
  );
