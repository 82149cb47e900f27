import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';

export interface ForwardProxy {
  /** What it was asked for: `GET http://…` in absolute form, `CONNECT host:port`. */
  readonly requests: string[];
  /** The `Proxy-Authorization` of each request. */
  readonly authorizations: (string | undefined)[];
  readonly url: URL;
}

export interface ForwardProxyOptions {
  /** `user:password` that it insists on. */
  readonly userInfo?: string;
  /** What becomes of tunnels instead of being dug. */
  readonly onConnect?: (socket: Duplex) => void;
}

/** A forward proxy as they are: requests for http in absolute form are passed on, anything else is tunnelled. */
export async function forwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Duplex>();
  const { userInfo } = options;
  const wanted = userInfo && `Basic ${Buffer.from(userInfo).toString('base64')}`;
  const refuses = (request: http.IncomingMessage): boolean => {
    requests.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    return wanted !== undefined && request.headers['proxy-authorization'] !== wanted;
  };
  const server = http.createServer((request, response) => {
    if (refuses(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
      return;
    }
    const { 'proxy-authorization': _secret, ...headers } = request.headers;
    http
      .get(request.url ?? '', { headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      })
      .on('error', () => response.writeHead(502).end());
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request, socket: Duplex, early: Buffer) => {
    socket.on('error', () => undefined);
    if (refuses(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    if (options.onConnect !== undefined) {
      options.onConnect(socket);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(early);
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = new URL(`http://127.0.0.1:${port}`);
  [url.username = '', url.password = ''] = (userInfo ?? '').split(':');
  return { requests, authorizations, url };
}
