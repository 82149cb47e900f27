import { createServer } from 'node:http';
import { expect, it, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import { kindOfAnswer, lookAtLink } from '../../../src/intake/linkLook.ts';

const ts = Buffer.alloc(376);
ts[0] = 0x47;
ts[188] = 0x47;

it.each([
  ['text/html', '#EXTM3U\n', 'hls'],
  ['', '\ufeff\n#EXTM3U\n', 'hls'],
  ['application/vnd.apple.mpegurl', '', 'hls'],
  ['audio/x-mpegurl', 'oops', 'hls'],
  ['text/plain', '<?xml version="1.0"?>\n<!-- by X -->\n<MPD xmlns="x">', 'dash'],
  ['application/dash+xml', ' ', 'dash'],
  ['application/octet-stream', ts, 'file'],
  ['text/plain', '\0\0\0\u0018ftypisom', 'file'],
  ['text/plain', 'FLV\u0001', 'file'],
  ['video/mp4', '?', 'file'],
  ['text/html', 'Good morning', 'page'],
  ['video/mp4', '<!doctype html><p>Not found', 'page'],
  ['text/html', 'Go', 'page'],
  ['', '', 'page'],
] as const)('%j with %j is %s', (type, body, kind) => {
  expect(kindOfAnswer(type, Buffer.from(body))).toBe(kind);
});

test('of a stream without an end no more than the beginning is read', async () => {
  const server = createServer((_, response) => {
    const timer = setInterval(() => response.write(ts), 1);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = leanTransport();
  const closed = new Promise((resolve) =>
    server.on('connection', (socket) => socket.on('close', resolve)),
  );
  onTestFinished(() => {
    transport.close();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const link = new URL(`http://127.0.0.1:${port}/live?id=1`);
  const { signal } = new AbortController();
  const look = await lookAtLink({ transport, link, signal, clock: systemClock });
  expect(look).toEqual({ kind: 'file', status: 200 });
  await closed;
});
