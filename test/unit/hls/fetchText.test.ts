import zlib from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { fetchBytes, fetchText } from '../../../src/hls/transport/fetchText.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import type { Transport } from '../../../src/hls/transport/transport.ts';
import { answer, rawServer } from './transportServer.ts';

async function setup(...args: Parameters<typeof answer>) {
  const server = await rawServer(answer(...args));
  const transport = leanTransport();
  onTestFinished(() => transport.close());
  const options = {
    transport,
    url: server.url('/live.m3u8'),
    signal: new AbortController().signal,
    idleTimeoutMs: 5000,
    bodyBytesMax: 10_000,
  };
  return { server, options };
}

const playlist = '#EXTM3U\n# äöü\n';

test('text arrives as UTF-8, without a byte order mark, with status and place', async () => {
  const { options } = await setup(Buffer.from(`\ufeff${playlist}`));
  const { status, text, url } = await fetchText(options);
  expect({ status, text, path: url.pathname }).toEqual({
    status: 200,
    text: playlist,
    path: '/live.m3u8',
  });
});

test('compressed text is asked for and decompressed', async () => {
  for (const [encoding, compress] of [
    ['gzip', zlib.gzipSync],
    ['GZIP', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['deflate', zlib.deflateRawSync],
    ['br', zlib.brotliCompressSync],
    ['zstd', zlib.zstdCompressSync],
  ] as const) {
    const { server, options } = await setup(
      compress(Buffer.from(playlist)),
      '200 OK',
      `content-encoding: ${encoding}\r\n`,
    );
    expect((await fetchText(options)).text).toBe(playlist);
    expect(server.requests[0]).toMatch(/accept-encoding: gzip, br$/m);
  }
});

test('a body that expands beyond the limit is refused', async () => {
  for (const [encoding, compress] of [
    ['gzip', zlib.gzipSync],
    ['deflate', zlib.deflateRawSync],
    ['br', zlib.brotliCompressSync],
    ['zstd', zlib.zstdCompressSync],
  ] as const) {
    const bomb = compress(Buffer.alloc(5_000_000));
    const { options } = await setup(bomb, '200 OK', `content-encoding: ${encoding}\r\n`);
    await expect(fetchText(options)).rejects.toMatchObject({ code: 'limit.exceeded' });
  }
});

test('a broken or unknown compression is an unusable answer', async () => {
  const gzip = zlib.gzipSync(Buffer.from(playlist));
  for (const [body, encoding] of [
    [gzip.subarray(0, -9), 'gzip'],
    [Buffer.from(playlist), 'gzip'],
    [gzip, 'zstd'],
    [gzip, 'constructor'],
  ] as const) {
    const { options } = await setup(body, '200 OK', `content-encoding: ${encoding}\r\n`);
    await expect(fetchText(options)).rejects.toMatchObject({ code: 'source.unavailable' });
  }
});

test('a failure is a status without text', async () => {
  const { options } = await setup('no', '403 Forbidden', 'content-encoding: gzip\r\n');
  expect(await fetchText(options)).toMatchObject({ status: 403, text: '' });
});

test('bytes arrive as they are, and headers of a range do not reach the origin', async () => {
  const key = Buffer.from([0, 255, 128, 10]);
  const { server, options } = await setup(key);
  const { bytes } = await fetchBytes({
    ...options,
    headers: { Range: 'bytes=0-0', cookie: 'a=b' },
  });
  expect(bytes).toEqual(key);
  expect(server.requests[0]).not.toContain('bytes=0-0');
  expect(server.requests[0]).toContain('cookie: a=b');
});

test('a body that comes byte by byte takes no more memory than its bytes', async () => {
  const bytesMax = 500_000;
  let grewBytes = 0;
  const transport: Transport = {
    get: async ({ url, onData }) => {
      const before = process.memoryUsage();
      for (let at = 0; at < bytesMax; at++) await onData(Buffer.of(0x61));
      const after = process.memoryUsage();
      grewBytes = after.heapUsed + after.external - before.heapUsed - before.external;
      return { status: 200, headers: {}, url, bytes: bytesMax };
    },
    close: () => undefined,
  };
  const { text } = await fetchText({
    transport,
    url: new URL('http://origin.test/'),
    signal: new AbortController().signal,
    idleTimeoutMs: 5_000,
    bodyBytesMax: bytesMax,
  });
  expect(text).toBe('a'.repeat(bytesMax));
  // A buffer for each piece takes 200 times as much; what is not collected yet is counted here, too.
  expect(grewBytes).toBeLessThan(60 * bytesMax);
});
