import { portOf } from './defaultPort.ts';
import { isHostName } from './hostName.ts';
import { isPublicAddress, plainAddress } from './publicAddress.ts';

/**
 * What an operator's own links stand for, as entries for `addressRules`: whoever types a link to 127.0.0.1:8000 may reach this
 * host at this port, and nothing else that is private. Links without a host or a known port, and public addresses, need none.
 */
export function reachOfLinks(links: readonly (URL | string)[]): string[] {
  const entries = links.flatMap((link) => {
    const url = typeof link === 'string' ? URL.parse(link) : link;
    if (url === null) return [];
    const port = portOf(url);
    // Only of http links does URL tidy the host: numbers that are addresses, Unicode, letter case.
    const host = URL.parse(`http://${url.hostname}/`)?.hostname.replace(/\.$/, '') ?? '';
    const address = plainAddress(host);
    // URL lets names pass that no name server knows (`a!b`): they stand for nothing that could be reached.
    if (port === undefined || (address === undefined && !isHostName(host))) return [];
    if (address !== undefined && isPublicAddress(address)) return [];
    return [`${host}:${port}`];
  });
  return [...new Set(entries)];
}

/**
 * Where an http link at the port of its protocol may send whoever asks: to https at the same host, as most do that have both. A
 * link that names another port means that one, and no https link leads to http: they have none.
 */
export function upgradeOf(link: string): URL | undefined {
  const url = URL.parse(link);
  // URL leaves out the port that is the protocol's own.
  if (url?.protocol !== 'http:' || url.port !== '') return undefined;
  url.protocol = 'https:';
  return url;
}
