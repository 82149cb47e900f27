import { isIP, type LookupFunction } from 'node:net';
import { isKennelError, KennelError, messageOf } from '../core/errors.ts';
import type { AddressRules } from './addressRules.ts';
import type { Target } from './dial.ts';
import { checkLiteralAddress, guardedLookup } from './guardedLookup.ts';
import { plainHost } from './hostName.ts';
import { targetName } from './refusedAddress.ts';

/**
 * An address of a target that the rules permit. Rejects with `address.refused`, and with `source.unavailable` when its name has
 * no address.
 */
export async function permittedAddress(
  target: Target,
  rules: AddressRules,
  lookup: LookupFunction | undefined,
): Promise<{ readonly address: string; readonly family: number }> {
  checkLiteralAddress(target, rules);
  const host = plainHost(target.host);
  if (isIP(host) !== 0) return { address: host, family: isIP(host) };
  const { port } = target;
  return await new Promise((resolve, reject) => {
    guardedLookup({ rules, port, lookup })(host, { all: false }, (error, address, family) => {
      if (error === null && typeof address === 'string') {
        resolve({ address, family: family ?? isIP(address) });
      } else if (isKennelError(error)) {
        reject(error);
      } else {
        const message = `${targetName(target)}: ${messageOf(error)}`;
        reject(new KennelError('source.unavailable', message, { cause: error, retryable: true }));
      }
    });
  });
}
