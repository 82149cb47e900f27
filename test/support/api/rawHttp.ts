import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which anything can be written. */
export async function rawConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // Who is cut off is told by `close`.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the other side closes. */
export async function readToEnd(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

/** The answer to a request that is written as it stands. */
export async function rawAnswer(port: number, request: string): Promise<string> {
  const socket = await rawConnection(port);
  const answer = readToEnd(socket);
  socket.write(request);
  return await answer;
}
