import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import {
  type HybridTransportOptions,
  hybridTransport,
} from '../../../src/hls/transport/hybridTransport.ts';
import { jobTransport } from '../../../src/hls/transport/jobTransport.ts';
import type { TransportRequest } from '../../../src/hls/transport/transport.ts';
import { forwardProxy } from './forwardProxy.ts';
import { http2Server } from './http2Server.ts';
import { TEST_CERTIFICATE } from './transportCertificate.ts';
import { answer, rawServer } from './transportServer.ts';

function setup(options: HybridTransportOptions = {}) {
  const transport = hybridTransport({ certificateAuthorities: TEST_CERTIFICATE, ...options });
  onTestFinished(() => transport.close());
  const get = async (url: URL, request: Partial<TransportRequest> = {}, via = transport) => {
    const pieces: Buffer[] = [];
    const response = await via.get({
      url,
      signal: new AbortController().signal,
      bodyBytesMax: 100_000_000,
      idleTimeoutMs: 3000,
      onData: (bytes) => void pieces.push(Buffer.from(bytes)),
      ...request,
    });
    return { ...response, body: Buffer.concat(pieces).toString('latin1') };
  };
  return { transport, get };
}

describe('a proxy', () => {
  test('is asked for http links in absolute form, with its own password only', async () => {
    const server = await rawServer(
      answer('hello', '200 OK', 'set-cookie: a=b\r\nset-cookie: c=d\r\n'),
    );
    const proxy = await forwardProxy({ userInfo: 'me:p%40ss' });
    const { get } = setup();
    proxy.url.password = 'p%2540ss';
    const url = server.url('/a?b=c');
    const taken: unknown[] = [];
    const cookies = {
      cookiesFor: () => '',
      take: (_: URL, set: readonly string[]) => void taken.push(...set),
    };
    const headers = { authorization: 'Bearer origin' };
    expect(await get(url, { proxy: proxy.url, headers, cookies })).toMatchObject({
      status: 200,
      body: 'hello',
      via: 'undici',
    });
    expect(proxy.requests).toEqual([`GET ${url.href}`]);
    expect(taken).toEqual(['a=b', 'c=d']);
    expect(server.requests[0]).toMatch(/authorization: Bearer origin/i);
    expect(server.requests[0]).not.toMatch(/proxy-authorization/i);
    expect(server.requests[0]).toMatch(new RegExp(`host: ${url.host}`, 'i'));
  });

  test('digs a tunnel to https links, for HTTP/2 too, and learns neither path nor password', async () => {
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    const proxy = await forwardProxy({ userInfo: 'me:secret' });
    const { get } = setup();
    const headers = { authorization: 'Bearer origin' };
    expect(await get(server.url('/path'), { proxy: proxy.url, headers })).toMatchObject({
      body: 'hello',
      via: 'undici',
    });
    expect(proxy.requests).toEqual([`CONNECT ${server.url().host}`]);
    expect(server.requests[0]).toMatchObject({ ':path': '/path', authorization: 'Bearer origin' });
    expect(server.requests[0]?.['proxy-authorization']).toBeUndefined();
    expect(server.refused).toEqual([]);
  });

  test('serves redirects too', async () => {
    const target = await rawServer(answer('here'));
    const server = await rawServer(
      answer('', '302 Found', `location: ${target.url('/end').href}\r\n`),
    );
    const proxy = await forwardProxy();
    const { get } = setup();
    expect(await get(server.url('/a'), { proxy: proxy.url })).toMatchObject({ body: 'here' });
    expect(proxy.requests).toEqual([
      `GET ${server.url('/a').href}`,
      `GET ${target.url('/end').href}`,
    ]);
  });

  test('is chosen by each request: one transport serves jobs with different proxies and none', async () => {
    const server = await rawServer(answer('hello'));
    const [one, other, standing] = [
      await forwardProxy(),
      await forwardProxy(),
      await forwardProxy(),
    ];
    const { get } = setup();
    await Promise.all([
      get(server.url('/1'), { proxy: one.url }),
      get(server.url('/2'), { proxy: other.url }),
      get(server.url('/3')),
    ]);
    expect(one.requests).toEqual([`GET ${server.url('/1').href}`]);
    expect(other.requests).toEqual([`GET ${server.url('/2').href}`]);
    const withProxy = setup({ proxy: standing.url });
    await withProxy.get(server.url('/4'));
    await withProxy.get(server.url('/5'), { proxy: one.url });
    expect(standing.requests).toEqual([`GET ${server.url('/4').href}`]);
    const job = jobTransport(withProxy.transport, {
      sources: [server.url()],
      proxy: other.url.href,
    });
    await withProxy.get(server.url('/6'), {}, job);
    expect(other.requests.at(-1)).toBe(`GET ${server.url('/6').href}`);
  });
});

describe('what goes wrong with a proxy', () => {
  const plain = new URL('http://origin.test/a');
  const secure = new URL('https://origin.test/a');

  test('is told as its own fault, without its user and password', async () => {
    const { get } = setup();
    const closing = await forwardProxy({ onConnect: (socket) => void socket.destroy() });
    const dark = await forwardProxy({
      onConnect: (socket) => void socket.end('HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n'),
    });
    const guarded = await forwardProxy({ userInfo: 'other:password' });
    const away = new URL('http://127.0.0.1:1');
    const faults: readonly (readonly [URL, URL, object])[] = [
      [secure, closing.url, { code: 'source.unavailable' }],
      [secure, dark.url, { code: 'source.unavailable' }],
      [secure, guarded.url, { code: 'source.refused', details: { status: 407 } }],
      [plain, guarded.url, { code: 'source.refused', details: { status: 407 } }],
      [secure, away, { code: 'source.unavailable', details: { system: 'ECONNREFUSED' } }],
      [plain, away, { code: 'source.unavailable', details: { system: 'ECONNREFUSED' } }],
    ];
    for (const [url, proxy, fault] of faults) {
      proxy.username = 'somebody';
      proxy.password = 'topsecret';
      const error: unknown = await get(url, { proxy }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ retryable: true, ...fault });
      expect(String(error)).toContain(`origin.test through the proxy ${proxy.host}`);
      const basic = Buffer.from('somebody:topsecret').toString('base64');
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/topsecret|somebody/);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(basic);
    }
    // A tunnel that closes is dug once more, not for ever.
    expect(closing.requests.length).toBeLessThanOrEqual(2);
  });

  test('ends by silence and abort, with nothing left behind', async () => {
    const silent = await forwardProxy({ onConnect: () => undefined });
    const { get } = setup();
    await expect(get(secure, { proxy: silent.url, idleTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout.exceeded',
      details: { phase: 'connect' },
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort('enough'), 20);
    const { signal } = controller;
    await expect(get(secure, { proxy: silent.url, signal })).rejects.toBe('enough');
  });

  test('is refused before anything is asked: another protocol, no link, a password in a header', async () => {
    const { get, transport } = setup();
    for (const proxy of ['socks5://user:topsecret@127.0.0.1:1', 'ftp://user:topsecret@x']) {
      const error: unknown = await get(plain, { proxy: new URL(proxy) }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'usage.invalid' });
      expect(inspect(error, { depth: 9 })).not.toContain('topsecret');
    }
    expect(() => jobTransport(transport, { sources: [], proxy: 'user:topsecret' })).toThrow(
      expect.objectContaining({ code: 'usage.invalid' }),
    );
    await expect(
      get(plain, { headers: { 'proxy-authorization': 'Basic topsecret' } }),
    ).rejects.toMatchObject({ code: 'usage.invalid' });
  });

  test('stands where its operator put it: rules are for what is asked of it, as far as an address says where that is', async () => {
    const proxy = await forwardProxy();
    const rules = addressRules([]);
    const named = new URL('http://name.invalid/');
    for (const transport of [setup({ rules }), setup({ rules, proxy: proxy.url })]) {
      const own = { proxy: proxy.url };
      const refused = { code: 'address.refused' };
      await expect(transport.get(new URL('http://127.0.0.1:1/'), own)).rejects.toMatchObject(
        refused,
      );
      await expect(transport.get(new URL('https://[::1]/'), own)).rejects.toMatchObject(refused);
      expect(proxy.requests.splice(0)).toEqual([]);
      expect(await transport.get(named, own)).toMatchObject({ status: 502 });
      expect(proxy.requests.splice(0)).toEqual([`GET ${named.href}`]);
    }
  });
});
