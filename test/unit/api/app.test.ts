import { expect, test } from 'vitest';
import { apiApp } from '../../../src/api/app.ts';
import { ApiError } from '../../../src/api/schemas/error.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { FOREIGN, memoryParts, OWN } from '../../support/api/memoryParts.ts';

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('whoever sends a key is told who they are', async () => {
  const { parts, accessKeys } = memoryParts();
  const app = apiApp(parts);
  const key = await accessKeys.keyFor(FOREIGN, ['jobs.read']);
  const answer = await app.request('/api/v1/me', { headers: bearer(key) });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ tenantId: FOREIGN, keyId: 'k1', scopes: ['jobs.read'] });
});

test('without a key, with a wrong one and without the scope, each failure has its code and status', async () => {
  const { parts, accessKeys } = memoryParts();
  const app = apiApp(parts);
  const reader = await accessKeys.keyFor(OWN, ['jobs.read']);
  const none = await app.request('/api/v1/keys');
  const wrong = await app.request('/api/v1/keys', { headers: bearer('kn_k9_nothing') });
  const other = await app.request('/api/v1/keys', { headers: { authorization: 'Basic YTpi' } });
  const weak = await app.request('/api/v1/keys', { headers: bearer(reader) });
  expect([none.status, wrong.status, other.status, weak.status]).toEqual([401, 401, 401, 403]);
  expect(none.headers.get('www-authenticate')).toContain('Bearer');
  const bodies = await Promise.all(
    [none, wrong, other, weak].map(async (answer) => ApiError.parse(await answer.json())),
  );
  expect(bodies.map(({ error }) => error.code)).toEqual([
    'access.missing',
    'access.denied',
    'access.denied',
    'access.forbidden',
  ]);
});

test('a service that demands no keys takes everybody for its admin', async () => {
  const { parts } = memoryParts({ door: { isKeyDemanded: false, hosts: [], origins: [] } });
  const answer = await apiApp(parts).request('http://localhost/api/v1/me');
  expect(await answer.json()).toMatchObject({ tenantId: 'default' });
});

test('what is wrong with a request is told all at once', async () => {
  const { parts, accessKeys } = memoryParts();
  const key = await accessKeys.keyFor(OWN);
  const answer = await apiApp(parts).request('/api/v1/keys', {
    method: 'POST',
    headers: { ...bearer(key), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a\0b', scopes: ['everything'], colour: 'red' }),
  });
  expect(answer.status).toBe(400);
  const { error } = ApiError.parse(await answer.json());
  expect(error.code).toBe('request.invalid');
  expect(error.details['issues']).toHaveLength(3);
});

test('a failure is a problem document for whoever accepts one, with the same code', async () => {
  const { parts } = memoryParts();
  const answer = await apiApp(parts).request('/api/v1/nothing', {
    headers: { accept: 'application/problem+json', 'x-request-id': 'mine-1' },
  });
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-request-id')).toBe('mine-1');
  expect(await answer.json()).toMatchObject({
    code: 'route.notFound',
    status: 404,
    request_id: 'mine-1',
  });
});

test('a wrong method is told which ones are right', async () => {
  const { parts } = memoryParts();
  const answer = await apiApp(parts).request('/api/v1/keys/k1', { method: 'PATCH' });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('DELETE');
  expect(await answer.json()).toMatchObject({ error: { code: 'method.notAllowed' } });
});

test('a bug is logged under the id of its request, and its text stays inside', async () => {
  const { parts, accessKeys, lines } = memoryParts();
  const key = await accessKeys.keyFor(OWN);
  accessKeys.tenants = () => Promise.reject(new Error('password=hunter2'));
  const answer = await apiApp(parts).request('/api/v1/tenants', {
    headers: { ...bearer(key), 'x-request-id': 'r-7' },
  });
  expect(answer.status).toBe(500);
  const text = await answer.text();
  expect(text).not.toContain('hunter2');
  expect(JSON.parse(text)).toMatchObject({ error: { code: 'bug', request_id: 'r-7' } });
  const line = lines.find(({ level }) => level === 'error');
  expect(line?.fields).toMatchObject({ requestId: 'r-7' });
  expect(String(line?.fields['stack'])).toContain('hunter2');
});

test('a database that is away is 503 with a time to come back, and no address', async () => {
  const { parts, accessKeys } = memoryParts();
  accessKeys.whose = () =>
    Promise.reject(new KennelError('database.unavailable', 'connect ECONNREFUSED 10.0.0.5:5432'));
  const answer = await apiApp(parts).request('/api/v1/me', { headers: bearer('kn_a_b') });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(await answer.text()).not.toContain('10.0.0.5');
});
