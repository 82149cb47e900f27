import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ClientOptions, leanHop } from '../../../src/hls/transport/leanHop.ts';
import { redirectingTransport } from '../../../src/hls/transport/redirectingTransport.ts';
import type { TransportRequest } from '../../../src/hls/transport/transport.ts';
import { undiciHop } from '../../../src/hls/transport/undiciHop.ts';
import { answer, movedClock, rawServer } from './transportServer.ts';
import { asked } from './transportSetup.ts';

/** What holds for every client: a recording must not notice which one serves it. */
const clients = { lean: leanHop, undici: undiciHop } as const;

function setup(client: keyof typeof clients, options: ClientOptions = {}) {
  const transport = redirectingTransport(clients[client](options));
  onTestFinished(() => transport.close());
  const get = async (url: URL, request: Partial<TransportRequest> = {}) => {
    const pieces: Buffer[] = [];
    const response = await transport.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 1_000_000,
      idleTimeoutMs: 5000,
      onData: (bytes) => void pieces.push(Buffer.from(bytes)),
      ...request,
    });
    return { ...response, body: Buffer.concat(pieces).toString('latin1') };
  };
  return { transport, get };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const head = 'HTTP/1.1 200 OK\r\n';
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`;

describe.each(['lean', 'undici'] as const)('the client %s', (client) => {
  test('hands an answer over with its head, its place and its own name', async () => {
    const server = await rawServer(
      answer('hello', '200 OK', 'X-One: 1\r\nx-one:  2 \r\nx-text: \u00e4\r\n__proto__: x\r\n'),
    );
    const { get } = setup(client);
    const heads: unknown[] = [];
    const response = await get(server.url('/a?b=c d#e'), {
      headers: { 'X-Mine': '\u00e4' },
      onHead: ({ status }) => heads.push(status),
    });
    expect(response).toMatchObject({ status: 200, body: 'hello', bytes: 5, via: client });
    expect(response.headers).toMatchObject({ 'x-one': '1, 2', 'x-text': '\u00c3\u00a4' });
    expect(Object.getPrototypeOf(response.headers)).toBeNull();
    expect(heads).toEqual([200]);
    expect(server.requests[0]).toMatch(
      /^GET \/a\?b=c%20d HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/,
    );
    expect(server.requests[0]).toContain('x-mine: \u00e4');
    expect(server.requests[0]).toContain('accept-encoding: identity');
  });

  test('hands over the body of a 2xx answer only, and keeps the connection for the next', async () => {
    const server = await rawServer((socket, _request, index) =>
      socket.write(index === 0 ? answer('not here', '404 Not Found') : answer('hello')),
    );
    const { get } = setup(client);
    const onHead = () => {
      throw new Error('asked for a 404');
    };
    expect(await get(server.url(), { onHead })).toMatchObject({ status: 404, body: '', bytes: 8 });
    expect(await get(server.url())).toMatchObject({ body: 'hello' });
    for (let i = 0; i < 5; i++) await get(server.url());
    // undici lets go of a connection a moment after it has said so.
    expect(server.sockets.length).toBeLessThanOrEqual(client === 'lean' ? 1 : 2);
  });

  test('reads lengths, chunks and the end of the connection; 204 has no body', async () => {
    const { get } = setup(client);
    for (const sent of [
      `${head}content-length: 5\r\n\r\nhello`,
      `${chunked}2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nx: y\r\n\r\n`,
      `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${head}connection: close\r\n\r\nhello`,
    ]) {
      const server = await rawServer((socket) => socket.end(sent));
      expect(await get(server.url())).toMatchObject({ status: 200, body: 'hello' });
    }
    const empty = await rawServer('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await get(empty.url())).toMatchObject({ status: 204, bytes: 0 });
  });

  const lies: Record<string, readonly [sent: string, details: object]> = {
    'a body shorter than announced': [`${head}content-length: 9\r\n\r\nhello`, { truncated: true }],
    'chunks without their end': [`${chunked}5\r\nhello\r\n`, { truncated: true }],
    'a chunk cut short': [`${chunked}a\r\nhello`, { truncated: true }],
    'a chunk longer than its size': [`${chunked}4\r\nhello\r\n0\r\n\r\n`, {}],
    'a malformed chunk size': [`${chunked}0x5\r\nhello\r\n0\r\n\r\n`, {}],
    'lengths that differ': [`${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, {}],
    'a length and chunks': [
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      { malformed: true },
    ],
    'a coding beneath the chunks': [
      `${head}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      { malformed: true },
    ],
    'a NUL in a header': [`${head}x: a\0b\r\ncontent-length: 0\r\n\r\n`, { malformed: true }],
    'a control character in a header': [
      `${head}x: a\x01b\r\ncontent-length: 0\r\n\r\n`,
      { malformed: true },
    ],
    'a head without end': [`${head}x: ${'y'.repeat(70_000)}`, { malformed: true }],
    'more headers than anybody needs': [
      `${head}${'x: y\r\n'.repeat(300)}content-length: 0\r\n\r\n`,
      { malformed: true },
    ],
    'another protocol': ['SSH-2.0-OpenSSH_9.2\r\n', { malformed: true }],
    'half a head': ['HTTP/1.1 200 OK\r\ncontent-le', {}],
    'nothing at all': ['', {}],
  };
  for (const [what, [sent, details]] of Object.entries(lies)) {
    test(`refuses ${what}`, async () => {
      const server = await rawServer((socket) => socket.end(sent, 'latin1'));
      const { get } = setup(client);
      await expect(get(server.url())).rejects.toMatchObject({
        code: 'source.unavailable',
        retryable: true,
        details: { host: server.url().host, ...details },
      });
    });
  }

  test('tells a reset within the body from one before it', async () => {
    const { get } = setup(client);
    const cut = await rawServer((socket) => {
      socket.write(`${head}content-length: 10\r\n\r\nhello`, () =>
        setImmediate(() => socket.resetAndDestroy()),
      );
    });
    await expect(get(cut.url())).rejects.toMatchObject({
      code: 'source.unavailable',
      details: { truncated: true },
    });
    await expect(get(new URL('http://127.0.0.1:1/'))).rejects.toMatchObject({
      code: 'source.unavailable',
      details: { system: 'ECONNREFUSED' },
    });
  });

  test('refuses a body announced or grown beyond the limit', async () => {
    const { get } = setup(client);
    for (const sent of [answer('hello'), `${head}connection: close\r\n\r\nhello`]) {
      const server = await rawServer((socket) => socket.end(sent));
      await expect(get(server.url(), { bodyBytesMax: 4 })).rejects.toMatchObject({
        code: 'limit.exceeded',
        details: { bodyBytesMax: 4 },
      });
      expect(await get(server.url(), { bodyBytesMax: 5 })).toMatchObject({ bytes: 5 });
    }
  });

  test('lets a status stand however the body of a failure ends', async () => {
    const { get } = setup(client);
    const cut = await rawServer((socket) =>
      socket.end('HTTP/1.1 503 Busy\r\ncontent-length: 99\r\n\r\nno'),
    );
    expect(await get(cut.url())).toMatchObject({ status: 503 });
    const huge = await rawServer('HTTP/1.1 404 Gone\r\ncontent-length: 99999999\r\n\r\nno');
    expect(await get(huge.url())).toMatchObject({ status: 404 });
  });

  test('asks once more when a kept connection was closed meanwhile', async () => {
    const server = await rawServer((socket, _request, index) => {
      if (index === 1) socket.resetAndDestroy();
      else socket.write(answer('hello'));
    });
    const { get } = setup(client);
    await get(server.url());
    expect(await get(server.url())).toMatchObject({ body: 'hello' });
    expect(server.requests).toHaveLength(3);
  });

  test('ends silence in the head and in the body', async () => {
    for (const [sent, phase] of [
      ['', 'head'],
      [`${head}content-length: 9\r\n\r\nhalf`, 'body'],
    ] as const) {
      const clock = movedClock();
      const { get } = setup(client, { clock });
      const server = await rawServer(sent);
      let pieces = 0;
      const failed = expect(
        get(server.url(), { idleTimeoutMs: 1000, onData: () => void pieces++ }),
      ).rejects.toMatchObject({ code: 'timeout.exceeded', retryable: true, details: { phase } });
      await asked(server, 1);
      while (phase === 'body' && pieces === 0) await turn();
      const closed = once(server.sockets[0] ?? process, 'close');
      clock.move(999);
      clock.move(2);
      await failed;
      await closed;
    }
  });

  test('rejects with the reason of an abort at any moment, and closes the socket', async () => {
    const { get } = setup(client);
    await expect(
      get(new URL('http://127.0.0.1:1'), { signal: AbortSignal.abort('no') }),
    ).rejects.toBe('no');
    for (const sent of ['', 'HTTP/1.1 200', `${head}content-length: 9\r\n\r\nhalf`]) {
      const server = await rawServer(sent);
      const controller = new AbortController();
      const request = get(server.url(), { signal: controller.signal });
      await asked(server, 1);
      await turn();
      const closed = once(server.sockets[0] ?? process, 'close');
      controller.abort('enough');
      await expect(request).rejects.toBe('enough');
      await closed;
    }
  });

  test('slows the server down while the consumer holds on, and is patient meanwhile', async () => {
    const bytes = 32 * 1024 * 1024;
    const clock = movedClock();
    let sentAll = false;
    const server = await rawServer((socket) => {
      socket.write(answer(Buffer.alloc(bytes)), () => {
        sentAll = true;
      });
    });
    const { get } = setup(client, { clock });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    let pieces = 0;
    const request = get(server.url(), {
      bodyBytesMax: bytes,
      onData: () => (++pieces === 1 ? held : undefined),
    });
    while (pieces === 0) await turn();
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.move(60_000);
    expect({ pieces, sentAll }).toEqual({ pieces: 1, sentAll: false });
    release();
    expect(await request).toMatchObject({ bytes });
  });

  test('ends with the error of its consumer, whichever way it comes', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup(client);
    const broken = new Error('disk gone');
    const thrown = () => {
      throw broken;
    };
    await expect(get(server.url(), { onData: thrown })).rejects.toBe(broken);
    await expect(get(server.url(), { onHead: thrown })).rejects.toBe(broken);
    const rejected = () => Promise.reject(broken);
    await expect(get(server.url(), { onData: rejected })).rejects.toBe(broken);
  });

  test('lets what is under way finish when it is closed, and keeps nothing afterwards', async () => {
    const server = await rawServer(
      (socket) => void setImmediate(() => socket.write(answer('hello'))),
    );
    const { get, transport } = setup(client);
    await get(server.url());
    const request = get(server.url());
    await asked(server, 2);
    transport.close();
    transport.close();
    expect(await request).toMatchObject({ body: 'hello' });
    for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close');
    expect(await get(server.url())).toMatchObject({ body: 'hello' });
    for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close');
  });
});
