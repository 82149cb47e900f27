import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { ApiEnv } from '../../../src/api/apiEnv.ts';
import { canonicalJson, idempotencyOf } from '../../../src/api/idempotency.ts';

const app = new Hono<ApiEnv>().post('/:what', async (c) =>
  c.json((await idempotencyOf(c)) ?? null),
);

const fingerprint = async (path: string, body: string) => {
  const answer = await app.request(path, {
    method: 'POST',
    headers: { 'idempotency-key': 'k', 'content-type': 'application/json' },
    body,
  });
  return await answer.json();
};

test('the same data is the same request, however it is written', async () => {
  const one = await fingerprint('/a', '{"url":"x","labels":{"b":1,"a":[2,1]}}');
  expect(await fingerprint('/a', '{ "labels": {"a":[2,1], "b":1.0}, "url":"\\u0078" }')).toEqual(
    one,
  );
  expect(one).toMatchObject({ key: 'k', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test('other data, another order of a list, or another path is another request', async () => {
  const one = await fingerprint('/a', '{"list":[1,2]}');
  expect(await fingerprint('/a', '{"list":[2,1]}')).not.toEqual(one);
  expect(await fingerprint('/a', '{"list":[1,2],"more":null}')).not.toEqual(one);
  expect(await fingerprint('/b', '{"list":[1,2]}')).not.toEqual(one);
});

test('a request without the header has none, and one without a body has one', async () => {
  expect(await (await app.request('/a', { method: 'POST' })).json()).toBeNull();
  const bare = await app.request('/a', { method: 'POST', headers: { 'idempotency-key': 'k' } });
  expect(await bare.json()).toMatchObject({ key: 'k' });
});

test('members that mean something to JavaScript are members like others', () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"b":1,"a":2},"constructor":1}');
  expect(canonicalJson(hostile)).toBe('{"__proto__":{"a":2,"b":1},"constructor":1}');
});
