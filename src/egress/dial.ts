import http from 'node:http';
import https from 'node:https';
import net, { type LookupFunction } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { AddressRules } from './addressRules.ts';
import { basicAuthorization } from './basicAuthorization.ts';
import { CONNECT_MS_MAX, HEAD_BYTES_MAX } from './egressLimits.ts';
import { checkLiteralAddress, guardedLookup } from './guardedLookup.ts';
import { plainHost } from './hostName.ts';
import { targetName } from './refusedAddress.ts';

export interface Target {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

export interface DialOptions {
  readonly clock: Clock;
  readonly rules: AddressRules;
  /** It connects then, and resolves names; its own address is the operator's choice. */
  readonly upstream?: URL | undefined;
  /** How names are resolved. Default: by the system. */
  readonly lookup?: LookupFunction | undefined;
  /** Every socket as soon as there is one, connected or not. */
  opened(socket: net.Socket): void;
}

/**
 * Connects to a target that the rules permit. The socket has a listener for errors, and half-open ends are left to the caller. Rejects
 * with `address.refused`, `source.unavailable`, `source.refused` (by the upstream proxy) and `timeout.exceeded`.
 */
export async function dial(target: Target, options: DialOptions): Promise<net.Socket> {
  const { clock, rules, upstream } = options;
  checkLiteralAddress(target, rules);
  const name = targetName(target);
  const tries =
    upstream === undefined ? direct(target, options) : tunnelled(upstream, name, options);
  let timer: unknown;
  const late = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimeout(() => {
      reject(
        new KennelError('timeout.exceeded', `${name}: no connection for ${CONNECT_MS_MAX} ms`, {
          retryable: true,
        }),
      );
      tries.abandon();
    }, CONNECT_MS_MAX);
  });
  try {
    return await Promise.race([tries.connected, late]);
  } catch (error) {
    if (isKennelError(error)) throw error;
    const message = `${name}: ${messageOf(error) || systemCodeOf(error) || 'no connection'}`;
    throw new KennelError('source.unavailable', message, { cause: error, retryable: true });
  } finally {
    clock.clearTimeout(timer);
  }
}

interface Attempt {
  readonly connected: Promise<net.Socket>;
  abandon(): void;
}

function direct({ host, port }: Target, { rules, lookup, opened }: DialOptions): Attempt {
  const socket = net.connect({
    host: plainHost(host),
    port,
    lookup: guardedLookup({ rules, port, lookup }),
    noDelay: true,
    keepAlive: true,
    autoSelectFamily: true,
    allowHalfOpen: true,
  });
  opened(socket);
  const connected = new Promise<net.Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  return { connected, abandon: () => socket.destroy() };
}

function tunnelled(upstream: URL, name: string, { opened }: DialOptions): Attempt {
  const client = upstream.protocol === 'https:' ? https : http;
  const authorization = basicAuthorization(upstream);
  const request = client.request({
    host: plainHost(upstream.hostname),
    port: upstream.port,
    method: 'CONNECT',
    path: name,
    headers: {
      host: name,
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
    },
    setHost: false,
    agent: false,
    maxHeaderSize: HEAD_BYTES_MAX,
  });
  request.once('socket', opened);
  const connected = new Promise<net.Socket>((resolve, reject) => {
    request.on('error', reject);
    request.once('connect', ({ statusCode = 0 }, socket, early) => {
      socket.on('error', () => undefined);
      if (statusCode >= 200 && statusCode < 300 && socket instanceof net.Socket) {
        socket.allowHalfOpen = true;
        if (early.length > 0) socket.unshift(early);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusedByUpstream(name, statusCode));
    });
    request.end();
  });
  return { connected, abandon: () => request.destroy() };
}

const refusedByUpstream = (name: string, status: number): KennelError =>
  status === 407 || status === 403
    ? new KennelError(
        'source.refused',
        status === 407
          ? `${name}: the proxy wants another user or password`
          : `${name}: the proxy does not connect there`,
        { retryable: true, details: { status } },
      )
    : new KennelError('source.unavailable', `${name}: the proxy answered ${status}`, {
        retryable: true,
        details: { status },
      });
