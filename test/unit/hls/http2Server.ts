import { once } from 'node:events';
import http2 from 'node:http2';
import tls, { type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { TEST_CERTIFICATE, TEST_KEY } from './transportCertificate.ts';

export interface Http2Server {
  /** The headers of the requests, in order. */
  readonly requests: http2.IncomingHttpHeaders[];
  /** TLS connections, in order. */
  readonly sockets: TLSSocket[];
  /** Handshakes that failed. */
  readonly refused: Error[];
  url(path?: string): URL;
}

/** An HTTP/2 server over TLS for `localhost`; it speaks nothing else. */
export async function http2Server(
  serve: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<Http2Server> {
  const requests: http2.IncomingHttpHeaders[] = [];
  const sockets: TLSSocket[] = [];
  const refused: Error[] = [];
  const server = http2.createSecureServer({ key: TEST_KEY, cert: TEST_CERTIFICATE });
  server.on('secureConnection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', (error) => refused.push(error));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    requests.push(headers);
    serve(stream as http2.ServerHttp2Stream, headers); // A server's streams are nothing else.
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    requests,
    sockets,
    refused,
    url: (path = '/') => new URL(path, `https://localhost:${port}`),
  };
}

/** One HTTP/2 frame (RFC 9113 §4.1). */
export function frame(
  { type, flags = 0, stream = 0 }: { type: number; flags?: number; stream?: number },
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a server sends first, and the head of a 200 for the first request of a connection (0x88 is `:status: 200` in HPACK). */
export const HTTP2_START = Buffer.concat([
  frame({ type: 4 }),
  frame({ type: 4, flags: 1 }),
  frame({ type: 1, flags: 4, stream: 1 }, Buffer.from([0x88])),
]);

/** A server that is taken for one of HTTP/2 and answers the first request of every connection with these bytes. */
export async function rawHttp2Server(bytes: Buffer): Promise<URL> {
  const sockets: TLSSocket[] = [];
  const server = tls.createServer(
    { key: TEST_KEY, cert: TEST_CERTIFICATE, ALPNProtocols: ['h2'] },
    (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(bytes));
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new URL(`https://localhost:${port}`);
}
