import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { answer, movedClock, rawServer } from './transportServer.ts';
import { asked, setup } from './transportSetup.ts';

describe('silence', () => {
  test('for longer than the timeout ends a request, wherever it is', async () => {
    const clock = movedClock();
    const { get } = setup({ clock });
    for (const sent of [
      '',
      'HTTP/1.1 200 OK\r\ncont',
      'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf',
    ]) {
      const server = await rawServer(sent);
      let pieces = 0;
      const request = get(server.url(), { idleTimeoutMs: 1000, onData: () => void pieces++ });
      const failed = expect(request).rejects.toMatchObject({
        code: 'timeout.exceeded',
        retryable: true,
      });
      await asked(server, 1);
      while (sent.endsWith('half') && pieces === 0)
        await new Promise((resolve) => setImmediate(resolve));
      clock.move(999);
      clock.move(2);
      await failed;
    }
  });

  test('is not broken by a drip of header bytes', async () => {
    const clock = movedClock();
    const server = await rawServer('HTTP/1.1 200 OK\r\n');
    const { get } = setup({ clock });
    const failed = expect(get(server.url(), { idleTimeoutMs: 1000 })).rejects.toMatchObject({
      code: 'timeout.exceeded',
      details: { phase: 'head' },
    });
    await asked(server, 1);
    for (let i = 0; i < 3; i++) {
      server.sockets[0]?.write('x: y\r\n');
      await new Promise((resolve) => setTimeout(resolve, 5));
      clock.move(400);
    }
    await failed;
  });

  test('is broken by every piece of a body', async () => {
    const clock = movedClock();
    const server = await rawServer('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n');
    const { get } = setup({ clock });
    let pieces = 0;
    const request = get(server.url(), { idleTimeoutMs: 1000, onData: () => void pieces++ });
    await asked(server, 1);
    for (let i = 0; i < 4; i++) {
      server.sockets[0]?.write('x');
      while (pieces <= i) await new Promise((resolve) => setImmediate(resolve));
      clock.move(900);
    }
    expect(await request).toMatchObject({ bytes: 4 });
  });

  test('is ours, not the server’s, while the consumer holds the socket', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello'));
    const { get } = setup({ clock });
    let release: () => void = () => undefined;
    let pieces = 0;
    const request = get(server.url(), {
      idleTimeoutMs: 1000,
      onData: () => {
        pieces++;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    while (pieces === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.move(5000);
    clock.move(5000);
    release();
    expect(await request).toMatchObject({ bytes: 5 });
  });
});

describe('an abort', () => {
  test('before the request rejects with its reason and asks nobody', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup();
    await expect(get(server.url(), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    expect(server.sockets).toHaveLength(0);
  });

  test('at any moment rejects with its reason and closes the socket', async () => {
    const { get } = setup();
    for (const sent of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf']) {
      const server = await rawServer(sent);
      const controller = new AbortController();
      const request = get(server.url(), { signal: controller.signal });
      await asked(server, 1);
      await new Promise((resolve) => setImmediate(resolve));
      const closed = once(server.sockets[0] ?? process, 'close');
      controller.abort('enough');
      await expect(request).rejects.toBe('enough');
      await closed;
    }
  });

  test('from within the consumer stops the rest of what was read', async () => {
    const server = await rawServer(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(9)}0\r\n\r\n`,
    );
    const { get } = setup();
    const controller = new AbortController();
    let pieces = 0;
    const onData = () => {
      if (++pieces === 3) controller.abort('enough');
    };
    await expect(get(server.url(), { signal: controller.signal, onData })).rejects.toBe('enough');
    expect(pieces).toBe(3);
  });
});

describe('the consumer', () => {
  test('slows the server down by holding what it was given', async () => {
    const bytes = 32 * 1024 * 1024;
    let sentAll = false;
    const server = await rawServer((socket) => {
      socket.write(answer(Buffer.alloc(bytes)), () => {
        sentAll = true;
      });
    });
    const { get } = setup();
    let release: () => void = () => undefined;
    let pieces = 0;
    const request = get(server.url(), {
      bodyBytesMax: bytes,
      onData: () => {
        pieces++;
        if (pieces > 1) return undefined;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    while (pieces === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect({ pieces, sentAll }).toEqual({ pieces: 1, sentAll: false });
    release();
    expect(await request).toMatchObject({ bytes });
  });

  test('ends the request by throwing or rejecting, with its own error', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup();
    const broken = new Error('disk gone');
    const thrown = get(server.url(), {
      onData: () => {
        throw broken;
      },
    });
    await expect(thrown).rejects.toBe(broken);
    const rejected = get(server.url(), { onData: () => Promise.reject(broken) });
    await expect(rejected).rejects.toBe(broken);
  });
});

test('closing lets what is under way finish and keeps nothing afterwards', async () => {
  const server = await rawServer(
    (socket) => void setImmediate(() => socket.write(answer('hello'))),
  );
  const { get, transport } = setup();
  const request = get(server.url());
  await asked(server, 1);
  transport.close();
  transport.close();
  expect(await request).toMatchObject({ body: 'hello' });
  await once(server.sockets[0] ?? process, 'close');
});

test('a hundred requests at once each get their own answer', async () => {
  const server = await rawServer((socket, request) => {
    const path = request.slice(5, request.indexOf(' ', 5));
    socket.write(answer(path.repeat(1000)));
  });
  const { get } = setup({ socketsPerOrigin: 20 });
  const paths = Array.from({ length: 100 }, (_, i) => `path${i}`);
  const answers = await Promise.all(paths.map((path) => get(server.url(path))));
  for (const [index, { body }] of answers.entries()) expect(body).toBe(paths[index]?.repeat(1000));
});
