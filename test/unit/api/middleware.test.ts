import { expect, test } from 'vitest';
import { API_LIMITS } from '../../../src/api/apiLimits.ts';
import { apiApp } from '../../../src/api/app.ts';
import { memoryParts, OWN } from '../../support/api/memoryParts.ts';

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const withoutKeys = { isKeyDemanded: false, hosts: [], origins: [] };
const newKey = JSON.stringify({ name: 'reader', scopes: ['jobs.read'] });
const json = { 'content-type': 'application/json' };

async function withKey(given: Parameters<typeof memoryParts>[0] = {}) {
  const made = memoryParts(given);
  const headers = bearer(await made.accessKeys.keyFor(OWN));
  return { ...made, app: apiApp(made.parts), headers };
}

test('HEAD has the headers of GET with the length of its body, and no body', async () => {
  const { app, headers } = await withKey();
  const get = await app.request('/api/v1/me', { headers });
  const head = await app.request('/api/v1/me', { method: 'HEAD', headers });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');
  const { byteLength } = await get.arrayBuffer();
  expect(head.headers.get('content-length')).toBe(String(byteLength));
});

test('an answer that the caller has already is 304, with its safe headers and its request id', async () => {
  const { app } = await withKey();
  const first = await app.request('/api/v1/openapi.json');
  const tag = first.headers.get('etag') ?? '';
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const again = await app.request('/api/v1/openapi.json', {
      headers: { 'if-none-match': known },
    });
    expect(again.status).toBe(304);
    expect(again.headers.get('etag')).toBe(tag);
    expect(again.headers.get('x-request-id')).toBeTruthy();
    expect(again.headers.get('content-type')).toBeNull();
    expect(again.headers.get('cache-control')).toBe('private, no-cache');
  }
  const other = await app.request('/api/v1/openapi.json', { headers: { 'if-none-match': '"x"' } });
  expect(other.status).toBe(200);
});

test('answers are not to be stored, sniffed, framed or run, failures included', async () => {
  const { app } = await withKey();
  const answer = await app.request('/api/v1/me');
  expect(answer.status).toBe(401);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
});

test('a body over the limit is 413, whether it says its length or not', async () => {
  const { app, headers } = await withKey({ limits: { ...API_LIMITS, bodyBytesMax: 1_000 } });
  const body = newKey.padEnd(1_001);
  const ask = (its: RequestInit) =>
    app.request('/api/v1/keys', { method: 'POST', headers: { ...headers, ...json }, ...its });
  const chunked = new Blob([body]).stream();
  const refused = [
    await ask({ body, headers: { ...headers, ...json, 'content-length': '1001' } }),
    await ask({ body: chunked, duplex: 'half' }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([413, 413]);
  expect((await ask({ body: newKey.padEnd(1_000) })).status).toBe(201);
});

test('who asks too often is told when to come back, by key and by address', async () => {
  for (const which of ['requestsPerKeyAndMinute', 'requestsPerAddressAndMinute'] as const) {
    const { app, headers } = await withKey({ limits: { ...API_LIMITS, [which]: 2 } });
    const ask = () => app.request('/api/v1/me', { headers });
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const [first, , last] = answers;
    expect(first?.headers.get('ratelimit')).toContain('r=1;t=60');
    expect(last?.headers.get('ratelimit-policy')).toContain('q=2;w=60');
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last?.json()).toMatchObject({ error: { code: 'rate.limited' } });
  }
});

test('pages of listed origins may ask, and of no others', async () => {
  const origins = ['https://dashboard.example'];
  const { app, headers } = await withKey({ door: { isKeyDemanded: true, hosts: [], origins } });
  const from = (origin: string) => app.request('/api/v1/me', { headers: { ...headers, origin } });
  const listed = await from('https://dashboard.example');
  expect(listed.headers.get('access-control-allow-origin')).toBe('https://dashboard.example');
  expect(listed.headers.get('access-control-allow-credentials')).toBeNull();
  const other = await from('https://evil.example');
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
  const preflight = await app.request('/api/v1/keys', {
    method: 'OPTIONS',
    headers: {
      origin: 'https://dashboard.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-evil',
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).not.toContain('evil');
});

test('a service without keys answers to its own names only', async () => {
  const { parts } = memoryParts({ door: { ...withoutKeys, hosts: ['kennel.lan'] } });
  const status = async (url: string) => (await apiApp(parts).request(`${url}/api/v1/me`)).status;
  expect(await status('http://localhost:4000')).toBe(200);
  expect(await status('http://127.0.0.1')).toBe(200);
  expect(await status('http://[::1]:4000')).toBe(200);
  expect(await status('http://kennel.lan')).toBe(200);
  expect(await status('http://rebound.evil.example')).toBe(403);
});

test("a service without keys refuses what other sites' pages change, proxies, and other machines", async () => {
  const { parts } = memoryParts({ door: { ...withoutKeys, origins: ['https://mine.example'] } });
  const app = apiApp(parts);
  const post = async (headers: Record<string, string>) => {
    const its = { method: 'POST', body: newKey, headers: { ...json, ...headers } };
    return (await app.request('http://localhost:4000/api/v1/keys', its)).status;
  };
  expect(await post({})).toBe(201);
  expect(await post({ origin: 'http://localhost:4000', 'sec-fetch-site': 'same-origin' })).toBe(
    201,
  );
  expect(await post({ origin: 'https://mine.example', 'sec-fetch-site': 'cross-site' })).toBe(201);
  expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403);
  expect(await post({ origin: 'https://evil.example' })).toBe(403);
  expect(await post({ origin: 'null' })).toBe(403);
  expect(await post({ origin: 'http://localhost:5000' })).toBe(403);
  expect(await post({ 'x-forwarded-for': '203.0.113.7' })).toBe(403);
  const upgrade = { upgrade: 'websocket', origin: 'https://evil.example' };
  const socket = await app.request('http://localhost/api/v1/me', { headers: upgrade });
  expect(socket.status).toBe(403);
  const incoming = { socket: { remoteAddress: '192.0.2.1' } };
  const remote = await app.request('http://localhost/api/v1/me', {}, { incoming });
  expect(remote.status).toBe(403);
});

test('every answer is a line of the log, without its query', async () => {
  const { app, headers, lines } = await withKey();
  await app.request('/api/v1/keys?tenantId=default', { headers });
  const { fields } = lines.find(({ message }) => message === 'Answered') ?? {};
  expect(fields).toMatchObject({ method: 'GET', path: '/api/v1/keys', status: 200, keyId: 'k1' });
  expect(JSON.stringify(lines)).not.toContain('tenantId=default');
});
