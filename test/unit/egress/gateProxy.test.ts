import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { forwardProxy } from '../hls/forwardProxy.ts';
import { movedClock, rawServer } from '../hls/transportServer.ts';
import {
  ask,
  authorizationOf,
  gateSetup,
  loopback,
  loopbackNetwork,
  serve,
  tunnelTo,
  until,
} from './gateSetup.ts';

/** Says what it was asked. */
const echo = () =>
  http.createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method, url, rawHeaders } = request;
      response.setHeader('keep-alive', 'timeout=7');
      response.setHeader('x-two', ['1', '2']);
      response.end(JSON.stringify({ method, url, rawHeaders, body }));
    });
  });

const echoTcp = () =>
  net.createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));

describe('the proxy of the gate, asked in absolute form', () => {
  test('passes a request on as it is, without what is between neighbours, and the answer too', async () => {
    const port = await serve(echo());
    const { pass } = await gateSetup();
    const target = `http://127.0.0.1:${port}/a/../b%2f|?c=d|e&x=[1]`;
    const headers = {
      'Proxy-Connection': 'keep-alive',
      Connection: 'X-Mine, keep-alive',
      'X-Mine': 'secret',
      TE: 'trailers',
      'X-Kept': 'kept',
      Host: 'elsewhere.example',
      Authorization: 'Basic b3JpZ2lu',
    };
    const answered = await ask(pass.proxyUrl, target, { headers });
    expect(answered.status).toBe(200);
    expect(answered.headers).toMatchObject({ 'x-two': '1, 2' });
    expect(answered.headers['keep-alive']).not.toBe('timeout=7');
    const asked = JSON.parse(answered.body);
    expect(asked.url).toBe('/a/../b%2f|?c=d|e&x=[1]');
    const sent = asked.rawHeaders.join('\n').toLowerCase();
    expect(sent).toContain(`host\n127.0.0.1:${port}`);
    expect(sent).toContain('x-kept\nkept');
    expect(sent).toContain('authorization\nbasic b3jpz2lu');
    expect(sent).not.toMatch(/x-mine|proxy|\nte\n|elsewhere/);
    expect(pass.receivedBytes).toBe(answered.body.length);
  });

  test('passes bodies on, both ways, of every length and of none', async () => {
    const port = await serve(echo());
    const { pass } = await gateSetup();
    const target = `http://127.0.0.1:${port}/`;
    const long = 'x'.repeat(1_000_000);
    for (const headers of [{ 'transfer-encoding': 'chunked' }, { 'content-length': '1000000' }]) {
      const { body } = await ask(pass.proxyUrl, target, { method: 'POST', send: long, headers });
      expect(JSON.parse(body).body.length).toBe(1_000_000);
    }
    expect(pass.sentBytes).toBe(2_000_000);
    const head = await ask(pass.proxyUrl, target, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
  });

  test('keeps connections to the origin, and notices when the origin has closed one', async () => {
    const server = await rawServer((socket, _request, index) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi');
      if (index === 1) socket.destroy();
    });
    const { pass } = await gateSetup();
    for (let request = 0; request < 5; request++) {
      expect(await ask(pass.proxyUrl, server.url('/').href)).toMatchObject({ body: 'hi' });
    }
    expect(server.sockets.length).toBe(2);
  });

  test('shows the program that an answer was cut short', async () => {
    const server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
      setTimeout(() => socket.destroy(), 10);
    });
    const { pass } = await gateSetup();
    await expect(ask(pass.proxyUrl, server.url('/').href)).rejects.toThrow(/aborted|hang up/);
  });

  test('says in one line what is wrong with a target, and remembers what was refused', async () => {
    const closed = await serve(net.createServer());
    const { pass, logged } = await gateSetup({ rules: addressRules([`127.0.0.1:${closed}`]) });
    const answers: Record<string, number> = {
      'http://127.0.0.1:1/': 403,
      'http://2130706433/': 403,
      'http://[::ffff:7f00:1]:81/': 403,
      'http://name.invalid/': 502,
      'https://127.0.0.1/': 400,
      'ftp://127.0.0.1/': 400,
      '/': 400,
      'http://': 400,
      'http://good.example\\@127.0.0.1/': 400,
    };
    for (const [target, status] of Object.entries(answers)) {
      const answered = await ask(pass.proxyUrl, target);
      expect([target, answered.status]).toEqual([target, status]);
      expect(answered.body.trimEnd().split('\n')).toHaveLength(1);
    }
    await ask(pass.proxyUrl, 'http://127.0.0.1:1/');
    expect(pass.refused).toEqual(['127.0.0.1:80', '[::ffff:7f00:1]:81', '127.0.0.1:1']);
    expect(logged).toHaveLength(3);
    for (let port = 1; port < 20; port++) await ask(pass.proxyUrl, `http://127.0.0.1:${port}/`);
    expect(pass.refused).toHaveLength(8);
  });
});

describe('the proxy of the gate, asked for a tunnel', () => {
  test('carries both directions, counts them, and keeps a half-closed end open', async () => {
    const port = await serve(echoTcp());
    const { pass } = await gateSetup();
    const { status, socket } = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    expect(status).toBe(200);
    const sent = Buffer.alloc(3_000_000, 7);
    let received = 0;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    socket.end(sent);
    await once(socket, 'end');
    expect(received).toBe(sent.length);
    expect([pass.receivedBytes, pass.sentBytes]).toEqual([sent.length, sent.length]);
  });

  test('goes only where the rules permit', async () => {
    const port = await serve(echoTcp());
    const { pass } = await gateSetup({ rules: addressRules([]) });
    for (const target of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `[::1]:${port}`,
      `0x7f.1:${port}`,
    ]) {
      const { status, line, socket } = await tunnelTo(pass.proxyUrl, target);
      expect([target, status]).toEqual([target, 403]);
      expect(line).toContain('--allow');
      socket.destroy();
    }
    expect(pass.refused).toEqual([`localhost:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`]);
    for (const target of [
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:99999',
      'x@127.0.0.1:80',
      '::1:80',
      '/',
    ]) {
      expect([target, (await tunnelTo(pass.proxyUrl, target)).status]).toEqual([target, 400]);
    }
  });

  test('says when there is no connection', async () => {
    const { pass } = await gateSetup();
    const { status, line } = await tunnelTo(pass.proxyUrl, '127.0.0.1:1');
    expect([status, line]).toEqual([502, expect.stringContaining('ECONNREFUSED')]);
  });

  test('ends the other side when one side breaks', async () => {
    const inside: net.Socket[] = [];
    const port = await serve(net.createServer((socket) => void inside.push(socket)));
    const { pass } = await gateSetup();
    const first = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    await until(() => inside.length === 1);
    const closing = once(first.socket, 'close');
    inside[0]?.resetAndDestroy();
    first.socket.resume();
    first.socket.once('end', () => first.socket.end());
    await closing;
    const second = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    await until(() => inside.length === 2);
    second.socket.resetAndDestroy();
    inside[1]?.resume();
    if (inside[1]?.closed === false) await once(inside[1], 'close');
  });
});

describe('a pass', () => {
  test('is good for its own secret only, and for nothing once it is closed', async () => {
    const port = await serve(echo());
    const { gate, network, pass } = await gateSetup();
    const other = await gate.pass(network, { rules: loopback });
    expect(network.servers).toHaveLength(1);
    expect(new URL(other.proxyUrl).host).toBe(new URL(pass.proxyUrl).host);
    const target = `http://127.0.0.1:${port}/`;
    const mixed = new URL(pass.proxyUrl);
    mixed.password = new URL(other.proxyUrl).password;
    const forged = ['', 'Basic', 'Basic x', 'Bearer x', authorizationOf(mixed.href)];
    const unknown = Buffer.from('nobody:secret').toString('base64');
    for (const authorization of [...forged, `Basic ${unknown}`]) {
      const headers = { 'proxy-authorization': authorization };
      const answered = await ask(pass.proxyUrl, target, { headers });
      expect(answered).toMatchObject({
        status: 407,
        headers: { 'proxy-authenticate': /^Basic realm=/ },
      });
      const tunnel = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`, authorization);
      expect(tunnel.status).toBe(407);
    }
    expect((await ask(pass.proxyUrl, target)).status).toBe(200);
    pass.close();
    expect((await ask(pass.proxyUrl, target)).status).toBe(407);
    expect((await ask(other.proxyUrl, target)).status).toBe(200);
  });

  test('ends its connections, of both sides, and nobody else’s', async () => {
    const inside: net.Socket[] = [];
    const port = await serve(net.createServer((socket) => void inside.push(socket.resume())));
    const { gate, network, pass } = await gateSetup();
    const other = await gate.pass(network, { rules: loopback });
    const [mine, theirs] = [
      await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`),
      await tunnelTo(other.proxyUrl, `127.0.0.1:${port}`),
    ];
    const relay = await pass.relay({ protocol: 'tcp', host: '127.0.0.1', port });
    const relayed = net.connect(relay.port, relay.host);
    await until(() => inside.length === 3);
    pass.close();
    const ended = ({ readableEnded, destroyed }: net.Socket) => readableEnded || destroyed;
    for (const socket of [mine.socket, relayed]) socket.on('error', () => undefined).resume();
    await until(() => ended(mine.socket) && ended(relayed));
    await until(() => inside.filter(ended).length === 2);
    expect(theirs.socket.destroyed).toBe(false);
    await gate.close();
    for (const server of network.servers) expect(server.listening).toBe(false);
  });

  test('holds its programs to a bandwidth that all of its connections share', async () => {
    const clock = movedClock();
    const port = await serve(net.createServer((socket) => void socket.end(Buffer.alloc(100_000))));
    const { pass } = await gateSetup({ bytesPerSecondMax: 10_000 }, { clock });
    const sockets = [
      await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`),
      await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`),
    ];
    for (const { socket } of sockets) socket.resume();
    await until(() => pass.receivedBytes > 2_500);
    let seconds = 0;
    while (pass.receivedBytes < 200_000) {
      clock.move(1_000);
      seconds++;
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seconds).toBeGreaterThanOrEqual(6);
    expect(pass.receivedBytes).toBe(200_000);
  });

  test('has so many connections at once and no more', async () => {
    const port = await serve(net.createServer());
    const { pass } = await gateSetup();
    const made = await Promise.all(
      Array.from({ length: 130 }, () => tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`)),
    );
    expect(made.filter(({ status }) => status === 200)).toHaveLength(128);
    expect(made.filter(({ status }) => status === 503)).toHaveLength(2);
    for (const { socket } of made) socket.destroy();
    const again = async () => (await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`)).status;
    while ((await again()) !== 200) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('silence', () => {
  test('ends a connection that never says what it wants, and a tunnel that nobody uses', async () => {
    const clock = movedClock();
    const inside: net.Socket[] = [];
    const port = await serve(net.createServer((socket) => void inside.push(socket)));
    const { pass } = await gateSetup({}, { clock });
    const { hostname, port: proxyPort } = new URL(pass.proxyUrl);
    const mute = net.connect(Number(proxyPort), hostname);
    mute.on('error', () => undefined).resume();
    await once(mute, 'connect');
    const used = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    const unused = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    await until(() => inside.length === 2);
    mute.write('GET http://');
    for (let step = 0; step < 3; step++) clock.move(5_000);
    await until(() => mute.destroyed);
    unused.socket.resume();
    for (let step = 0; step < 26; step++) {
      const { bytesRead } = inside[0] ?? { bytesRead: 0 };
      used.socket.write('x');
      await until(() => (inside[0]?.bytesRead ?? 0) > bytesRead);
      clock.move(5_000);
    }
    await until(() => unused.socket.readableEnded || unused.socket.destroyed);
    expect(used.socket.destroyed).toBe(false);
    expect(inside[0]?.readyState).toBe('open');
  });

  test('of a target that does not answer is told as such', async () => {
    const clock = movedClock();
    const lookup = () => undefined; // A name server that says nothing.
    const { pass } = await gateSetup({}, { clock, lookup });
    const tunnel = tunnelTo(pass.proxyUrl, 'name.example:443');
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.move(15_000);
    expect((await tunnel).status).toBe(504);
  });
});

describe('an upstream proxy', () => {
  test('is asked with its own password, for tunnels, plain requests and relays', async () => {
    const port = await serve(echo());
    const upstream = await forwardProxy({ userInfo: 'me:p%40ss' });
    upstream.url.password = 'p%2540ss';
    const { pass } = await gateSetup({ upstream: upstream.url });
    const { body } = await ask(pass.proxyUrl, `http://127.0.0.1:${port}/x`);
    expect(JSON.parse(body)).toMatchObject({ url: '/x' });
    expect(body).not.toContain(new URL(pass.proxyUrl).password);
    const { status, socket } = await tunnelTo(pass.proxyUrl, `127.0.0.1:${port}`);
    expect(status).toBe(200);
    socket.write('GET /y HTTP/1.0\r\n\r\n');
    const [head] = await once(socket, 'data');
    expect(String(head)).toMatch(/^HTTP\/1\.1 200/);
    const relay = await pass.relay({ protocol: 'tcp', host: '127.0.0.1', port });
    expect((await ask(pass.proxyUrl, '/z', { ...relay })).status).toBe(200);
    expect(upstream.requests).toEqual([
      `GET http://127.0.0.1:${port}/x`,
      `CONNECT 127.0.0.1:${port}`,
      `CONNECT 127.0.0.1:${port}`,
    ]);
    await expect(pass.relay({ protocol: 'udp', host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'usage.invalid',
    });
  });

  test('resolves names itself; addresses are checked before it is asked, its own is not', async () => {
    const upstream = await forwardProxy();
    const lookup = () => expect.unreachable('a name was resolved here');
    const { pass } = await gateSetup(
      { upstream: upstream.url, rules: addressRules([]) },
      { lookup },
    );
    expect((await ask(pass.proxyUrl, 'http://127.0.0.1:1/')).status).toBe(403);
    expect((await tunnelTo(pass.proxyUrl, '[::1]:1')).status).toBe(403);
    await expect(pass.relay({ protocol: 'tcp', host: '10.0.0.1', port: 1 })).rejects.toMatchObject({
      code: 'address.refused',
    });
    expect(upstream.requests).toEqual([]);
    expect((await ask(pass.proxyUrl, 'http://name.invalid/')).status).toBe(502);
    expect(upstream.requests).toEqual(['GET http://name.invalid/']);
  });

  test('that wants another password, or is none, is told as such', async () => {
    const upstream = await forwardProxy({ userInfo: 'other:password' });
    upstream.url.username = '';
    upstream.url.password = '';
    const { gate, pass } = await gateSetup({ upstream: upstream.url });
    const { status, line } = await tunnelTo(pass.proxyUrl, 'name.example:443');
    expect([status, line]).toEqual([502, expect.stringContaining('another user or password')]);
    const none = { rules: loopback, upstream: new URL('socks5://127.0.0.1:1') };
    await expect(gate.pass(loopbackNetwork(), none)).rejects.toMatchObject({
      code: 'usage.invalid',
    });
  });
});
