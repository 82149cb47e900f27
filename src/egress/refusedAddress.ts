import { KennelError } from '../core/errors.ts';
import { plainHost } from './hostName.ts';

/** A target that the rules do not permit. */
export interface RefusedTarget {
  /** As it was asked for. */
  readonly host: string;
  readonly port: number;
  /** What it resolved to, where it is a name. */
  readonly address?: string | undefined;
}

/** Nothing changes by trying again: somebody has to allow it. */
export function refusedAddress({ host, port, address }: RefusedTarget): KennelError {
  const target = targetName({ host, port });
  const isName = address !== undefined && address !== plainHost(host);
  const what = isName ? `${target} (${address})` : target;
  return new KennelError(
    'address.refused',
    `${what} is no public address, and nobody has allowed to connect to it. If that is meant to be: --allow ${target}, or KENNEL_ALLOW=${target} for all recordings.`,
    { details: { host: plainHost(host), port, ...(isName ? { address } : {}) } },
  );
}

/** How a target is told to people: `host:port`, brackets around IPv6. */
export function targetName(target: { readonly host: string; readonly port: number }): string {
  const host = plainHost(target.host);
  return `${host.includes(':') ? `[${host}]` : host}:${target.port}`;
}
