import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { KennelError } from '../../core/errors.ts';

/** Whether Kennel may connect to an IP address. */
export type PermitAddress = (address: string) => boolean;

/**
 * Resolves names and leaves out the addresses that are not permitted. The socket connects to exactly what this returns, so
 * a name that changes between a check and the connection (DNS rebinding) gains nothing.
 */
export function guardedLookup(
  permitAddress: PermitAddress,
  lookup: LookupFunction = systemLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const addresses =
        typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found;
      const permitted = addresses.filter(({ address }) => permitAddress(address));
      const [first] = permitted;
      if (first === undefined) callback(refusedAddress(hostname), []);
      else if (options.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/** Sockets do not look addresses up, so a URL that holds one is checked here. Throws `source.refused`. */
export function checkLiteralAddress(url: URL, permitAddress: PermitAddress): void {
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !permitAddress(address)) throw refusedAddress(url.hostname);
}

const refusedAddress = (host: string): KennelError =>
  new KennelError(
    'source.refused',
    `${host} has no address that Kennel may connect to; private addresses must be allowed in the configuration`,
    { details: { host } },
  );
