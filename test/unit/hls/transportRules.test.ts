import type { LookupFunction } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { jobTransport } from '../../../src/hls/transport/jobTransport.ts';
import { type ClientOptions, leanHop } from '../../../src/hls/transport/leanHop.ts';
import { redirectingTransport } from '../../../src/hls/transport/redirectingTransport.ts';
import type { Transport, TransportRequest } from '../../../src/hls/transport/transport.ts';
import { undiciHop } from '../../../src/hls/transport/undiciHop.ts';
import { answer, rawServer } from './transportServer.ts';
import { getter } from './transportSetup.ts';

const clients = { lean: leanHop, undici: undiciHop } as const;
const refused = { code: 'address.refused', retryable: false };

const get = async (transport: Transport, url: URL, request: Partial<TransportRequest> = {}) =>
  await getter(transport)(url, request);

function setup(client: keyof typeof clients, options: ClientOptions = {}): Transport {
  const transport = redirectingTransport(clients[client](options));
  onTestFinished(() => transport.close());
  return transport;
}

/** Every name has these addresses, one answer after the other; the last one for ever. */
function lookupOf(...answers: readonly string[]): LookupFunction {
  let asked = 0;
  return (_host, options, callback) => {
    const address = answers[Math.min(asked, answers.length - 1)] ?? '';
    asked++;
    const family = address.includes(':') ? 6 : 4;
    setImmediate(() =>
      options.all === true
        ? callback(null, [{ address, family }])
        : callback(null, address, family),
    );
  };
}

const named = (url: URL, host: string): URL => {
  const other = new URL(url);
  other.hostname = host;
  return other;
};

describe.each(['lean', 'undici'] as const)(
  'the rules of a request, with the client %s',
  (client) => {
    test('hold for addresses and for names, and say what to do', async () => {
      const server = await rawServer(answer('hello'));
      const transport = setup(client, { lookup: lookupOf('127.0.0.1') });
      const rules = addressRules([]);
      await expect(get(transport, server.url(), { rules })).rejects.toMatchObject(refused);
      const link = named(server.url(), 'cam.example');
      await expect(get(transport, link, { rules })).rejects.toThrow(
        `cam.example:${link.port} (127.0.0.1) is no public address, and nobody has allowed to connect to it. If that is meant to be: --allow cam.example:${link.port}, or KENNEL_ALLOW=cam.example:${link.port} for all recordings.`,
      );
      expect(server.sockets).toHaveLength(0);
      const allowed = addressRules([`cam.example:${link.port}`]);
      expect(await get(transport, link, { rules: allowed })).toMatchObject({ body: 'hello' });
    });

    test('hold for every redirect', async () => {
      const inner = await rawServer(answer('secret'));
      const outer = await rawServer(
        answer('', '302 Found', `location: ${inner.url('/x').href}\r\n`),
      );
      const rules = addressRules([`127.0.0.1:${outer.url().port}`]);
      const transport = setup(client);
      await expect(get(transport, outer.url(), { rules })).rejects.toMatchObject(refused);
      expect(outer.requests).toHaveLength(1);
      expect(inner.sockets).toHaveLength(0);
    });

    test('hold for each connection: a name that leads elsewhere the next time gains nothing', async () => {
      const server = await rawServer((socket) => {
        socket.write(answer('hello', '200 OK', 'connection: close\r\n'));
      });
      const link = named(server.url(), 'rebound.example');
      const transport = setup(client, { lookup: lookupOf('127.0.0.1', '127.0.0.2') });
      const rules = addressRules(['127.0.0.1']);
      expect(await get(transport, link, { rules })).toMatchObject({ body: 'hello' });
      await expect(get(transport, link, { rules })).rejects.toMatchObject(refused);
      expect(server.requests).toHaveLength(1);
    });

    test('are not got round by a connection that was opened for somebody else', async () => {
      const server = await rawServer(answer('hello'));
      const link = named(server.url(), 'shared.example');
      const transport = setup(client, { lookup: lookupOf('127.0.0.1') });
      const job = (allow: readonly string[]) =>
        jobTransport(transport, { sources: [], rules: addressRules(allow) });
      const one = job(['shared.example']);
      expect(await get(one, link)).toMatchObject({ body: 'hello' });
      await expect(get(job([]), link)).rejects.toMatchObject(refused);
      await expect(get(job(['10.0.0.0/8']), link)).rejects.toMatchObject(refused);
      expect(await get(one, link)).toMatchObject({ body: 'hello' });
      expect(server.sockets).toHaveLength(1);
    });
  },
);

describe('the connections of the lean client', () => {
  test('are shared by jobs whose rules permit them', async () => {
    const server = await rawServer(answer('hello'));
    const transport = setup('lean');
    for (let job = 0; job < 3; job++) {
      const rules = addressRules(['127.0.0.0/8']);
      expect(await get(transport, server.url(), { rules })).toMatchObject({ body: 'hello' });
    }
    expect(server.sockets).toHaveLength(1);
  });

  test('make room for a job that may not use the one that is kept', async () => {
    const server = await rawServer(answer('hello'));
    const link = named(server.url(), 'two.example');
    const transport = setup('lean', {
      socketsPerOrigin: 1,
      lookup: lookupOf('127.0.0.1', '127.0.0.2'),
    });
    const at = (address: string) => ({ rules: addressRules([address]) });
    expect(await get(transport, link, at('127.0.0.1'))).toMatchObject({ body: 'hello' });
    await expect(get(transport, link, at('127.0.0.2'))).rejects.toMatchObject({
      code: 'source.unavailable', // The server listens at the first address only.
    });
    expect(server.sockets).toHaveLength(1);
  });
});
