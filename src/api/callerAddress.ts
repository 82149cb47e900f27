import ipaddr from 'ipaddr.js';
import type { ApiContext } from './apiEnv.ts';

/** Where a request comes from; undefined over a socket file, and where no socket is (tests). */
export function callerAddress(c: ApiContext): string | undefined {
  // Without a server there are no bindings at all, whatever their type says.
  const bindings = c.env as ApiContext['env'] | undefined;
  return bindings?.incoming?.socket.remoteAddress;
}

export const isLoopback = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';

/** Bits of an IPv6 address that one customer has all to themselves (RFC 6177 and what is usual: /64). */
const NETWORK_BITS = 64;

/** What counts as one caller: an IPv4 address, or the network of an IPv6 address. */
export function callerNetwork(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'local';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const bytes = parsed.toByteArray().slice(0, NETWORK_BITS / 8);
  return Buffer.from(bytes).toString('hex');
}
