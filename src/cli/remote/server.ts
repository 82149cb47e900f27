import { readFileSync, statSync } from 'node:fs';
import { type KennelClient, kennelClient } from '../../client/kennelClient.ts';
import { loadConfig } from '../../config/load.ts';
import { serverSettings } from '../../config/serverSettings.ts';
import { readServiceFile } from '../../config/serviceFile.ts';
import { KennelError, messageOf } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { type Fetch, socketFetch } from './socketFetch.ts';

/** The options of every command that can speak to a service. */
export interface ServerOptions {
  readonly server?: string;
  readonly keyFile?: string;
  readonly dataDir?: string;
}

/** A service on this machine answers at once, or is not there, milliseconds. */
const THERE_WITHIN_MS = 2_000;
/** Whoever is neither its owner nor root. */
const OTHERS = 0o077;
const SOCKET = 'unix:';
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * The service to ask: the one that `--server` or `KENNEL_SERVER` names, or else the one that runs on the data directory. Undefined
 * when there is none: then the data directory is this process's own.
 */
export async function findServer(
  context: CliContext,
  options: ServerOptions,
): Promise<KennelClient | undefined> {
  const named = namedServer(context, options);
  if (named) return named;
  const { dataDir } = loadConfig(
    context.env,
    options.dataDir === undefined ? {} : { dataDir: options.dataDir },
  );
  const here = readServiceFile(dataDir);
  if (here === undefined) return undefined;
  const url = here.address.replace('://0.0.0.0', '://127.0.0.1').replace('://[::]', '://[::1]');
  return (await isThere(url)) ? clientFor(context, url, keyFrom(context, options)) : undefined;
}

/** The service that was named, whatever runs here. */
export function namedServer(context: CliContext, options: ServerOptions): KennelClient | undefined {
  const url = options.server ?? serverSettings(context.env).server;
  return url === undefined ? undefined : clientFor(context, url, keyFrom(context, options));
}

/** @throws KennelError `service.unavailable` when there is no service to ask */
export async function demandServer(
  context: CliContext,
  options: ServerOptions,
): Promise<KennelClient> {
  const server = await findServer(context, options);
  if (server) return server;
  throw new KennelError(
    'service.unavailable',
    'This needs a service, and none runs on this data directory: start one with "kennel serve", or name one with --server URL or KENNEL_SERVER.',
  );
}

function clientFor({ terminal }: CliContext, address: string, key?: string): KennelClient {
  if (address.startsWith(SOCKET)) {
    const fetch = socketFetch(address.slice(SOCKET.length));
    return kennelClient({ url: 'http://localhost', key, fetch });
  }
  const client = kennelClient({ url: address, key });
  const { protocol, hostname } = new URL(address);
  if (key !== undefined && protocol === 'http:' && !LOOPBACK.test(hostname))
    terminal.err('kennel: the key goes over the network unencrypted; https:// would protect it');
  return client;
}

function keyFrom({ env, terminal }: CliContext, { keyFile }: ServerOptions): string | undefined {
  if (keyFile === undefined) return serverSettings(env).key;
  try {
    const key = readFileSync(keyFile, 'utf8').trim();
    if (key === '') throw new Error('it is empty');
    if ((statSync(keyFile).mode & OTHERS) !== 0)
      terminal.err(
        `kennel: others may read the key file ${keyFile}; chmod 600 keeps it to yourself`,
      );
    return key;
  } catch (error) {
    throw new KennelError(
      'usage.invalid',
      `The key file ${keyFile} cannot be read: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

/** Whatever it answers: the file of a service that was killed names a door that nobody opens. */
async function isThere(address: string): Promise<boolean> {
  const fetch: Fetch = address.startsWith(SOCKET)
    ? socketFetch(address.slice(SOCKET.length))
    : globalThis.fetch;
  const url = address.startsWith(SOCKET) ? 'http://localhost' : address;
  try {
    await fetch(`${url}/livez`, { signal: AbortSignal.timeout(THERE_WITHIN_MS) });
    return true;
  } catch {
    return false;
  }
}
