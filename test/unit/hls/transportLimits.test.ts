import { EventEmitter, once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Hop, HopAnswer } from '../../../src/hls/transport/hop.ts';
import {
  CHUNK_EXTENSION_BYTES_MAX,
  CHUNK_LINE_BYTES_MAX,
  CONNECTION_AGE_MS_MAX,
  HEAD_BYTES_MAX,
  HEADER_LINES_MAX,
  IDLE_SOCKET_MARGIN_MS,
  IDLE_SOCKET_MS,
  IGNORED_BODY_BYTES_MAX,
  INTERIM_ANSWERS_MAX,
  LOCATION_BYTES_MAX,
  ORIGINS_REMEMBERED_MAX,
  REDIRECTS_MAX,
  TLS_SESSIONS_MAX,
  TRAILER_BYTES_MAX,
  UNUSED_CLIENT_MS,
} from '../../../src/hls/transport/limits.ts';
import { RecentOrigins } from '../../../src/hls/transport/recentOrigins.ts';
import { redirectingTransport } from '../../../src/hls/transport/redirectingTransport.ts';
import { ResponseParser } from '../../../src/hls/transport/responseParser.ts';
import { TlsClient } from '../../../src/hls/transport/tlsClient.ts';
import { undiciHop } from '../../../src/hls/transport/undiciHop.ts';
import { answer, movedClock, rawServer } from './transportServer.ts';
import { setup } from './transportSetup.ts';

/** Reads an answer in pieces of a size that hits no boundary on purpose. */
function read(text: string): string {
  let body = '';
  const parser = new ResponseParser('origin.test', {
    onHead: () => undefined,
    onBody: (bytes) => {
      body += bytes.toString('latin1');
    },
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += 997) parser.feed(bytes.subarray(at, at + 997));
  parser.end();
  return body;
}

const head = 'HTTP/1.1 200 OK\r\n';
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`;
const malformed = (reason: RegExp) =>
  expect.objectContaining({
    code: 'source.unavailable',
    message: expect.stringMatching(reason),
    details: expect.objectContaining({ malformed: true }),
  });

/** What is still taken, and what is one too many. */
const edges: Record<string, readonly [most: string, tooMuch: string, reason: RegExp]> = {
  'the bytes of a head': (() => {
    const sized = (bytes: number) => {
      const start = `${head}content-length: 0\r\nx: `;
      return `${start}${'y'.repeat(bytes - start.length - 4)}\r\n\r\n`;
    };
    return [
      sized(HEAD_BYTES_MAX),
      sized(HEAD_BYTES_MAX + 1),
      /head of more than 65536 bytes/,
    ] as const;
  })(),
  'the lines of a head': (() => {
    const sized = (lines: number) =>
      `${head}${'x: y\r\n'.repeat(lines - 1)}content-length: 0\r\n\r\n`;
    return [sized(HEADER_LINES_MAX), sized(HEADER_LINES_MAX + 1), /more than 256 headers/] as const;
  })(),
  'the bytes of a trailer': (() => {
    const sized = (bytes: number) => {
      const lines = Array.from({ length: 32 }, () => `x: ${'y'.repeat(1000)}\r\n`).join('');
      const rest = bytes - 2 * lines.length - 2;
      const filler = [
        ...Array<string>(Math.ceil(rest / 1000) - 1).fill(`x: ${'y'.repeat(995)}\r\n`),
      ].join('');
      return `${chunked}0\r\n${lines}${lines}${filler}x: ${'y'.repeat(rest - filler.length - 5)}\r\n\r\n`;
    };
    return [
      sized(TRAILER_BYTES_MAX),
      sized(TRAILER_BYTES_MAX + 1),
      /trailer of more than 65536/,
    ] as const;
  })(),
  'the bytes of a line between chunks': (() => {
    const sized = (bytes: number) => `${chunked}1;${'x'.repeat(bytes - 3)}\r\ny\r\n0\r\n\r\n`;
    return [
      sized(CHUNK_LINE_BYTES_MAX),
      sized(CHUNK_LINE_BYTES_MAX + 1),
      /oversized line/,
    ] as const;
  })(),
  'the bytes of all chunk extensions': (() => {
    const one = `1;${'x'.repeat(1023)}\r\ny\r\n`;
    const most = one.repeat(CHUNK_EXTENSION_BYTES_MAX / 1024);
    return [
      `${chunked}${most}0\r\n\r\n`,
      `${chunked}${most}0;\r\n\r\n`,
      /too many chunk extensions/,
    ] as const;
  })(),
  'interim answers': (() => {
    const sized = (answers: number) =>
      `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(answers)}${head}content-length: 0\r\n\r\n`;
    return [
      sized(INTERIM_ANSWERS_MAX),
      sized(INTERIM_ANSWERS_MAX + 1),
      /too many interim/,
    ] as const;
  })(),
};

describe('an answer is read up to its limit and no further:', () => {
  for (const [what, [most, tooMuch, reason]] of Object.entries(edges)) {
    test(what, () => {
      expect(() => read(most)).not.toThrow();
      expect(() => read(tooMuch)).toThrow(malformed(reason));
    });
  }

  test('a trailer that is no header line is refused', () => {
    expect(() => read(`${chunked}0\r\nx: a\0b\r\n\r\n`)).toThrow(malformed(/trailer/));
    expect(() => read(`${chunked}0\r\nx: a\n\r\n`)).toThrow(malformed(/trailer/));
  });

  test('a head in single bytes costs no more than its length', () => {
    const parser = new ResponseParser('origin.test', {
      onHead: () => undefined,
      onBody: () => undefined,
    });
    const byte = Buffer.from('y');
    parser.feed(Buffer.from(`${head}x: `));
    // With the square of the length this would take minutes, not milliseconds.
    for (let at = 0; at < HEAD_BYTES_MAX - 100; at++) parser.feed(byte);
    expect(() => parser.feed(Buffer.alloc(200, 'y'))).toThrow(malformed(/head of more/));
  });
});

describe('redirects and what is thrown away', () => {
  const hop = (answers: (index: number) => Partial<HopAnswer>): Hop => {
    let index = 0;
    return {
      get: () =>
        Promise.resolve({
          status: 200,
          headers: {},
          setCookies: [],
          bytes: 0,
          via: 'lean',
          ...answers(index++),
        }),
      close: () => undefined,
    };
  };
  const follow = (inner: Hop) =>
    redirectingTransport(inner).get({
      url: new URL('http://origin.test/'),
      signal: new AbortController().signal,
      bodyBytesMax: 1,
      idleTimeoutMs: 1,
      onData: () => undefined,
    });
  const to = (location: string) => ({ status: 302, headers: { location } });

  test('so many redirects are followed', async () => {
    expect(await follow(hop((index) => (index < REDIRECTS_MAX ? to('/x') : {})))).toMatchObject({
      status: 200,
    });
    await expect(follow(hop(() => to('/x')))).rejects.toMatchObject({
      details: { redirects: REDIRECTS_MAX },
    });
  });

  test('a redirect to a link that nobody would take is not', async () => {
    const longest = hop((index) => (index === 0 ? to('x'.repeat(LOCATION_BYTES_MAX)) : {}));
    expect(await follow(longest)).toMatchObject({ status: 200 });
    await expect(follow(hop(() => to('x'.repeat(LOCATION_BYTES_MAX + 1))))).rejects.toThrow(
      'a redirect of more than',
    );
  });

  test('the body of a failure is read so far to keep the connection', async () => {
    let bytes = IGNORED_BODY_BYTES_MAX;
    const server = await rawServer((socket) =>
      socket.write(answer('x'.repeat(bytes), '404 Not Found')),
    );
    const { get } = setup();
    await get(server.url());
    await get(server.url());
    expect(server.sockets).toHaveLength(1);
    bytes++;
    expect(await get(server.url())).toMatchObject({ status: 404 });
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });
});

describe('what is kept', () => {
  test('a connection is used again until it is too old, however busy it is', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello'));
    const { get } = setup({ clock });
    for (let at = 0; at < CONNECTION_AGE_MS_MAX; at += IDLE_SOCKET_MS - 1000) {
      await get(server.url());
      clock.move(IDLE_SOCKET_MS - 1000);
    }
    expect(server.sockets).toHaveLength(1);
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });

  test('a connection is let go a moment before its server would', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello', '200 OK', 'keep-alive: timeout=5\r\n'));
    const { get } = setup({ clock });
    await get(server.url());
    clock.move(5000 - IDLE_SOCKET_MARGIN_MS - 1);
    await get(server.url());
    expect(server.sockets).toHaveLength(1);
    clock.move(5000 - IDLE_SOCKET_MARGIN_MS);
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });

  test('the connections of undici are closed when nobody asks for them', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello'));
    const transport = redirectingTransport(undiciHop({ clock, idleSocketMs: 100_000 }));
    onTestFinished(() => transport.close());
    await transport.get({
      url: server.url(),
      signal: new AbortController().signal,
      bodyBytesMax: 100,
      idleTimeoutMs: 1000,
      onData: () => undefined,
    });
    clock.move(UNUSED_CLIENT_MS - 1);
    expect(server.sockets[0]?.destroyed).toBe(false);
    const closed = once(server.sockets[0] ?? process, 'close');
    clock.move(1);
    await closed;
  });

  test('so many origins are remembered, each for its time', () => {
    const clock = movedClock();
    const origins = new RecentOrigins<string>(clock);
    for (let i = 0; i <= ORIGINS_REMEMBERED_MAX; i++) origins.set(`${i}`, 'word', 1000);
    expect([origins.get('0'), origins.get('1')]).toEqual([undefined, 'word']);
    clock.move(1000);
    expect(origins.get('1')).toBeUndefined();
  });

  test('so many TLS sessions are kept, none after a handshake that failed with it', () => {
    const client = new TlsClient();
    const socketOf = (origin: string) => {
      const socket = new EventEmitter();
      client.watch(origin, socket as TLSSocket); // Nothing but its events is looked at.
      return socket;
    };
    for (let i = 0; i <= TLS_SESSIONS_MAX; i++)
      socketOf(`${i}`).emit('session', Buffer.from(`${i}`));
    const kept = (origin: string) => client.optionsFor(origin).session?.toString();
    expect([kept('0'), kept('1')]).toEqual([undefined, '1']);
    socketOf('1').emit('error', new Error('handshake'));
    expect(kept('1')).toBeUndefined();
  });
});
