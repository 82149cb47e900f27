import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type AddressRules, addressRules } from '../../../src/egress/addressRules.ts';
import {
  type EgressGateOptions,
  egressGate,
  type GateNetwork,
  type PassOptions,
} from '../../../src/egress/egressGate.ts';

/** Programs on this machine's loopback. */
export const loopbackNetwork = (): GateNetwork & { readonly servers: net.Server[] } => {
  const servers: net.Server[] = [];
  return {
    servers,
    tcp: async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      return { server, host: '127.0.0.1', port: portOf(server) };
    },
    udp: async () => {
      const socket = dgram.createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      return { socket, host: '127.0.0.1', port: socket.address().port };
    },
  };
};

export function portOf(server: net.Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Rules that let programs reach the servers of a test. */
export const loopback: AddressRules = addressRules(['127.0.0.0/8', '::1']);

export async function gateSetup(
  options: Partial<PassOptions> = {},
  gateOptions: Partial<EgressGateOptions> & { readonly clock?: Clock } = {},
) {
  const logged: unknown[] = [];
  const gate = egressGate({
    clock: systemClock,
    log: (level, message, fields) => void logged.push({ level, message, fields }),
    ...gateOptions,
  });
  onTestFinished(() => gate.close());
  const network = loopbackNetwork();
  const pass = await gate.pass(network, { rules: loopback, ...options });
  return { gate, network, pass, logged };
}

/** A server that a test brings itself; it ends with the test. */
export async function serve(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

export const authorizationOf = (proxyUrl: string): string => {
  const { username, password } = new URL(proxyUrl);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
};

export interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Asks a proxy for a target, in absolute form unless the target is something else. */
export function ask(
  proxyUrl: string,
  target: string,
  request: http.RequestOptions & { readonly send?: string } = {},
): Promise<Answered> {
  const { hostname, port } = new URL(proxyUrl);
  const { send, headers, ...others } = request;
  return new Promise((resolve, reject) => {
    const asked = http.request({
      host: hostname,
      port,
      path: target,
      agent: false,
      ...others,
      headers: { 'proxy-authorization': authorizationOf(proxyUrl), ...headers },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.end(send);
  });
}

/** Asks a proxy for a tunnel. `socket` is usable when the status is 200. */
export async function tunnelTo(
  proxyUrl: string,
  target: string,
  authorization: string | undefined = authorizationOf(proxyUrl),
): Promise<{ readonly status: number; readonly line: string; readonly socket: net.Socket }> {
  const { hostname, port } = new URL(proxyUrl);
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  const header = authorization === '' ? '' : `proxy-authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${header}\r\n`);
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const bytes: Buffer | null = socket.read();
    if (bytes !== null) text += bytes.toString('latin1');
    else if (socket.readableEnded || socket.destroyed) break;
    else
      await new Promise<void>((resolve) => {
        socket.once('readable', resolve);
        socket.once('end', resolve);
        socket.once('close', resolve);
      });
  }
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
  const line = text.slice(text.indexOf('\r\n\r\n') + 4);
  return { status: Number(status ?? 0), line, socket };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
