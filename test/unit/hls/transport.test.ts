import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { answer, movedClock, rawServer } from './transportServer.ts';
import { asked, setup } from './transportSetup.ts';

const unavailable = (details: object = {}) => ({
  code: 'source.unavailable',
  retryable: true,
  details,
});

describe('an answer', () => {
  test('is handed over with its status, headers and place', async () => {
    const server = await rawServer(answer('hello', '200 OK', 'X-One: 1\r\nx-one:  2 \r\n'));
    const { get } = setup();
    const response = await get(server.url('/a?b=c#d'));
    expect(response).toMatchObject({ status: 200, body: 'hello', bytes: 5 });
    expect(response.headers['x-one']).toBe('1, 2');
    expect(response.url.pathname).toBe('/a');
    expect(server.requests[0]).toMatch(/^GET \/a\?b=c HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
  });

  test('of any status is an answer, and only a 2xx body is handed over', async () => {
    const server = await rawServer(answer('not here', '404 Not Found'));
    const { get } = setup();
    expect(await get(server.url())).toMatchObject({ status: 404, body: '', bytes: 8 });
  });

  test('may come in single bytes, with interim answers before it', async () => {
    const server = await rawServer((socket) => {
      const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
      const bytes = Buffer.concat([Buffer.from(interim), answer('hello')]);
      let at = 0;
      const next = () => {
        if (at < bytes.length) socket.write(bytes.subarray(at, ++at), () => setImmediate(next));
      };
      next();
    });
    const { get } = setup();
    expect(await get(server.url())).toMatchObject({ status: 200, body: 'hello' });
  });

  test('without a length ends when the server closes', async () => {
    const server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'));
    const { get } = setup();
    expect(await get(server.url())).toMatchObject({ body: 'to the end' });
  });

  test('in chunks is put together', async () => {
    const server = await rawServer(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n7;x="y"\r\n, world\r\n0\r\nx-sum: 1\r\n\r\n',
    );
    const { get } = setup();
    expect(await get(server.url())).toMatchObject({ body: 'hello, world', bytes: 12 });
    expect(await get(server.url())).toMatchObject({ body: 'hello, world' });
    expect(server.sockets).toHaveLength(1);
  });
});

describe('an answer that cannot be trusted is refused', () => {
  const head = 'HTTP/1.1 200 OK\r\n';
  const chunked = `${head}transfer-encoding: chunked\r\n\r\n`;
  const lies: Record<string, { sent: string; details?: object }> = {
    'a body shorter than announced': {
      sent: `${head}content-length: 10\r\n\r\nhello`,
      details: { truncated: true },
    },
    'a chunked body without its end': {
      sent: `${chunked}5\r\nhello\r\n`,
      details: { truncated: true },
    },
    'a chunk cut short': { sent: `${chunked}a\r\nhello`, details: { truncated: true } },
    'a chunk longer than its size': { sent: `${chunked}4\r\nhello\r\n0\r\n\r\n` },
    'a malformed chunk size': { sent: `${chunked}0x5\r\nhello\r\n0\r\n\r\n` },
    'a negative chunk size': { sent: `${chunked}-5\r\nhello\r\n0\r\n\r\n` },
    'a chunk size beyond exact numbers': {
      sent: `${chunked}fffffffffffffff\r\nhello\r\n0\r\n\r\n`,
    },
    'a chunk line that never ends': { sent: `${chunked}5;${'x'.repeat(5000)}` },
    'more chunk extensions than anybody needs': {
      sent: `${chunked}${`1;${'x'.repeat(3000)}\r\nx\r\n`.repeat(9)}0\r\n\r\n`,
    },
    'bytes after the end of the body': { sent: `${head}content-length: 2\r\n\r\nhello` },
    'bytes after the last chunk': { sent: `${chunked}0\r\n\r\nHTTP/1.1 200 OK\r\n` },
    'two lengths that differ': {
      sent: `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
    },
    'a length and chunks': {
      sent: `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    },
    'a negative length': { sent: `${head}content-length: -1\r\n\r\n` },
    'a length that is a list': { sent: `${head}content-length: 5, 5\r\n\r\nhello` },
    'a transfer coding that is not understood': {
      sent: `${head}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    },
    'a folded header': { sent: `${head}x: a\r\n b\r\n\r\n` },
    'a blank before the colon': { sent: `${head}content-length : 5\r\n\r\nhello` },
    'lines that end without a carriage return': {
      sent: 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello',
    },
    'a head that never ends': { sent: `${head}x: ${'y'.repeat(70_000)}` },
    'another protocol': { sent: 'ICY 200 OK\r\n\r\n' },
    'another version of HTTP': { sent: 'HTTP/2 200 OK\r\n\r\n' },
    'a switch of protocols': { sent: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n' },
    'endless interim answers': { sent: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20) },
    garbage: { sent: '\x16\x03\x01\x02\x00\x01' },
    'nothing at all': { sent: '' },
    'half a head': { sent: 'HTTP/1.1 200 OK\r\ncontent-le' },
  };
  for (const [what, { sent, details }] of Object.entries(lies)) {
    test(what, async () => {
      const server = await rawServer((socket) => socket.end(sent, 'latin1'));
      const { get } = setup();
      await expect(get(server.url())).rejects.toMatchObject(unavailable(details));
    });
  }

  test('a reset within the body counts as truncated', async () => {
    const server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', () => {
        setImmediate(() => socket.resetAndDestroy());
      });
    });
    const { get } = setup();
    await expect(get(server.url())).rejects.toMatchObject(unavailable({ truncated: true }));
  });

  test('a body announced or grown beyond the limit', async () => {
    const limit = { code: 'limit.exceeded' };
    const { get } = setup();
    const announced = await rawServer(answer('hello'));
    await expect(get(announced.url(), { bodyBytesMax: 4 })).rejects.toMatchObject(limit);
    const grown = await rawServer('HTTP/1.1 200 OK\r\n\r\nhello');
    await expect(get(grown.url(), { bodyBytesMax: 4 })).rejects.toMatchObject(limit);
    expect(await get(announced.url(), { bodyBytesMax: 5 })).toMatchObject({ body: 'hello' });
  });

  test('a server that is not there', async () => {
    const { get } = setup();
    const server = await rawServer((socket) => socket.destroy());
    await expect(get(server.url())).rejects.toMatchObject(unavailable());
    await expect(get(new URL('http://127.0.0.1:1/'))).rejects.toMatchObject(
      unavailable({ system: 'ECONNREFUSED' }),
    );
  });

  test('but the status of a failure stands however its body ends', async () => {
    const cut = await rawServer((socket) =>
      socket.end('HTTP/1.1 503 Busy\r\ncontent-length: 99\r\n\r\nno'),
    );
    const huge = await rawServer('HTTP/1.1 404 Gone\r\ncontent-length: 99999999\r\n\r\nno');
    const { get } = setup();
    expect(await get(cut.url())).toMatchObject({ status: 503 });
    expect(await get(huge.url())).toMatchObject({ status: 404 });
  });
});

describe('connections', () => {
  test('are kept and used again', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup();
    for (let i = 0; i < 5; i++) expect(await get(server.url())).toMatchObject({ body: 'hello' });
    expect(server.sockets).toHaveLength(1);
  });

  test('are not used again when the server says so', async () => {
    const server = await rawServer(answer('hello', '200 OK', 'Connection: Close\r\n'));
    const { get } = setup();
    await get(server.url());
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });

  test('that the server closed meanwhile are replaced without anybody noticing', async () => {
    const server = await rawServer((socket, _request, index) => {
      // The second request finds a connection that is closed instead of being answered.
      if (index === 1) socket.resetAndDestroy();
      else socket.write(answer('hello'));
    });
    const { get } = setup();
    await get(server.url());
    expect(await get(server.url())).toMatchObject({ body: 'hello' });
    expect(server.requests).toHaveLength(3);
    expect(server.sockets).toHaveLength(2);
  });

  test('are tried once more only while nothing was answered', async () => {
    const server = await rawServer((socket, _request, index) => {
      if (index === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
      else if (index > 1) socket.destroy();
      else socket.write(answer('hello'));
    });
    const { get } = setup();
    await get(server.url());
    await expect(get(server.url())).rejects.toMatchObject(unavailable({ truncated: true }));
    await expect(get(server.url())).rejects.toMatchObject(unavailable());
    expect(server.requests).toHaveLength(3);
  });

  test('that speak without being asked are closed', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup();
    await get(server.url());
    const [socket] = server.sockets;
    socket?.write(answer('a lie'));
    await once(socket ?? process, 'close');
    expect(await get(server.url())).toMatchObject({ body: 'hello' });
    expect(server.sockets).toHaveLength(2);
  });

  test('are given up when they were idle for too long', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello'));
    const { get } = setup({ clock, idleSocketMs: 10_000 });
    await get(server.url());
    clock.move(9_000);
    await get(server.url());
    expect(server.sockets).toHaveLength(1);
    clock.move(11_000);
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });

  test('are given up before the server would close them', async () => {
    const clock = movedClock();
    const server = await rawServer(answer('hello', '200 OK', 'keep-alive: timeout=5, max=99\r\n'));
    const { get } = setup({ clock });
    await get(server.url());
    clock.move(4_500);
    await get(server.url());
    expect(server.sockets).toHaveLength(2);
  });

  test('of one origin are limited, and what waits is served in order or may give up', async () => {
    const waiting: (() => void)[] = [];
    const server = await rawServer((socket) => waiting.push(() => socket.write(answer('hello'))));
    const { get } = setup({ socketsPerOrigin: 2 });
    const controller = new AbortController();
    const answers = ['/1', '/2', '/3'].map((path) => get(server.url(path)));
    const givenUp = get(server.url('/4'), { signal: controller.signal });
    answers.push(get(server.url('/5')));
    await asked(server, 2);
    controller.abort(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    for (let count = 2; count <= 4; count++) {
      await asked(server, count);
      waiting.shift()?.();
    }
    await asked(server, 4);
    for (const rest of waiting) rest();
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(Array(4).fill('hello'));
    expect(server.sockets).toHaveLength(2);
    expect(server.requests.map((request) => request.slice(4, 6)).sort()).toEqual([
      '/1',
      '/2',
      '/3',
      '/5',
    ]);
  });
});

describe('redirects', () => {
  const redirect = (location: string) => answer('moved', '302 Found', `location: ${location}\r\n`);

  test('are followed, absolute and relative', async () => {
    const target = await rawServer(answer('here'));
    const server = await rawServer((socket, _request, index) => {
      socket.write(redirect(index === 0 ? '../b?c=d' : target.url('/end').href));
    });
    const { get } = setup();
    const response = await get(server.url('/a/x'));
    expect(response).toMatchObject({ status: 200, body: 'here' });
    expect(response.url.href).toBe(target.url('/end').href);
    expect(server.requests[1]).toMatch(/^GET \/b\?c=d /);
  });

  test('to another origin carry no credentials; others stay', async () => {
    const target = await rawServer(answer('here'));
    const server = await rawServer((socket, _request, index) => {
      socket.write(redirect(index === 0 ? '/same' : target.url('/other').href));
    });
    const { get } = setup();
    const headers = { Authorization: 'Bearer secret', COOKIE: 'a=secret', 'X-Player': 'yes' };
    await get(server.url(), { headers });
    expect(server.requests[1]).toContain('authorization: Bearer secret');
    expect(target.requests[0]).not.toContain('secret');
    expect(target.requests[0]).toContain('x-player: yes');
  });

  test('to another origin do not carry the password of the link either', async () => {
    const target = await rawServer(answer('here'));
    const server = await rawServer((socket, _request, index) => {
      socket.write(redirect(index === 0 ? '/same' : target.url('/other').href));
    });
    const { get } = setup();
    const url = server.url();
    url.username = 'me';
    url.password = 'p%40ss';
    await get(url);
    const basic = `authorization: Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect([server.requests[0], server.requests[1]]).toEqual([
      expect.stringContaining(basic),
      expect.stringContaining(basic),
    ]);
    expect(target.requests[0]).not.toContain('authorization');
  });

  test('in a circle end', async () => {
    const server = await rawServer(redirect('/again'));
    const { get } = setup();
    await expect(get(server.url())).rejects.toMatchObject(unavailable({ redirects: 5 }));
    expect(server.requests).toHaveLength(6);
  });

  test('to anything but http and https are refused', async () => {
    const server = await rawServer(redirect('file:///etc/passwd'));
    const { get } = setup();
    await expect(get(server.url())).rejects.toMatchObject(unavailable());
  });

  test('without a location are answers', async () => {
    const server = await rawServer(answer('moved', '302 Found'));
    const { get } = setup();
    expect(await get(server.url())).toMatchObject({ status: 302 });
  });
});

describe('what is asked', () => {
  test('is http or https', async () => {
    const { get } = setup();
    for (const link of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:text/plain,x']) {
      await expect(get(new URL(link))).rejects.toMatchObject({ code: 'url.invalid' });
    }
  });

  test('cannot smuggle headers or requests, and the refusal does not tell the value', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup();
    const refused: Record<string, string>[] = [
      { cookie: 'secret\r\nx-evil: 1' },
      { cookie: 'secret\nx-evil: 1' },
      { cookie: 'secret\0' },
      { 'x-evil: 1\r\ncookie': 'secret' },
      { '': 'secret' },
      { Host: 'secret' },
      { 'Content-Length': '5' },
      { 'transfer-encoding': 'chunked' },
      { cookie: 'secret \u{1f436}' },
    ];
    for (const headers of refused) {
      const error: unknown = await get(server.url(), { headers }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'usage.invalid' });
      expect(String(error)).not.toContain('secret');
    }
    await get(server.url('/a%0d%0ax-evil:1?b=\r\nc d'), { headers: { cookie: 'a=\u00e4' } });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatch(/^GET \/a%0d%0ax-evil:1\?b=c%20d HTTP\/1\.1\r\n/);
    expect(server.requests[0]).toContain('cookie: a=\u00e4');
  });

  test('goes only where its rules permit, names included, unless the request has rules of its own', async () => {
    const server = await rawServer(answer('hello'));
    const { get } = setup({ rules: addressRules([]) });
    const refused = { code: 'address.refused', retryable: false };
    await expect(get(server.url())).rejects.toMatchObject(refused);
    const named = server.url();
    named.hostname = 'localhost';
    await expect(get(named)).rejects.toMatchObject(refused);
    expect(server.sockets).toHaveLength(0);
    const rules = addressRules([`127.0.0.0/8:${server.url().port}`]);
    expect(await get(named, { rules })).toMatchObject({ body: 'hello' });
  });
});
