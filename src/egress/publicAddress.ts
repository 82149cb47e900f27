import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** What IANA gives out for the public IPv6 internet (RFC 4291 §2.4); everything else is special or not in use. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** NAT64 (RFC 6052 §2.1): the last 32 bits are the IPv4 address that is meant. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Where clouds tell a machine its own secrets, at addresses that no range gives away: Azure, Oracle, Alibaba, AWS and Google
 * (the last two over IPv6). 169.254.169.254 is link-local.
 */
const METADATA = new Set(
  ['168.63.129.16', '192.0.0.192', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'].map((text) =>
    ipaddr.parse(text).toString(),
  ),
);

/** Ranges that stand for no machine that somebody would give a name to: metadata services, the whole link, nobody. */
const NAMELESS: readonly string[] = ['linkLocal', 'multicast', 'unspecified', 'broadcast'];

/**
 * Reads an IP address as sockets know it: an IPv4 address within IPv6 (mapped, or the well-known prefix of NAT64) is that IPv4
 * address. Undefined: it is none. Decimal, octal and short forms are none either.
 */
export function plainAddress(text: string): IpAddress | undefined {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) === 0) return undefined;
  const address = ipaddr.process(bare);
  if (address.kind() === 'ipv4' || !isIpv6(address) || !address.match(NAT64)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** Whether it is a machine on the public internet, and nothing that is special in any way (tunnels to IPv4 included). */
export function isPublicAddress(address: IpAddress): boolean {
  if (METADATA.has(address.toString())) return false;
  if (isIpv6(address) && !address.match(GLOBAL_IPV6)) return false;
  return address.range() === 'unicast';
}

/** Whether a host name that somebody was allowed may lead there: not to a metadata service, and not to a whole link. */
export const isNameable = (address: IpAddress): boolean =>
  !METADATA.has(address.toString()) && !NAMELESS.includes(address.range());

export const isIpv6 = (address: IpAddress): address is ipaddr.IPv6 => address.kind() === 'ipv6';
