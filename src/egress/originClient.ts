import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import type { AddressRules } from './addressRules.ts';
import { basicAuthorization } from './basicAuthorization.ts';
import type { Target } from './dial.ts';
import {
  CONNECTIONS_PER_PASS_MAX,
  HEAD_BYTES_MAX,
  IDLE_MS_MAX,
  KEPT_PER_ORIGIN_MAX,
} from './egressLimits.ts';
import { checkLiteralAddress, guardedLookup } from './guardedLookup.ts';
import { plainHost } from './hostName.ts';
import type { IdleWatch } from './idleWatch.ts';
import { targetName } from './refusedAddress.ts';

export interface OriginClientOptions {
  readonly rules: AddressRules;
  readonly upstream?: URL | undefined;
  readonly lookup: LookupFunction | undefined;
  readonly watch: IdleWatch;
  opened(socket: Socket): void;
}

export interface OriginRequest {
  readonly target: Target;
  readonly method: string;
  /** With its query, as the program wrote it. */
  readonly path: string;
  /** Names and values in turn; without `Host`. */
  readonly headers: readonly string[];
  /** On a connection of its own. */
  readonly isFresh: boolean;
}

/** Plain HTTP for one pass, on kept connections: all of them were opened under its own rules. */
export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #agent: http.Agent;

  constructor(options: OriginClientOptions) {
    const isTls = options.upstream?.protocol === 'https:';
    this.#options = options;
    this.#agent = new (isTls ? https : http).Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS_PER_PASS_MAX,
      maxFreeSockets: KEPT_PER_ORIGIN_MAX,
    });
  }

  /**
   * Begins a request, whose body is yet to be written. Throws `address.refused`, and whatever Node has against its method, path
   * or headers; the request fails with `address.refused` when the name leads nowhere that is permitted.
   */
  request({ target, method, path, headers, isFresh }: OriginRequest): http.ClientRequest {
    const { rules, upstream, lookup, watch, opened } = this.#options;
    checkLiteralAddress(target, rules);
    const { port } = target;
    const host = hostHeader(target);
    const authorization = upstream && basicAuthorization(upstream);
    const place =
      upstream === undefined
        ? {
            host: plainHost(target.host),
            port,
            path,
            lookup: guardedLookup({ rules, port, lookup }),
          }
        : {
            host: plainHost(upstream.hostname),
            port: upstream.port,
            path: `http://${host}${path}`,
          };
    const client = upstream?.protocol === 'https:' ? https : http;
    const request = client.request({
      ...place,
      method,
      headers: [
        ...headers,
        ...['Host', host],
        ...(authorization === undefined ? [] : ['Proxy-Authorization', authorization]),
      ],
      agent: isFresh ? false : this.#agent,
      setHost: false,
      maxHeaderSize: HEAD_BYTES_MAX,
      // Cameras send what they like; what is wrong with it is for the program to say.
      insecureHTTPParser: true,
    });
    request.once('socket', (socket) => {
      opened(socket);
      watch.watch(socket, IDLE_MS_MAX);
    });
    return request;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function hostHeader(target: Target): string {
  const name = targetName(target);
  return target.port === 80 ? name.replace(/:80$/, '') : name;
}
