import http2 from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Fallback } from '../../../src/hls/transport/hybridHop.ts';
import {
  type HybridTransportOptions,
  hybridTransport,
} from '../../../src/hls/transport/hybridTransport.ts';
import type { TransportRequest } from '../../../src/hls/transport/transport.ts';
import { frame, HTTP2_START, http2Server, rawHttp2Server } from './http2Server.ts';
import { TEST_CERTIFICATE } from './transportCertificate.ts';

function setup(options: HybridTransportOptions = {}) {
  const fallbacks: Fallback[] = [];
  const transport = hybridTransport({
    certificateAuthorities: TEST_CERTIFICATE,
    onFallback: (fallback) => fallbacks.push(fallback),
    ...options,
  });
  onTestFinished(() => transport.close());
  const get = async (url: URL, request: Partial<TransportRequest> = {}) => {
    const pieces: Buffer[] = [];
    const response = await transport.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 100_000_000,
      idleTimeoutMs: 5000,
      onData: (bytes) => void pieces.push(Buffer.from(bytes)),
      ...request,
    });
    return { ...response, body: Buffer.concat(pieces).toString('latin1') };
  };
  return { transport, get, fallbacks };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an origin that speaks HTTP/2 only', () => {
  test('is served by undici after one refused handshake, and from then on at once', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'x-one': '1' });
      stream.end('hello');
    });
    const { get, fallbacks } = setup();
    const first = await get(server.url('/a?b=c'), { headers: { cookie: 'a=b' } });
    expect(first).toMatchObject({ status: 200, body: 'hello', via: 'undici' });
    expect(first.headers).toMatchObject({ 'x-one': '1' });
    expect(first.headers[':status']).toBeUndefined();
    expect(server.requests[0]).toMatchObject({
      ':path': '/a?b=c',
      ':authority': server.url().host,
      cookie: 'a=b',
      'user-agent': 'Kennel',
    });
    expect(await get(server.url())).toMatchObject({ body: 'hello', via: 'undici' });
    expect(server.refused).toHaveLength(1);
    expect(fallbacks).toEqual([
      { host: server.url().host, helped: true, reason: expect.stringContaining('alert') },
    ]);
  });

  test('sends many megabytes unharmed, also to a slow consumer', async () => {
    const body = Buffer.allocUnsafe(4 * 1024 * 1024);
    for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) >>> 0, i);
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-length': body.length });
      stream.end(body);
    });
    const { get } = setup();
    const answers = [get(server.url()), get(server.url()), get(server.url())];
    const pieces: Buffer[] = [];
    let held = 0;
    const slow = await get(server.url(), {
      onData: async (bytes) => {
        held++;
        expect(held).toBe(1);
        pieces.push(Buffer.from(bytes));
        await new Promise((resolve) => setImmediate(resolve));
        held--;
      },
    });
    expect(slow.bytes).toBe(body.length);
    expect(Buffer.concat(pieces).equals(body)).toBe(true);
    for (const { body: text } of await Promise.all(answers)) {
      expect(Buffer.from(text, 'latin1').equals(body)).toBe(true);
    }
  });

  const reset = (code: number) => frame({ type: 3, stream: 1 }, Buffer.from([0, 0, 0, code]));
  const cuts: Record<string, Buffer> = {
    'a stream that is reset': reset(http2.constants.NGHTTP2_INTERNAL_ERROR),
    'a stream that is cancelled': reset(http2.constants.NGHTTP2_CANCEL),
    'a stream that is let go without an error': reset(http2.constants.NGHTTP2_NO_ERROR),
    'a connection that is ended': frame({ type: 7 }, Buffer.alloc(8)),
    'a frame that makes no sense': frame({ type: 0, flags: 0xff, stream: 3 }, Buffer.from('x')),
  };
  for (const [what, cut] of Object.entries(cuts)) {
    test(`is never believed when its body has no end: ${what}`, async () => {
      const url = await rawHttp2Server(
        Buffer.concat([HTTP2_START, frame({ type: 0, stream: 1 }, Buffer.from('hello')), cut]),
      );
      const { get } = setup();
      await expect(get(url, { idleTimeoutMs: 1000 })).rejects.toMatchObject({
        code: 'source.unavailable',
        retryable: true,
        details: { truncated: true },
      });
    });
  }

  test('is believed when it let go of a stream after its end', async () => {
    const last = frame({ type: 0, flags: 1, stream: 1 }, Buffer.from('hello'));
    const url = await rawHttp2Server(Buffer.concat([HTTP2_START, last, reset(0)]));
    const { get } = setup();
    expect(await get(url)).toMatchObject({ body: 'hello', via: 'undici' });
  });

  test('is never believed when the connection closes within a body', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('hello', () => setImmediate(() => stream.session?.socket.destroy()));
    });
    const { get } = setup();
    await expect(get(server.url())).rejects.toMatchObject({ details: { truncated: true } });
  });

  test('is never believed when its body is not as long as announced', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-length': 10 });
      stream.end('hello');
    });
    const { get } = setup();
    await expect(get(server.url())).rejects.toMatchObject({ details: { truncated: true } });
  });

  test('ends by the limit, by silence and by an abort like any other', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('hello');
    });
    const { get } = setup();
    await expect(get(server.url(), { bodyBytesMax: 4 })).rejects.toMatchObject({
      code: 'limit.exceeded',
    });
    await expect(get(server.url(), { idleTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'timeout.exceeded',
      details: { phase: 'body' },
    });
    const controller = new AbortController();
    const aborted = get(server.url(), {
      signal: controller.signal,
      onData: () => controller.abort('enough'),
    });
    await expect(aborted).rejects.toBe('enough');
  });

  test('keeps its connection, and loses it when the transport is closed', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    const { get, transport } = setup();
    for (let i = 0; i < 6; i++) {
      await get(server.url());
      await turn();
    }
    expect(server.sockets.length).toBeLessThanOrEqual(2);
    transport.close();
    while (server.sockets.some(({ destroyed }) => !destroyed)) await turn();
  });
});
