import { expect, test } from 'vitest';
import { z } from 'zod';
import { apiApp } from '../../../src/api/app.ts';
import { DeliveryList, MadeWebhook, WebhookList } from '../../../src/api/schemas/webhook.ts';
import type { Scope } from '../../../src/core/access.ts';
import { FOREIGN, memoryParts, OWN } from '../../support/api/memoryParts.ts';
import { MemoryWebhooks } from '../../support/api/memoryWebhooks.ts';

async function setup() {
  const webhooks = new MemoryWebhooks();
  const { parts, accessKeys } = memoryParts({ webhooks });
  const app = apiApp(parts);
  const as = async (
    tenantId: typeof OWN | typeof FOREIGN,
    scopes: readonly Scope[] = ['webhooks'],
  ) => {
    const key = await accessKeys.keyFor(tenantId, scopes);
    return async (method: string, path: string, body?: unknown) =>
      await app.request(`/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
  };
  return { webhooks, as };
}

const codeOf = async (answer: Response) =>
  z.object({ error: z.object({ code: z.string() }) }).parse(await answer.json()).error.code;

test('a receiver is made with its secret, and shown without it from then on', async () => {
  const { as } = await setup();
  const ask = await as(OWN);
  const made = await ask('POST', '/webhooks', { url: 'https://hooks.example/a', types: ['job.*'] });
  expect(made.status).toBe(201);
  const { webhook, secret } = MadeWebhook.parse(await made.json());
  expect(secret).toMatch(/^whsec_/);
  expect(made.headers.get('location')).toBe(`/api/v1/webhooks/${webhook.id}`);
  const shown = await (await ask('GET', `/webhooks/${webhook.id}`)).text();
  expect(shown).not.toContain('secret');
  const { webhooks } = WebhookList.parse(await (await ask('GET', '/webhooks')).json());
  expect(webhooks).toEqual([webhook]);
  const changed = await ask('PATCH', `/webhooks/${webhook.id}`, { enabled: false });
  expect(await changed.json()).toMatchObject({ enabled: false, types: ['job.*'] });
  expect((await ask('DELETE', `/webhooks/${webhook.id}`)).status).toBe(204);
  expect(await codeOf(await ask('GET', `/webhooks/${webhook.id}`))).toBe('webhook.notFound');
});

test("another tenant's receivers are unknown, and so are other tenants; an admin sees all", async () => {
  const { as, webhooks } = await setup();
  const { webhook } = await webhooks.create({
    tenantId: OWN,
    url: 'https://h.example/',
    types: [],
  });
  const { id: deliveryId } = await webhooks.ping(webhook.id);
  const stranger = await as(FOREIGN);
  const path = `/webhooks/${webhook.id}`;
  const asked = await Promise.all([
    stranger('GET', path),
    stranger('PATCH', path, { enabled: false }),
    stranger('DELETE', path),
    stranger('POST', `${path}/rotate`),
    stranger('POST', `${path}/ping`),
    stranger('GET', `${path}/deliveries`),
    stranger('POST', `${path}/deliveries/${deliveryId}/redeliver`),
  ]);
  expect(await Promise.all(asked.map(codeOf))).toEqual(asked.map(() => 'webhook.notFound'));
  expect(await (await stranger('GET', '/webhooks')).json()).toEqual({ webhooks: [] });
  const foreign = { url: 'https://h.example/', tenantId: OWN };
  expect(await codeOf(await stranger('POST', '/webhooks', foreign))).toBe('tenant.notFound');
  const admin = await as(FOREIGN, ['admin']);
  expect((await admin('GET', path)).status).toBe(200);
  expect((await admin('POST', '/webhooks', foreign)).status).toBe(201);
});

test("the clipping service's receiver is its operator's alone", async () => {
  const { as, webhooks } = await setup();
  const id = webhooks.plantClipper();
  const user = await as(OWN);
  expect(await (await user('GET', '/webhooks')).json()).toEqual({ webhooks: [] });
  expect(await codeOf(await user('DELETE', `/webhooks/${id}`))).toBe('webhook.notFound');
  const admin = await as(OWN, ['admin']);
  expect(await (await admin('GET', `/webhooks/${id}`)).json()).toMatchObject({ kind: 'clipper' });
});

test('deliveries are listed page by page, chosen by state, and sent again', async () => {
  const { as, webhooks } = await setup();
  const { webhook } = await webhooks.create({
    tenantId: OWN,
    url: 'https://h.example/',
    types: [],
  });
  const ask = await as(OWN);
  const path = `/webhooks/${webhook.id}`;
  for (let index = 0; index < 5; index++) {
    expect((await ask('POST', `${path}/ping`)).status).toBe(202);
  }
  const seen: string[] = [];
  for (let next: string | null = `${path}/deliveries?limit=2&state=waiting`; next !== null; ) {
    const answer = await ask('GET', next);
    const page = DeliveryList.parse(await answer.json());
    seen.push(...page.deliveries.map(({ id }) => id));
    next = page.next_page_url?.replace('/api/v1', '') ?? null;
  }
  expect(new Set(seen).size).toBe(5);
  const again = await ask('POST', `${path}/deliveries/${seen[0]}/redeliver`);
  expect(again.status).toBe(202);
  expect(await again.json()).toMatchObject({
    id: seen[0],
    webhookId: webhook.id,
    state: 'waiting',
  });
  const dead = await ask('GET', `${path}/deliveries?state=dead`);
  expect(await dead.json()).toEqual({ deliveries: [], next_page_url: null });
  expect((await ask('GET', `${path}/deliveries?cursor=nonsense`)).status).toBe(400);
});

test.each([
  { url: 'ftp://hooks.example/' },
  { url: 'https://hooks.example/', types: ['a b'] },
  { url: 'https://hooks.example/', secret: 'whsec_short' },
  { url: 'https://hooks.example/', colour: 'red' },
  {},
])('%j is refused', async (body) => {
  const { as } = await setup();
  const ask = await as(OWN);
  expect(await codeOf(await ask('POST', '/webhooks', body))).toBe('request.invalid');
});
