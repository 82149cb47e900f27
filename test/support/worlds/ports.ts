import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP port of 127.0.0.1 that is free now: for servers that cannot choose one and say which. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an AddressInfo; strings are for pipes.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The same for UDP. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A server of these worlds is up within a second; half a minute is for a machine that is away. */
const UP_WITHIN_MS = 30_000;

/** Resolves once somebody accepts connections there. */
export async function accepts(port: number): Promise<void> {
  const deadline = performance.now() + UP_WITHIN_MS;
  while (!(await isOpen(port))) {
    if (performance.now() > deadline)
      throw new Error(`nobody listens on port ${port} after ${UP_WITHIN_MS} ms`);
    await sleep(25);
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
