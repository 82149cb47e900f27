import { allowEntry } from './allowEntry.ts';
import { plainHost } from './hostName.ts';
import { isPublicAddress, plainAddress } from './publicAddress.ts';

/** Who may be connected to. */
export interface AddressRules {
  /** `host`: as it was asked for (a name, or the address itself); `address`: what it resolved to. */
  permits(target: {
    readonly host: string;
    readonly address: string;
    readonly port: number;
  }): boolean;
}

/**
 * The public internet, and what `allow` names besides: CIDR, IP address, host name or `*.suffix`, each with `:port` or without.
 * What is no IP address at all is never permitted. Throws `usage.invalid` for an entry that cannot be read.
 */
export function addressRules(allow: readonly string[]): AddressRules {
  const entries = allow.map(allowEntry);
  return {
    permits: ({ host, address: text, port }) => {
      const address = plainAddress(text);
      if (address === undefined) return false;
      if (isPublicAddress(address)) return true;
      const target = { name: plainHost(host), address, port };
      return entries.some((matches) => matches(target));
    },
  };
}

/**
 * What the operator of a node allows besides what is public (entries as for `addressRules`, separated by commas), and what a job may
 * reach besides that. Throws `usage.invalid`.
 */
export const nodeRules = (allow: string, reach: readonly string[] = []): AddressRules =>
  addressRules([
    ...allow
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    ...reach,
  ]);

/** Permits what any of them permits; of none: nothing. */
export const combineRules = (...rules: readonly AddressRules[]): AddressRules => ({
  permits: (target) => rules.some((one) => one.permits(target)),
});
