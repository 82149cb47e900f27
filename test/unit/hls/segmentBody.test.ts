import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { receiveBody } from '../../../src/hls/segment/segmentBody.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import { answer, rawServer } from './transportServer.ts';

function setup() {
  const transport = leanTransport();
  onTestFinished(() => transport.close());
  return async (url: URL, range?: { offset: number; length: number }) => {
    let body = '';
    const { signal } = new AbortController();
    await receiveBody(
      {
        transport,
        url,
        ...(range && { range }),
        signal,
        idleTimeoutMs: 5_000,
        bodyBytesMax: 1_000,
      },
      (bytes) => {
        body += Buffer.from(bytes).toString('latin1');
        return undefined;
      },
    );
    return body;
  };
}

test('what follows the part in a whole resource is not waited for', async () => {
  const receive = setup();
  // It announces far more than it ever sends.
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n';
  const server = await rawServer((socket) => {
    socket.write(`${head}0123456789`);
    setTimeout(() => socket.write('more'), 20);
  });
  expect(await receive(server.url(), { offset: 2, length: 3 })).toBe('234');
  expect(await receive(server.url(), { offset: 7, length: 3 })).toBe('789');
});

test('a part that ends with its answer keeps the connection', async () => {
  const receive = setup();
  const server = await rawServer(
    answer('234', '206 Partial Content', 'content-range: bytes 2-4/10\r\n'),
  );
  for (let round = 0; round < 3; round++)
    expect(await receive(server.url(), { offset: 2, length: 3 })).toBe('234');
  expect(server.sockets).toHaveLength(1);
});

test('a whole body that its server calls a part is the whole; anything less is not', async () => {
  const receive = setup();
  const whole = await rawServer(
    answer('0123456789', '206 Partial Content', 'content-range: bytes 0-9/10\r\n'),
  );
  expect(await receive(whole.url())).toBe('0123456789');
  for (const range of ['0-9/20', '10-19/20', '0-9/*']) {
    const part = await rawServer(
      answer('0123456789', '206 Partial Content', `content-range: bytes ${range}\r\n`),
    );
    await expect(receive(part.url())).rejects.toMatchObject({ code: 'segment.invalid' });
  }
});

test('a part is never decoded, a whole is before the part is taken', async () => {
  const receive = setup();
  const header = 'content-encoding: gzip\r\n';
  const part = await rawServer(
    answer(
      Buffer.from([0x1f, 0x8b]),
      '206 Partial Content',
      `content-range: bytes 2-3/10\r\n${header}`,
    ),
  );
  expect(await receive(part.url(), { offset: 2, length: 2 })).toHaveLength(2);
  const whole = await rawServer(answer(gzipSync('0123456789'), '200 OK', header));
  expect(await receive(whole.url(), { offset: 2, length: 3 })).toBe('234');
});

test('a part longer than a body may be is not even asked for', async () => {
  const receive = setup();
  const server = await rawServer((socket, request) => {
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request) ?? [];
    const body = 'x'.repeat(Number(last) + 1 - Number(first));
    const header = `content-range: bytes ${first}-${last}/*\r\n`;
    socket.write(answer(body, '206 Partial Content', header));
  });
  expect(await receive(server.url(), { offset: 5, length: 1_000 })).toHaveLength(1_000);
  await expect(receive(server.url(), { offset: 5, length: 1_001 })).rejects.toMatchObject({
    code: 'limit.exceeded',
    details: { bytes: 1_001, bodyBytesMax: 1_000 },
  });
  expect(server.requests).toHaveLength(1);
});
