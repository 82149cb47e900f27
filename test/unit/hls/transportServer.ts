import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawServer {
  /** The heads of the requests, in order. */
  readonly requests: string[];
  /** Sockets that connected, in order. */
  readonly sockets: net.Socket[];
  url(path?: string): URL;
}

/**
 * A server that answers each request with whatever bytes the test likes, lies included. The answer is sent as it is; a
 * function may do anything with the socket.
 */
export async function rawServer(
  answer: string | Buffer | ((socket: net.Socket, request: string, index: number) => void),
): Promise<RawServer> {
  const requests: string[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end);
        text = text.slice(end + 4);
        requests.push(request);
        if (typeof answer === 'function') answer(socket, request, requests.length - 1);
        else socket.write(answer);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { requests, sockets, url: (path = '/') => new URL(path, `http://127.0.0.1:${port}`) };
}

/** A whole answer with a length. */
export const answer = (body: string | Buffer, status = '200 OK', headers = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${headers}\r\n`),
    Buffer.from(body),
  ]);

/** A clock that stands still until it is moved. */
export function movedClock() {
  let elapsed = 0;
  const timers = new Map<object, { at: number; callback: () => void }>();
  return {
    now: () => elapsed,
    elapsed: () => elapsed,
    setTimeout: (callback: () => void, delayMs: number) => {
      const timer = {};
      timers.set(timer, { at: elapsed + delayMs, callback });
      return timer;
    },
    clearTimeout: (timer: unknown) => {
      for (const known of timers.keys()) if (known === timer) timers.delete(known);
    },
    move: (byMs: number) => {
      elapsed += byMs;
      for (const [timer, { at, callback }] of [...timers]) {
        if (at <= elapsed && timers.delete(timer)) callback();
      }
    },
  };
}
