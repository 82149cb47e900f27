import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { KennelError } from '../core/errors.ts';
import { isHostName, plainHost } from './hostName.ts';
import { type IpAddress, isIpv6, isNameable, plainAddress } from './publicAddress.ts';

/** How an entry of an allow-list is written. For people. */
const FORMS =
  'an address (10.0.0.5, fd00::5), a network (10.0.0.0/8), a host name (cam.lan) or *.lan for all names below it, each with :port or without ([fd00::5]:8080)';

/** A target in the forms that entries are compared with. */
export interface AllowTarget {
  /** See `plainHost`. */
  readonly name: string;
  readonly address: IpAddress;
  readonly port: number;
}

/** Whether one entry of an allow-list is about a target. */
export type AllowEntry = (target: AllowTarget) => boolean;

/**
 * Reads one entry. A host name stands for whatever it resolves to, metadata services and link-local addresses excepted: those
 * have to be named by address. Throws `usage.invalid`, which names the entry and how entries are written.
 */
export function allowEntry(text: string): AllowEntry {
  const { host, port } = splitPort(text.trim()) ?? refuse(text);
  const matches = networkOf(host) ?? nameOf(host) ?? refuse(text);
  return port === undefined ? matches : (target) => target.port === port && matches(target);
}

function splitPort(text: string): { host: string; port: number | undefined } | undefined {
  // Without brackets, whatever stands behind the last colon of an IPv6 address belongs to it.
  if (isIPv6(text.replace(/\/\d+$/, ''))) return { host: text, port: undefined };
  const [, six, bits = '', sixPort] = /^\[([^\]]+)\](\/\d+)?(?::(\d+))?$/.exec(text) ?? [];
  if (six !== undefined) {
    const host = `${six}${bits}`;
    return isIPv6(host.replace(/\/\d+$/, '')) ? withPort(host, sixPort) : undefined;
  }
  const [, host = '', port] = /^([^:[\]]+)(?::(\d+))?$/.exec(text) ?? [];
  return withPort(host, port);
}

function withPort(
  host: string,
  text: string | undefined,
): { host: string; port: number | undefined } | undefined {
  if (text === undefined) return { host, port: undefined };
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

function networkOf(host: string): AllowEntry | undefined {
  const [text = '', prefix, ...rest] = host.split('/');
  if (rest.length > 0 || isIP(text) === 0) return undefined;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  const longest = isIPv4(text) ? 32 : 128;
  const bits = prefix === undefined ? longest : Number(prefix);
  if (bits > longest) return undefined;
  const network = ipaddr.parse(text);
  // An IPv4 network within IPv6 is that IPv4 network: addresses are compared in this form.
  const plain = plainAddress(text) ?? network;
  const isEmbedded = isIpv6(network) && !isIpv6(plain) && bits >= 96;
  const [base, length] = isEmbedded ? [plain, bits - 96] : ([network, bits] as const);
  return ({ address }) => address.kind() === base.kind() && address.match(base, length);
}

function nameOf(host: string): AllowEntry | undefined {
  const isSuffix = host.startsWith('*.');
  const written = isSuffix ? host.slice(2) : host;
  if (/[\s/@?#\\%*]/.test(written)) return undefined;
  const name = plainHost(URL.parse(`http://${written}/`)?.hostname ?? '');
  // Numbers that are another way to write an address: whoever means that address can write it plainly.
  if (!isHostName(name) || isIP(name) !== 0) return undefined;
  return (target) =>
    isNameable(target.address) &&
    (isSuffix ? target.name.endsWith(`.${name}`) : target.name === name);
}

function refuse(entry: string): never {
  throw new KennelError(
    'usage.invalid',
    `${JSON.stringify(entry)} cannot be allowed: write ${FORMS}`,
    { details: { entry } },
  );
}
