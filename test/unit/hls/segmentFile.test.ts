import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fetchSegment, type SegmentRequest } from '../../../src/hls/segment/segmentFile.ts';
import { countedTransport } from '../../../src/hls/transport/countedTransport.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import type { Transport } from '../../../src/hls/transport/transport.ts';
import { answer, rawServer } from './transportServer.ts';

/** Packets that all differ, so that bytes in the wrong place are seen. */
const media = (packets: number, seed = 0) => {
  const bytes = Buffer.alloc(packets * 188);
  for (let at = 0; at < bytes.length; at += 4)
    bytes.writeUInt32LE((at * 2654435761 + seed) >>> 0, at);
  for (let at = 0; at < bytes.length; at += 188) bytes[at] = 0x47;
  return bytes;
};
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function setup() {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-segment-'));
  const transport = leanTransport();
  onTestFinished(async () => {
    transport.close();
    await rm(directory, { recursive: true, force: true });
  });
  const file = join(directory, '1.ts');
  const fetch = (url: URL, request: Partial<SegmentRequest> = {}) =>
    fetchSegment({
      transport,
      url,
      signal: new AbortController().signal,
      file,
      checksums: 'sha256',
      idleTimeoutMs: 5000,
      bodyBytesMax: 50_000_000,
      ...request,
    });
  return { directory, file, fetch, files: () => readdir(directory) };
}

/** An origin that honours byte ranges. */
const ranged = (bytes: Buffer) =>
  rawServer((socket, request) => {
    const [, first, last] = /range: bytes=(\d+)-(\d+)/.exec(request) ?? [];
    const part = bytes.subarray(Number(first), Number(last) + 1);
    const header = `content-range: bytes ${first}-${last}/${bytes.length}\r\n`;
    socket.write(answer(part, '206 Partial Content', header));
  });

describe('a whole segment', () => {
  test('is in the file byte for byte, with its length, checksum and container', async () => {
    const { file, fetch } = await setup();
    for (const packets of [1, 100, 9000]) {
      const bytes = media(packets);
      const server = await rawServer(answer(bytes));
      expect(await fetch(server.url())).toEqual({
        bytes: bytes.length,
        checksum: sha256(bytes),
        container: 'ts',
      });
      expect((await readFile(file)).equals(bytes)).toBe(true);
    }
  });

  test('many at once do not mix, although they share buffers', async () => {
    const { directory, fetch } = await setup();
    const server = await rawServer((socket, request) => {
      socket.write(answer(media(4000, Number(/\/(\d+)/.exec(request)?.[1]))));
    });
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const file = join(directory, `${i}.ts`);
        const { checksum } = await fetch(server.url(`/${i}`), { file });
        expect(checksum).toBe(sha256(media(4000, i)));
        expect(sha256(await readFile(file))).toBe(checksum);
      }),
    );
  });

  test('is taken no faster than the disk takes it', async () => {
    const { fetch } = await setup();
    const bytes = media(5000);
    const held: boolean[] = [];
    const transport: Transport = {
      get: async (request) => {
        // All in one turn: no write can end in between.
        const waits = [0, 1, 2, 3, 4].map((part) =>
          request.onData(bytes.subarray(part * 188_000, (part + 1) * 188_000)),
        );
        held.push(...waits.map((wait) => wait !== undefined));
        await Promise.all(waits.map((wait) => Promise.resolve(wait)));
        return { status: 200, headers: {}, url: request.url, bytes: bytes.length };
      },
      close: () => undefined,
    };
    const fetched = await fetch(new URL('http://origin.test/'), { transport });
    expect(held).toEqual([false, false, true, true, true]);
    expect(fetched.checksum).toBe(sha256(bytes));
  });

  test('replaces what an earlier try left under its name', async () => {
    const { file, fetch } = await setup();
    await fetch((await rawServer(answer(media(50)))).url());
    await fetch((await rawServer(answer(media(2)))).url());
    expect((await readFile(file)).equals(media(2))).toBe(true);
  });

  test('is asked for whole and plain whatever headers the job has', async () => {
    const { fetch } = await setup();
    const server = await rawServer(answer(media(1)));
    const headers = {
      Range: 'bytes=0-1',
      'Accept-Encoding': 'gzip',
      'If-None-Match': '"x"',
      cookie: 'a=b',
    };
    await fetch(server.url(), { headers });
    const [request = ''] = server.requests;
    expect(request).not.toMatch(/range|gzip|if-none/i);
    expect(request).toContain('cookie: a=b');
  });
});

describe('a byte range', () => {
  test('is asked for and stored', async () => {
    const { file, fetch } = await setup();
    const whole = media(10);
    const server = await ranged(whole);
    const range = { offset: 188, length: 376 };
    expect(await fetch(server.url(), { range })).toMatchObject({ bytes: 376 });
    expect((await readFile(file)).equals(whole.subarray(188, 564))).toBe(true);
    expect(server.requests[0]).toContain('range: bytes=188-563');
  });

  test('is taken out of the whole when the origin ignores ranges', async () => {
    const { file, fetch } = await setup();
    const whole = media(3000);
    const server = await rawServer(answer(whole));
    const kept: number[] = [];
    for (const range of [
      { offset: 0, length: 188 },
      { offset: 188 * 700, length: 188 * 800 },
      { offset: 188 * 2999, length: 188 },
      { offset: 0, length: whole.length },
    ]) {
      const expected = whole.subarray(range.offset, range.offset + range.length);
      expect(await fetch(server.url(), { range })).toMatchObject({ checksum: sha256(expected) });
      expect((await readFile(file)).equals(expected)).toBe(true);
      kept.push(server.requests.length);
    }
    // The whole that came in answer to the first request is what the part is taken from.
    expect(kept).toEqual([1, 2, 3, 4]);
  });

  test('that the resource does not have, or that is another one, is refused', async () => {
    const { fetch, files } = await setup();
    const ignoring = await rawServer(answer(media(10)));
    const beyond = fetch(ignoring.url(), { range: { offset: 188 * 9, length: 376 } });
    await expect(beyond).rejects.toMatchObject({ code: 'segment.invalid' });
    const header = 'content-range: bytes 0-187/1880\r\n';
    const other = await rawServer(answer(media(1), '206 Partial Content', header));
    const shifted = fetch(other.url(), { range: { offset: 188, length: 188 } });
    await expect(shifted).rejects.toMatchObject({ code: 'segment.invalid' });
    const unasked = fetch(other.url());
    await expect(unasked).rejects.toMatchObject({ code: 'segment.invalid' });
    expect(await files()).toEqual([]);
  });
});

describe('an encrypted segment', () => {
  const key = Buffer.alloc(16, 1);
  const iv = Buffer.alloc(16, 2);
  const encrypt = (bytes: Buffer) => {
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  };

  test('is stored in the clear', async () => {
    const { file, fetch } = await setup();
    const bytes = media(3000);
    const server = await rawServer(answer(encrypt(bytes)));
    expect(await fetch(server.url(), { decrypt: { key, iv } })).toMatchObject({
      bytes: bytes.length,
      checksum: sha256(bytes),
    });
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  test('may be a byte range, of an origin that ignores ranges too', async () => {
    const { fetch } = await setup();
    const part = encrypt(media(900));
    const whole = Buffer.concat([Buffer.alloc(1000), part, Buffer.alloc(1000)]);
    const range = { offset: 1000, length: part.length };
    for (const server of [await ranged(whole), await rawServer(answer(whole))]) {
      const fetched = await fetch(server.url(), { range, decrypt: { key, iv } });
      expect(fetched.checksum).toBe(sha256(media(900)));
    }
  });

  test('with the wrong key, or without its end, is refused', async () => {
    const { fetch, files } = await setup();
    const wrong = fetch((await rawServer(answer(encrypt(media(9))))).url(), {
      decrypt: { key: Buffer.alloc(16, 9), iv },
    });
    await expect(wrong).rejects.toMatchObject({ code: 'segment.invalid' });
    const cut = await rawServer(answer(encrypt(media(9)).subarray(0, -3)));
    await expect(fetch(cut.url(), { decrypt: { key, iv } })).rejects.toMatchObject({
      code: 'segment.invalid',
    });
    expect(await files()).toEqual([]);
  });
});

describe('a body that is compressed although it was asked for as it is', () => {
  const vtt = `WEBVTT\n\n${'00:01.000 --> 00:02.000\nSaid\n\n'.repeat(5000)}`;
  const encoded = (body: Buffer, encoding: string) =>
    rawServer(answer(body, '200 OK', `content-encoding: ${encoding}\r\n`));

  test.each([
    ['gzip', gzipSync(vtt)],
    ['X-GZIP', gzipSync(vtt)],
    ['gzip', Buffer.concat([gzipSync(vtt), Buffer.alloc(300_000)])],
    ['deflate', deflateSync(vtt)],
    ['deflate', deflateRawSync(vtt)],
    ['br', brotliCompressSync(vtt)],
    ['gzip', Buffer.from(vtt)],
    ['aws-chunked', Buffer.from(vtt)],
  ])('is stored as it was meant: %s', async (encoding, body) => {
    const { file, fetch } = await setup();
    const fetched = await fetch((await encoded(body, encoding)).url());
    expect(fetched).toMatchObject({ container: 'webvtt', checksum: sha256(Buffer.from(vtt)) });
    expect(await readFile(file, 'utf8')).toBe(vtt);
  });

  test('is stored also when it is large, encrypted, or of an origin that ignores byte ranges', async () => {
    const { fetch } = await setup();
    const bytes = media(20_000);
    const large = await encoded(gzipSync(bytes, { level: 1 }), 'gzip');
    expect(await fetch(large.url())).toMatchObject({ checksum: sha256(bytes) });
    const part = { offset: 188 * 700, length: 188 * 9000 };
    const expected = sha256(bytes.subarray(part.offset, part.offset + part.length));
    expect(await fetch(large.url(), { range: part })).toMatchObject({ checksum: expected });
    const [key, iv] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    const secret = await encoded(
      gzipSync(Buffer.concat([cipher.update(bytes), cipher.final()])),
      'gzip',
    );
    const fetched = await fetch(secret.url(), { decrypt: { key, iv } });
    expect(fetched).toMatchObject({ checksum: sha256(bytes) });
  });

  test('is refused without its end, when it is broken, and when it expands beyond the limit', async () => {
    const { fetch, files } = await setup();
    const zipped = gzipSync(media(900));
    const broken = Buffer.from(zipped).fill(0, 5000, 6000);
    for (const body of [zipped.subarray(0, -9), broken]) {
      const refused = fetch((await encoded(body, 'gzip')).url());
      await expect(refused).rejects.toMatchObject({
        code: 'segment.invalid',
        details: { encoding: 'gzip' },
      });
    }
    const bomb = await encoded(gzipSync(Buffer.alloc(3_000_000)), 'gzip');
    await expect(fetch(bomb.url(), { bodyBytesMax: 1_000_000 })).rejects.toMatchObject({
      code: 'limit.exceeded',
    });
    expect(await files()).toEqual([]);
  });
});

describe('a failed try leaves no file and says why', () => {
  const statuses = [
    [404, 'source.notFound'],
    [410, 'source.notFound'],
    [401, 'source.refused'],
    [403, 'source.refused'],
    [451, 'source.refused'],
    [416, 'source.unavailable'],
    [500, 'source.unavailable'],
    [503, 'source.unavailable'],
    [304, 'source.unavailable'],
  ] as const;
  for (const [status, code] of statuses) {
    test(`status ${status}`, async () => {
      const { fetch, files } = await setup();
      const server = await rawServer(answer(status === 304 ? '' : media(1), `${status} No`));
      await expect(fetch(server.url())).rejects.toMatchObject({ code, details: { status } });
      expect(await files()).toEqual([]);
    });
  }

  test('a page with status 200', async () => {
    const { fetch, files } = await setup();
    const server = await rawServer(answer('<html><body>Please sign in</body></html>'));
    await expect(fetch(server.url())).rejects.toMatchObject({
      code: 'segment.invalid',
      details: { looksLike: 'html' },
    });
    expect(await files()).toEqual([]);
  });

  test('an empty body', async () => {
    const { fetch, files } = await setup();
    const server = await rawServer(answer(''));
    await expect(fetch(server.url())).rejects.toMatchObject({ code: 'segment.invalid' });
    expect(await files()).toEqual([]);
  });

  test('a body cut short after much of it was written', async () => {
    const { fetch, files } = await setup();
    const server = await rawServer((socket) => {
      socket.end(answer(media(9000)).subarray(0, 188 * 8000));
    });
    await expect(fetch(server.url())).rejects.toMatchObject({
      code: 'source.unavailable',
      details: { truncated: true },
    });
    expect(await files()).toEqual([]);
  });

  test('an abort in the middle', async () => {
    const { fetch, files } = await setup();
    const server = await rawServer(answer(media(9000)).subarray(0, 188 * 8000));
    const controller = new AbortController();
    const segment = fetch(server.url(), { signal: controller.signal });
    while ((await files()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('enough');
    await expect(segment).rejects.toBe('enough');
    expect(await files()).toEqual([]);
  });

  test('a directory that is not there, a name that is a directory', async () => {
    const { directory, fetch } = await setup();
    const server = await rawServer(answer(media(9000)));
    const failed = { code: 'disk.failed' };
    await expect(
      fetch(server.url(), { file: join(directory, 'no', '1.ts') }),
    ).rejects.toMatchObject(failed);
    const taken = join(directory, 'taken');
    await mkdir(taken);
    await expect(fetch(server.url(), { file: taken })).rejects.toMatchObject(failed);
  });

  test('a file whose content cannot be made durable', async () => {
    const { file, fetch, files } = await setup();
    // A device that takes everything and cannot be synced.
    await symlink('/dev/null', file);
    const failed = fetch((await rawServer(answer(media(9)))).url());
    await expect(failed).rejects.toMatchObject({
      code: 'disk.failed',
      details: { system: 'EINVAL' },
    });
    expect(await files()).toEqual([]);
  });

  test('a disk that does not answer: it holds the socket, so that memory does not fill', async () => {
    const { file, fetch, files } = await setup();
    const server = await rawServer(answer(media(100_000)));
    // It is not opened until somebody reads from it, and then it cannot be written at a position.
    execFileSync('mkfifo', [file]);
    let arrived = 0;
    const lean = leanTransport();
    const transport = countedTransport(lean, (bytes) => {
      arrived += bytes;
    });
    const segment = fetch(server.url(), { transport });
    let before = -1;
    while (arrived !== before || arrived === 0) {
      before = arrived;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(arrived).toBeLessThan(800_000);
    const reader = await open(file, 'r');
    await expect(segment).rejects.toMatchObject({ code: 'disk.failed' });
    await reader.close();
    lean.close();
    expect(await files()).toEqual([]);
  });

  test('a full disk', async () => {
    const { file, fetch, files } = await setup();
    const server = await rawServer(answer(media(9000)));
    // A device that never has space. The link keeps the device itself from being removed as the failed file.
    await symlink('/dev/full', file);
    await expect(fetch(server.url())).rejects.toMatchObject({ code: 'disk.full' });
    expect(await files()).toEqual([]);
  });
});
