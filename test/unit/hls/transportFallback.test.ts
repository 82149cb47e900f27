import { once } from 'node:events';
import https from 'node:https';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hop, HopRequest } from '../../../src/hls/transport/hop.ts';
import { type Fallback, hybridHop } from '../../../src/hls/transport/hybridHop.ts';
import { hybridTransport } from '../../../src/hls/transport/hybridTransport.ts';
import { CLIENT_KEPT_MS, FALLBACK_PAUSE_MS } from '../../../src/hls/transport/limits.ts';
import { unavailable } from '../../../src/hls/transport/transportError.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './transportCertificate.ts';
import { movedClock, rawServer } from './transportServer.ts';

/** Gives the status of the answer, or throws. */
type Does = (request: HopRequest) => number;

/** Two clients that are said what to do, each by the number of its request. */
function setup(lean: Does, undici: Does = () => 200) {
  const clock = movedClock();
  const asked: string[] = [];
  const fallbacks: Fallback[] = [];
  const client = (via: 'lean' | 'undici', does: Does): Hop => ({
    get: async (request) => {
      asked.push(via);
      const status = does(request);
      return { status, headers: {}, setCookies: [], bytes: 0, via };
    },
    close: () => undefined,
  });
  const hop = hybridHop({
    clock,
    lean: client('lean', lean),
    undici: client('undici', undici),
    onFallback: (fallback) => fallbacks.push(fallback),
  });
  const controller = new AbortController();
  const get = async (url = 'https://origin.test/a', request: Partial<HopRequest> = {}) =>
    await hop.get({
      url: new URL(url),
      headers: {},
      signal: controller.signal,
      bodyBytesMax: 1000,
      idleTimeoutMs: 1000,
      onData: () => undefined,
      ...request,
    });
  return { get, asked, fallbacks, clock, controller };
}

const broken =
  (details: object = { malformed: true }) =>
  (): never => {
    throw unavailable('origin.test', 'a malformed header line', { ...details });
  };

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an origin that the lean client cannot be used for', () => {
  test('is undici’s for a time that is not prolonged, others are not', async () => {
    const { get, asked, fallbacks, clock } = setup((request) => {
      if (request.url.host === 'origin.test') broken()();
      return 200;
    });
    for (let i = 0; i < 3; i++) expect(await get()).toMatchObject({ via: 'undici' });
    expect(asked).toEqual(['lean', 'undici', 'undici', 'undici']);
    expect(fallbacks).toEqual([
      { host: 'origin.test', reason: 'a malformed header line', helped: true },
    ]);
    expect(await get('https://other.test/')).toMatchObject({ via: 'lean' });
    expect(await get('https://other.test:444/')).toMatchObject({ via: 'lean' });
    clock.move(CLIENT_KEPT_MS - 1);
    await get();
    clock.move(1);
    asked.length = 0;
    await get();
    expect(asked).toEqual(['lean', 'undici']);
  });

  test('is not asked twice for a while when undici does not help either; the first failure stands', async () => {
    const { get, asked, fallbacks, clock } = setup(broken(), broken({ undici: 'neither' }));
    const failure = { code: 'source.unavailable', details: { malformed: true } };
    await expect(get()).rejects.toMatchObject(failure);
    await expect(get()).rejects.toMatchObject(failure);
    expect(asked).toEqual(['lean', 'undici', 'lean']);
    expect(fallbacks).toMatchObject([{ helped: false }]);
    clock.move(FALLBACK_PAUSE_MS);
    await expect(get()).rejects.toMatchObject(failure);
    expect(asked).toEqual(['lean', 'undici', 'lean', 'lean', 'undici']);
  });

  test('is tried with undici when it wants another version of HTTP over TLS', async () => {
    for (const status of [426, 505]) {
      const { get, asked } = setup(() => status);
      expect(await get()).toMatchObject({ status: 200, via: 'undici' });
      expect(await get('http://origin.test/')).toMatchObject({ status, via: 'lean' });
      expect(asked).toEqual(['lean', 'undici', 'lean']);
    }
    const stubborn = setup(
      () => 426,
      () => 505,
    );
    expect(await stubborn.get()).toMatchObject({ status: 505, via: 'undici' });
    expect(await stubborn.get()).toMatchObject({ status: 426, via: 'lean' });
    const failing = setup(() => 426, broken());
    expect(await failing.get()).toMatchObject({ status: 426, via: 'lean' });
  });

  test('is not tried again for what no client can mend, nor once the caller has seen of the answer', async () => {
    const mended = [
      setup(broken({ system: 'ECONNREFUSED' })),
      setup(broken({ truncated: true })),
      setup(() => {
        throw new TypeError('a bug');
      }),
      setup((request) => {
        request.onHead?.({ status: 200, headers: {} });
        return broken()();
      }),
    ];
    for (const { get, asked } of mended) {
      await expect(get()).rejects.toThrow();
      expect(asked).toEqual(['lean']);
    }
    const aborted = setup(() => {
      aborted.controller.abort('enough');
      return broken()();
    });
    await expect(aborted.get()).rejects.toThrow('a malformed header line');
    expect(aborted.asked).toEqual(['lean']);
  });

  test('keeps what undici met once it has understood the head', async () => {
    const { get, asked } = setup(broken(), (request) => {
      request.onHead?.({ status: 200, headers: {} });
      throw unavailable('origin.test', 'reset', { truncated: true });
    });
    await expect(get()).rejects.toMatchObject({ details: { truncated: true } });
    await expect(get()).rejects.toThrow();
    expect(asked).toEqual(['lean', 'undici', 'undici']);
  });

  test('is never the lean client’s where a proxy is named', async () => {
    const { get, asked } = setup(() => 200);
    await get('http://origin.test/', { proxy: new URL('http://proxy.test') });
    expect(asked).toEqual(['undici']);
  });
});

function real() {
  const fallbacks: Fallback[] = [];
  const transport = hybridTransport({
    certificateAuthorities: TEST_CERTIFICATE,
    onFallback: (fallback) => fallbacks.push(fallback),
  });
  onTestFinished(() => transport.close());
  const get = async (url: URL) => {
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
  return { get, fallbacks };
}

describe('with real servers', () => {
  test('HTTP that only the strict reader refuses is read by undici, and said so', async () => {
    // A word for the status that is not even latin1 text.
    const server = await rawServer('HTTP/1.1 200 O\x01K\r\ncontent-length: 5\r\n\r\nhello');
    const { get, fallbacks } = real();
    expect(await get(server.url())).toMatchObject({ body: 'hello', via: 'undici' });
    expect(fallbacks).toMatchObject([{ host: server.url().host, helped: true }]);
  });

  test('HTTP that would tear a body is refused by both', async () => {
    const { get, fallbacks } = real();
    for (const framing of [
      'content-length: 5\r\ncontent-length: 6\r\n',
      'content-length: 5\r\ntransfer-encoding: chunked\r\n',
      'transfer-encoding: gzip, chunked\r\n',
    ]) {
      const server = await rawServer(`HTTP/1.1 200 OK\r\n${framing}\r\n5\r\nhello\r\n0\r\n\r\n`);
      await expect(get(server.url())).rejects.toMatchObject({ details: { malformed: true } });
    }
    expect(fallbacks.map(({ helped }) => helped)).toEqual([false, false, false]);
  });

  test('an origin that asks for an upgrade is asked once more', async () => {
    const versions: string[] = [];
    const server = https.createServer(
      { key: TEST_KEY, cert: TEST_CERTIFICATE },
      (request, response) => {
        versions.push(request.httpVersion);
        response.writeHead(versions.length === 1 ? 426 : 200, { upgrade: 'h2' }).end('hello');
      },
    );
    server.listen(0, 'localhost');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { get } = real();
    expect(await get(new URL(`https://localhost:${port}/`))).toMatchObject({
      status: 200,
      body: 'hello',
      via: 'undici',
    });
    server.closeAllConnections();
  });

  test('a transport that was closed before it needed undici keeps nothing', async () => {
    const server = await rawServer('HTTP/1.1 200 O\x01K\r\ncontent-length: 5\r\n\r\nhello');
    const transport = hybridTransport();
    transport.close();
    const answered = await transport.get({
      url: server.url(),
      signal: new AbortController().signal,
      bodyBytesMax: 100,
      idleTimeoutMs: 3000,
      onData: () => undefined,
    });
    expect(answered.via).toBe('undici');
    while (server.sockets.some(({ destroyed }) => !destroyed)) await turn();
  });
});
