import { once } from 'node:events';
import tls from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import {
  type LeanTransportOptions,
  leanTransport,
} from '../../../src/hls/transport/leanTransport.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './transportCertificate.ts';
import { answer } from './transportServer.ts';

async function setup(options: LeanTransportOptions, body: string | Buffer = 'hello') {
  const sockets: tls.TLSSocket[] = [];
  const server = tls.createServer(
    { key: TEST_KEY, cert: TEST_CERTIFICATE, ALPNProtocols: ['h2', 'http/1.1'] },
    (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write(answer(body)));
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0);
  await once(server, 'listening');
  const transport = leanTransport(options);
  onTestFinished(() => {
    transport.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const get = async (host: string) => {
    const pieces: Buffer[] = [];
    const response = await transport.get({
      url: new URL(`https://${host}:${port}/`),
      signal: new AbortController().signal,
      bodyBytesMax: 100_000_000,
      idleTimeoutMs: 5000,
      onData: (bytes) => {
        pieces.push(Buffer.from(bytes));
      },
    });
    return { ...response, body: Buffer.concat(pieces) };
  };
  return { sockets, get };
}

const trusting = { certificateAuthorities: TEST_CERTIFICATE };

test('https is spoken with the server’s name, HTTP/1.1 and a kept connection', async () => {
  const { get, sockets } = await setup(trusting);
  for (let i = 0; i < 3; i++) expect((await get('localhost')).body.toString()).toBe('hello');
  expect(sockets).toHaveLength(1);
  expect(sockets[0]).toMatchObject({ alpnProtocol: 'http/1.1', servername: 'localhost' });
});

test('many megabytes come through https unharmed', async () => {
  const body = Buffer.allocUnsafe(8 * 1024 * 1024);
  for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) >>> 0, i);
  const { get } = await setup(trusting, body);
  const answers = await Promise.all([get('localhost'), get('localhost'), get('localhost')]);
  for (const answered of answers) expect(answered.body.equals(body)).toBe(true);
});

test('a certificate nobody vouches for is refused before anything is asked', async () => {
  const { get, sockets } = await setup({});
  await expect(get('localhost')).rejects.toMatchObject({
    code: 'source.unavailable',
    details: { system: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  });
  for (const socket of sockets) expect(socket.bytesRead).toBe(0);
});

test('a certificate for another name is refused', async () => {
  const { get } = await setup(trusting);
  await expect(get('127.0.0.1')).rejects.toMatchObject({
    code: 'source.unavailable',
    details: { system: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  });
});
