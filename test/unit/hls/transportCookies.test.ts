import { describe, expect, onTestFinished, test } from 'vitest';
import { CookieJar } from '../../../src/hls/transport/cookieJar.ts';
import { fetchText } from '../../../src/hls/transport/fetchText.ts';
import { type JobTransportOptions, jobTransport } from '../../../src/hls/transport/jobTransport.ts';
import { leanTransport } from '../../../src/hls/transport/leanTransport.ts';
import {
  COOKIE_BYTES_MAX,
  COOKIE_HEADER_BYTES_MAX,
  COOKIES_MAX,
} from '../../../src/hls/transport/limits.ts';
import { answer, type RawServer, rawServer } from './transportServer.ts';

function setup(options: JobTransportOptions) {
  const shared = leanTransport();
  onTestFinished(() => shared.close());
  const transport = jobTransport(shared, options);
  const get = async (url: URL, headers?: Record<string, string>) =>
    await fetchText({
      transport,
      url,
      ...(headers && { headers }),
      signal: new AbortController().signal,
      bodyBytesMax: 1000,
      idleTimeoutMs: 3000,
    });
  return { shared, get };
}

const cookieOf = (server: RawServer, index: number) =>
  /^cookie: (.*)$/m.exec(server.requests[index] ?? '')?.[1];

const setting = (...cookies: string[]) =>
  answer('hello', '200 OK', cookies.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join(''));

describe('the cookies of a job', () => {
  test('are kept from every answer and sent where they belong', async () => {
    const server = await rawServer(
      setting('a=1, comma', 'b=2; Path=/deep', 'd=4; Domain=other.test'),
    );
    const { get } = setup({ sources: [server.url()] });
    await get(server.url('/x'));
    await get(server.url('/x'));
    await get(server.url('/deep/x'));
    expect([0, 1, 2].map((index) => cookieOf(server, index))).toEqual([
      undefined,
      'a=1, comma',
      'b=2; a=1, comma',
    ]);
  });

  test('are kept from redirects, and sent on the very next hop', async () => {
    const server = await rawServer((socket, _request, index) =>
      socket.write(
        index === 0
          ? answer('', '302 Found', 'location: /b\r\nset-cookie: session=1; Path=/\r\n')
          : setting('session=2; Path=/'),
      ),
    );
    const { get } = setup({ sources: [server.url()] });
    await get(server.url('/a'));
    await get(server.url('/a'));
    expect([0, 1, 2].map((index) => cookieOf(server, index))).toEqual([
      undefined,
      'session=1',
      'session=2',
    ]);
  });

  test('are of one job only', async () => {
    const server = await rawServer(setting('a=1'));
    const one = setup({ sources: [server.url()] });
    await one.get(server.url());
    const other = setup({ sources: [server.url()] });
    await other.get(server.url());
    expect(cookieOf(server, 1)).toBeUndefined();
  });

  test('given as a header go to the origins of its sources only; other headers go everywhere', async () => {
    const target = await rawServer(answer('there'));
    const server = await rawServer((socket, request) =>
      socket.write(
        request.startsWith('GET /away')
          ? answer('', '302 Found', `location: ${target.url('/end').href}\r\n`)
          : setting('given=newer'),
      ),
    );
    const { get } = setup({
      sources: [server.url()],
      headers: { Cookie: 'given=secret; other=kept', 'X-Player': 'yes', Range: 'bytes=0-1' },
    });
    await get(server.url('/a'));
    await get(server.url('/b'));
    await get(server.url('/away'));
    await get(target.url('/segment'));
    await get(target.url('/segment'), { cookie: 'given=secret' });
    expect([0, 1].map((index) => cookieOf(server, index))).toEqual([
      'given=secret; other=kept',
      'other=kept; given=newer',
    ]);
    for (const request of target.requests) {
      expect(request).not.toMatch(/secret|kept/);
      expect(request).toContain('x-player: yes');
      expect(request).not.toContain('bytes=0-1');
    }
    expect(target.requests).toHaveLength(3);
  });

  test('do not close the connections of others', async () => {
    const server = await rawServer(answer('hello'));
    const { shared, get } = setup({ sources: [server.url()] });
    await get(server.url());
    jobTransport(shared, { sources: [] }).close();
    await get(server.url());
    expect(server.sockets).toHaveLength(1);
  });
});

describe('a jar', () => {
  const url = new URL('https://a.example.com/x');

  test('takes no cookie for a public suffix, another host or beyond what a header holds', async () => {
    const jar = new CookieJar();
    await jar.take(url, [
      'suffix=1; Domain=com',
      'other=1; Domain=b.example.com',
      'nul=a\0b',
      'bell=a\x07b',
      `long=${'x'.repeat(COOKIE_BYTES_MAX)}`,
      '',
      'parent=1; Domain=example.com',
      'own=1',
      'secure=1; Secure',
    ]);
    expect(jar.cookiesFor(url)).toBe('parent=1; own=1; secure=1');
    expect(jar.cookiesFor(new URL('http://a.example.com/'))).toBe('parent=1; own=1');
    expect(jar.cookiesFor(new URL('https://b.example.com/'))).toBe('parent=1');
    expect(jar.cookiesFor(new URL('https://example.org/'))).toBe('');
  });

  test('forgets what has run out', async () => {
    const jar = new CookieJar();
    await jar.take(url, ['a=1', 'b=2']);
    await jar.take(url, ['a=; Max-Age=0']);
    expect(jar.cookiesFor(url)).toBe('b=2');
  });

  test('forgets the one that was set least recently when there are too many', async () => {
    const jar = new CookieJar();
    await jar.take(url, ['first=1', 'second=2']);
    await jar.take(url, ['first=3']);
    await jar.take(
      url,
      Array.from({ length: COOKIES_MAX - 1 }, (_, index) => `c${index}=1; Path=/other`),
    );
    expect(jar.cookiesFor(url)).toBe('first=3');
  });

  test('that holds more than a server reads is sent in part', async () => {
    const server = await rawServer(answer('hello'));
    const cookies = new CookieJar();
    await cookies.take(
      server.url(),
      Array.from({ length: 9 }, (_, index) => `c${index}=${'x'.repeat(1000)}`),
    );
    const { get } = setup({ sources: [server.url()], cookies, headers: { cookie: 'mine=1' } });
    await get(server.url());
    const sent = cookieOf(server, 0) ?? '';
    expect(sent.startsWith('mine=1; c0=')).toBe(true);
    expect(sent.length).toBeLessThanOrEqual(COOKIE_HEADER_BYTES_MAX);
    expect(sent.split('; ')).toHaveLength(9);
  });
});
