import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { API_LIMITS } from '../../src/api/apiLimits.ts';
import type { ApiParts } from '../../src/api/apiParts.ts';
import { apiApp } from '../../src/api/app.ts';
import { type ApiServer, apiServer, type ConnectionLimits } from '../../src/api/server.ts';
import { pause, systemClock } from '../../src/core/clock.ts';
import { memoryParts, OWN } from '../support/api/memoryParts.ts';
import { rawAnswer, rawConnection, readToEnd } from '../support/api/rawHttp.ts';

const servers: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
});

interface Given {
  readonly parts?: Partial<ApiParts>;
  readonly limits?: Partial<ConnectionLimits>;
}

/** An API on a real port, whose requests to `/api/v1/me` can be held up. */
async function setup({ parts: its = {}, limits = {} }: Given = {}) {
  const { parts, accessKeys, lines } = memoryParts(its);
  const key = await accessKeys.keyFor(OWN);
  const held = { isHeld: false, waiting: 0, release: Promise.withResolvers<void>() };
  const whose = accessKeys.whose.bind(accessKeys);
  accessKeys.whose = async (text) => {
    if (held.isHeld) {
      held.waiting += 1;
      await held.release.promise;
    }
    return await whose(text);
  };
  const made = apiServer({ fetch: apiApp(parts).fetch, clock: systemClock, limits });
  servers.push(made);
  made.server.listen(0, '127.0.0.1');
  await once(made.server, 'listening');
  const { port } = made.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/v1`;
  const authorization = `Bearer ${key}`;
  const isAlive = async () =>
    (await fetch(`${url}/me`, { headers: { authorization, connection: 'close' } })).status === 200;
  return { made, port, url, authorization, held, lines, isAlive };
}

/** Waits for what happens in its own time, and gives up with the test. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(systemClock, 10);
}

test('who dribbles headers is cut off, and who sends too many is refused', async () => {
  const { port, isAlive } = await setup({ limits: { headersWithinMs: 300, requestWithinMs: 600 } });
  const slow = await rawConnection(port);
  const told = readToEnd(slow);
  slow.write('GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  expect(await told).toMatch(/^HTTP\/1.1 408 /);
  const large = `GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(17_000)}\r\n\r\n`;
  expect(await rawAnswer(port, large)).toMatch(/^HTTP\/1.1 431 /);
  expect(await isAlive()).toBe(true);
});

test('who dribbles a body is cut off', async () => {
  const { port, authorization, isAlive } = await setup({
    limits: { headersWithinMs: 300, requestWithinMs: 600 },
  });
  const slow = await rawConnection(port);
  const ended = readToEnd(slow);
  slow.write(
    `POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  expect(await ended).not.toMatch(/^HTTP\/1.1 2/);
  expect(await isAlive()).toBe(true);
});

test('a body over the limit is 413, with its length told or in chunks without end', async () => {
  const { url, port, authorization, isAlive } = await setup({
    parts: { limits: { ...API_LIMITS, bodyBytesMax: 1_000 } },
  });
  const headers = { authorization, 'content-type': 'application/json' };
  const told = await fetch(`${url}/keys`, { method: 'POST', headers, body: ' '.repeat(1_001) });
  expect(told.status).toBe(413);
  expect(await told.json()).toMatchObject({ error: { code: 'request.tooLarge' } });
  const body = '{"name":"reader","scopes":["jobs.read"]}';
  const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const head = `POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n`;
  const whole = await rawAnswer(port, `${head}Connection: close\r\n\r\n${chunks}`);
  expect(whole).toMatch(/^HTTP\/1.1 201 /);
  const endless = await rawConnection(port);
  const answer = once(endless, 'data');
  endless.write(`${head}\r\n`);
  for (let at = 0; at < 3; at += 1) endless.write(`1f4\r\n${'x'.repeat(500)}\r\n`);
  expect(String(await answer)).toMatch(/^HTTP\/1.1 413 /);
  endless.destroy();
  expect(await isAlive()).toBe(true);
});

test('when there is no room, connections that ask nothing make way for those that do', async () => {
  const { port, isAlive } = await setup({ limits: { connectionsMax: 50 } });
  const slow = await Promise.all(Array.from({ length: 50 }, () => rawConnection(port)));
  for (const socket of slow) socket.write('GET /api/v1/me HTTP/1.1\r\nHost: loc');
  for (let at = 0; at < 20; at += 1) expect(await isAlive()).toBe(true);
  await until(() => slow.some(({ closed }) => closed));
  expect(slow.filter(({ closed }) => closed).length).toBeLessThan(50);
  for (const socket of slow) socket.destroy();
});

test('200 clients that reset while their request runs harm nobody', async () => {
  const { port, authorization, held, isAlive, lines } = await setup();
  held.isHeld = true;
  const rude = await Promise.all(Array.from({ length: 200 }, () => rawConnection(port)));
  for (const socket of rude)
    socket.write(
      `GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`,
    );
  await until(() => held.waiting === 200);
  for (const socket of rude) socket.resetAndDestroy();
  held.release.resolve();
  held.isHeld = false;
  expect(await isAlive()).toBe(true);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('HEAD says the length that GET has', async () => {
  const { url, authorization } = await setup();
  for (const path of ['/me', '/keys', '/tenants', '/openapi.json', '/docs', '/docs/start.js']) {
    const its = { headers: { authorization } };
    const get = await fetch(`${url}${path}`, its);
    const { byteLength } = await get.arrayBuffer();
    const head = await fetch(`${url}${path}`, { ...its, method: 'HEAD' });
    expect([path, head.status, head.headers.get('content-length')]).toEqual([
      path,
      200,
      String(byteLength),
    ]);
    expect(get.headers.get('content-length')).toBe(String(byteLength));
  }
});

test('methods that nobody knows, and paths that are none, are refused and not failures', async () => {
  const { port, lines } = await setup();
  for (const [line, status] of [
    ['TRACE /api/v1/me HTTP/1.1', 405],
    ['PROPFIND /api/v1/me HTTP/1.1', 405],
    ['GET //evil.example/api HTTP/1.1', 404],
    ['GET /api/v1/%zz HTTP/1.1', 404],
    ['GET /api/v1/keys/%00 HTTP/1.1', 405],
  ] as const) {
    const answer = await rawAnswer(port, `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect([line, Number(answer.split(' ')[1])]).toEqual([line, status]);
  }
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('pages of listed origins may ask over a real socket, and of no others', async () => {
  const { url, authorization } = await setup({
    parts: { door: { isKeyDemanded: true, hosts: [], origins: ['https://dash.example'] } },
  });
  const from = async (origin: string) =>
    (await fetch(`${url}/me`, { headers: { authorization, origin } })).headers.get(
      'access-control-allow-origin',
    );
  expect(await from('https://dash.example')).toBe('https://dash.example');
  expect(await from('https://other.example')).toBeNull();
});

test('closing waits for running requests, ends idle connections, and cuts what is too late', async () => {
  const { made, url, port, authorization, held } = await setup();
  const idle = await rawConnection(port);
  const idleGone = readToEnd(idle);
  held.isHeld = true;
  const running = fetch(`${url}/me`, { headers: { authorization } });
  await until(() => held.waiting === 1);
  const closed = made.close(60_000);
  await idleGone;
  await expect(fetch(`${url}/me`)).rejects.toThrow();
  held.release.resolve();
  expect((await running).status).toBe(200);
  await closed;

  const other = await setup();
  other.held.isHeld = true;
  const late = fetch(`${other.url}/me`, { headers: { authorization: other.authorization } });
  await until(() => other.held.waiting === 1);
  const cut = expect(late).rejects.toThrow();
  await other.made.close(50);
  await cut;
});

test('a service without keys answers over a socket file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kennel-api-'));
  const { parts } = memoryParts({ door: { isKeyDemanded: false, hosts: [], origins: [] } });
  const made = apiServer({ fetch: apiApp(parts).fetch, clock: systemClock });
  servers.push(made);
  const socketPath = join(directory, 'kennel.sock');
  made.server.listen(socketPath);
  await once(made.server, 'listening');
  const asked = request({ socketPath, path: '/api/v1/me', headers: { host: 'localhost' } }).end();
  const [answer] = await once(asked, 'response');
  expect(answer.statusCode).toBe(200);
  answer.resume();
  await rm(directory, { recursive: true });
});
