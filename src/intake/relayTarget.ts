import { KennelError } from '../core/errors.ts';
import { portOf } from '../egress/defaultPort.ts';
import type { LinkKind, ResolvedLink } from './link.ts';

/** How what no HTTP proxy carries is carried; absent: by the HTTP proxy. */
const RELAYED: Partial<Record<LinkKind, 'tcp' | 'udp'>> = { rtmp: 'tcp', rtsp: 'tcp', srt: 'udp' };

export interface RelayTarget {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** The target of the relay that a source needs; undefined when it is fetched over HTTP. Throws `url.invalid` when it says no port. */
export function relayTarget({
  kind,
  url,
}: Pick<ResolvedLink, 'kind' | 'url'>): RelayTarget | undefined {
  const protocol = RELAYED[kind];
  if (protocol === undefined) return undefined;
  const port = portOf(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (port === undefined || host === '') {
    throw new KennelError(
      'url.invalid',
      `the link must say a host and a port: ${url.protocol}//HOST:PORT`,
    );
  }
  return { protocol, host, port };
}
