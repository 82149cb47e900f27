import { hc } from 'hono/client';
import { expect, expectTypeOf, test } from 'vitest';
import { type ApiType, apiApp } from '../../../src/api/app.ts';
import { memoryParts, OWN } from '../../support/api/memoryParts.ts';

test('the typed client knows paths, bodies and answers by status', async () => {
  const { parts, accessKeys } = memoryParts();
  const app = apiApp(parts);
  const authorization = `Bearer ${await accessKeys.keyFor(OWN)}`;
  const client = hc<ApiType>('http://localhost', {
    headers: { authorization },
    fetch: async (url: string | URL | Request, its?: RequestInit) => await app.request(url, its),
  });
  const answer = await client.api.v1.keys.$post({
    json: { name: 'reader', scopes: ['jobs.read'] },
  });
  expect(answer.status).toBe(201);
  if (answer.status !== 201) {
    const { error } = await answer.json();
    expectTypeOf(error.message).toEqualTypeOf<string>();
    return;
  }
  const made = await answer.json();
  expectTypeOf(made.key.id).toEqualTypeOf<string>();
  const revoked = await client.api.v1.keys[':keyId'].$delete({ param: { keyId: made.key.id } });
  expect(revoked.status).toBe(200);
});
