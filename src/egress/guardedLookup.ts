import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressRules } from './addressRules.ts';
import { plainHost } from './hostName.ts';
import { refusedAddress } from './refusedAddress.ts';

export interface GuardedLookupOptions {
  readonly rules: AddressRules;
  /** Where the socket that asks is going to. */
  readonly port: number;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Resolves names and leaves out the addresses that the rules do not permit. The socket connects to exactly what this returns, so
 * a name that changes between a check and the connection (DNS rebinding) gains nothing. Fails with `address.refused` when
 * nothing is left.
 */
export function guardedLookup(options: GuardedLookupOptions): LookupFunction {
  const { rules, port, lookup = systemLookup } = options;
  return (host, lookupOptions, callback) => {
    lookup(host, { ...lookupOptions, all: true }, (error, found, family) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const addresses =
        typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found;
      const permitted = addresses.filter(({ address }) => rules.permits({ host, address, port }));
      const [first] = permitted;
      if (first === undefined) {
        callback(refusedAddress({ host, port, address: addresses[0]?.address }), []);
      } else if (lookupOptions.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * Sockets do not look addresses up, so a target that is one is checked here. `host` may have brackets. Throws `address.refused`.
 */
export function checkLiteralAddress(
  { host, port }: { readonly host: string; readonly port: number },
  rules: AddressRules,
): void {
  const address = plainHost(host);
  if (isIP(address) !== 0 && !rules.permits({ host, address, port })) {
    throw refusedAddress({ host, port });
  }
}
