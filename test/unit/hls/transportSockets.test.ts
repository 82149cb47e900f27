import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ClientOptions, leanHop } from '../../../src/hls/transport/leanHop.ts';
import { redirectingTransport } from '../../../src/hls/transport/redirectingTransport.ts';
import { undiciHop } from '../../../src/hls/transport/undiciHop.ts';
import {
  EXPIRED_CERTIFICATE,
  EXPIRED_KEY,
  TEST_CERTIFICATE,
  TEST_KEY,
} from './transportCertificate.ts';
import { answer, rawServer } from './transportServer.ts';

const clients = { lean: leanHop, undici: undiciHop } as const;

function setup(client: keyof typeof clients, options: ClientOptions = {}) {
  const transport = redirectingTransport(clients[client](options));
  onTestFinished(() => transport.close());
  return async (url: URL) => {
    let body = '';
    const response = await transport.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 1_000_000,
      idleTimeoutMs: 3000,
      onData: (bytes) => {
        body += Buffer.from(bytes).toString('latin1');
      },
    });
    return { ...response, body };
  };
}

/** Answers every request; `resumed` has a word for every handshake. */
async function tlsServer(options: tls.TlsOptions, head = '') {
  const resumed: boolean[] = [];
  const sockets: tls.TLSSocket[] = [];
  const server = tls.createServer(options, (socket) => {
    sockets.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(answer('hello', '200 OK', head)));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { resumed, url: new URL(`https://localhost:${port}/`) };
}

/** Resolves every name to these addresses, in this order. */
const resolvesTo =
  (...addresses: string[]): LookupFunction =>
  (_host, options, callback) => {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };

const resolvesNot =
  (code: string): LookupFunction =>
  (host, _options, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }), []);

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(['lean', 'undici'] as const)('the client %s', (client) => {
  test('says what a name came to, and that another try may help', async () => {
    for (const [code, words] of [
      ['ENOTFOUND', 'its name has no address'],
      ['EAI_AGAIN', 'the name server does not answer'],
    ] as const) {
      const get = setup(client, { lookup: resolvesNot(code) });
      await expect(get(new URL('http://origin.test/secret?token'))).rejects.toMatchObject({
        code: 'source.unavailable',
        retryable: true,
        message: expect.stringContaining(words),
        details: { host: 'origin.test', system: code },
      });
    }
  });

  test('tries the other addresses of a name when the first does not answer, over TLS too', async () => {
    const server = await rawServer(answer('hello'));
    const secure = await tlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE });
    const get = setup(client, {
      lookup: resolvesTo('::1', '127.0.0.9', '127.0.0.1'),
      certificateAuthorities: TEST_CERTIFICATE,
    });
    const named = server.url();
    named.hostname = 'origin.test';
    expect(await get(named)).toMatchObject({ body: 'hello' });
    expect(await get(secure.url)).toMatchObject({ body: 'hello' });
    const nowhere = setup(client, { lookup: resolvesTo('127.0.0.8', '127.0.0.9') });
    await expect(nowhere(named)).rejects.toMatchObject({
      code: 'source.unavailable',
      message: expect.stringMatching(/\w: .*\w/),
      details: { system: 'ECONNREFUSED' },
    });
  });

  test('says what is wrong with a certificate', async () => {
    const expired = await tlsServer({ key: EXPIRED_KEY, cert: EXPIRED_CERTIFICATE });
    const other = await tlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE });
    const trusting = setup(client, {
      certificateAuthorities: `${TEST_CERTIFICATE}\n${EXPIRED_CERTIFICATE}`,
    });
    const wrongName = new URL(other.url);
    wrongName.hostname = '127.0.0.1';
    for (const [get, url, words, system] of [
      [trusting, expired.url, 'its certificate has expired', 'CERT_HAS_EXPIRED'],
      [trusting, wrongName, 'its certificate is for another name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [setup(client), other.url, 'signed by nobody but itself', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ] as const) {
      await expect(get(url)).rejects.toMatchObject({
        code: 'source.unavailable',
        retryable: true,
        message: expect.stringContaining(words),
        details: { system, certificate: true },
      });
    }
  });

  test('resumes TLS sessions on new connections, of TLS 1.2 and 1.3', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const server = await tlsServer(
        { key: TEST_KEY, cert: TEST_CERTIFICATE, maxVersion },
        'connection: close\r\n',
      );
      const get = setup(client, { certificateAuthorities: TEST_CERTIFICATE });
      for (let i = 0; i < 3; i++) {
        await get(server.url);
        await turn();
      }
      expect(server.resumed).toEqual([false, true, true]);
    }
  });
});

test('a hundred streams on one origin share what connections they need, and give them back', async () => {
  const server = await rawServer(answer('x'.repeat(1000)));
  const get = setup('lean', { socketsPerOrigin: 25 });
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 100 }, () => get(server.url())));
  }
  expect(server.requests).toHaveLength(300);
  expect(server.sockets).toHaveLength(25);
});
