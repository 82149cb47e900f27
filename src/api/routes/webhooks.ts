import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { mayDo, maySee, type Principal } from '../../core/access.ts';
import { KennelError } from '../../core/errors.ts';
import type { Webhooks, WebhookView } from '../../webhooks/webhooks.ts';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, jsonBody, operation } from '../operation.ts';
import { Cursor, nextPageUrl, placeOf } from '../pageCursor.ts';
import { TenantId } from '../schemas/tenant.ts';
import {
  Delivery,
  DeliveryList,
  DeliveryQuery,
  deliveryShown,
  MadeWebhook,
  NewSecret,
  NewWebhook,
  OneDelivery,
  OneWebhook,
  Webhook,
  WebhookChanges,
  WebhookList,
  webhookShown,
} from '../schemas/webhook.ts';

const Place = z.object({ before: z.number().int().min(0) });

const create = operation('POST /webhooks', {
  summary: 'Add a receiver of events',
  description:
    'It hears of what happens from now on; one for a job hears that job from its beginning. Deliveries are signed by the Standard Webhooks scheme.',
  request: { body: jsonBody(NewWebhook) },
  answers: {
    201: jsonAnswer(MadeWebhook, 'The receiver, and its secret, which is shown this once'),
  },
  errors: ['url.invalid', 'usage.invalid', 'address.refused', 'job.notFound', 'tenant.notFound'],
});

const list = operation('GET /webhooks', {
  summary: 'List receivers',
  request: { query: z.object({ tenantId: TenantId.optional() }) },
  answers: { 200: jsonAnswer(WebhookList, 'Receivers, the newest first, without their secrets') },
});

const get = operation('GET /webhooks/{webhookId}', {
  summary: 'Show a receiver',
  request: { params: OneWebhook },
  answers: { 200: jsonAnswer(Webhook, 'The receiver') },
  errors: ['webhook.notFound'],
});

const change = operation('PATCH /webhooks/{webhookId}', {
  summary: 'Change a receiver',
  description:
    'One that is switched on again is sent what waits for it, and hears of what happens from now on.',
  request: { params: OneWebhook, body: jsonBody(WebhookChanges) },
  answers: { 200: jsonAnswer(Webhook, 'The receiver') },
  errors: ['webhook.notFound', 'url.invalid', 'address.refused'],
});

const rotate = operation('POST /webhooks/{webhookId}/rotate', {
  summary: 'Replace the secret of a receiver',
  description:
    'Deliveries are signed with both secrets for a day, so that receivers can change over.',
  request: { params: OneWebhook },
  answers: { 200: jsonAnswer(NewSecret, 'The new secret, which is shown this once') },
  errors: ['webhook.notFound'],
});

const remove = operation('DELETE /webhooks/{webhookId}', {
  summary: 'Remove a receiver',
  description: 'What waits for it is not sent any more.',
  request: { params: OneWebhook },
  answers: { 204: { description: 'It is gone' } },
  errors: ['webhook.notFound'],
});

const ping = operation('POST /webhooks/{webhookId}/ping', {
  summary: 'Send a receiver a test',
  description: 'An event `webhook.ping`, whatever types the receiver asked for.',
  request: { params: OneWebhook },
  answers: { 202: jsonAnswer(Delivery, 'The delivery that is on its way') },
  errors: ['webhook.notFound'],
});

const deliveries = operation('GET /webhooks/{webhookId}/deliveries', {
  summary: 'List what a receiver was sent',
  request: { params: OneWebhook, query: DeliveryQuery.extend({ cursor: Cursor.optional() }) },
  answers: { 200: jsonAnswer(DeliveryList, 'Deliveries, the newest first') },
  errors: ['webhook.notFound'],
});

const redeliver = operation('POST /webhooks/{webhookId}/deliveries/{deliveryId}/redeliver', {
  summary: 'Send a delivery again',
  description: 'Under the same id, whether it was delivered or given up.',
  request: { params: OneDelivery },
  answers: { 202: jsonAnswer(Delivery, 'The delivery that is on its way') },
  errors: ['webhook.notFound', 'delivery.notFound'],
});

/** The receiver, when it is the caller's. That of the clipping service is its operator's. */
async function mine(webhooks: Webhooks, principal: Principal, id: string): Promise<WebhookView> {
  const webhook = await webhooks.get(id);
  const isSeen =
    webhook.kind === 'clipper' ? mayDo(principal, 'admin') : maySee(principal, webhook.tenantId);
  if (isSeen) return webhook;
  throw new KennelError('webhook.notFound', `there is no webhook ${id}`, { details: { id } });
}

export const webhookRoutes = ({ webhooks }: Pick<ApiParts, 'webhooks'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(create, async (c) => {
      const { tenantId: wanted, jobId, keyId, secret: given, ...rest } = c.req.valid('json');
      const tenantId = tenantOf(c.var.principal, wanted);
      const { webhook, secret } = await webhooks.create({
        ...rest,
        tenantId,
        ...(jobId !== undefined && { jobId }),
        ...(keyId !== undefined && { keyId }),
        ...(given !== undefined && { secret: given }),
      });
      c.header('Location', `${new URL(c.req.url).pathname}/${webhook.id}`);
      return c.json({ webhook: webhookShown(webhook), secret }, 201);
    })
    .openapi(list, async (c) => {
      const { principal } = c.var;
      const isAdmin = mayDo(principal, 'admin');
      const { tenantId } = c.req.valid('query');
      const all = await webhooks.list(isAdmin ? tenantId : tenantOf(principal, tenantId));
      const seen = all.filter(({ kind }) => isAdmin || kind === 'webhook');
      return c.json({ webhooks: seen.map(webhookShown) }, 200);
    })
    .openapi(get, async (c) => {
      const { webhookId } = c.req.valid('param');
      return c.json(webhookShown(await mine(webhooks, c.var.principal, webhookId)), 200);
    })
    .openapi(change, async (c) => {
      const { id } = await mine(webhooks, c.var.principal, c.req.valid('param').webhookId);
      const { url, types, enabled } = c.req.valid('json');
      const changed = await webhooks.change(id, {
        ...(url !== undefined && { url }),
        ...(types !== undefined && { types }),
        ...(enabled !== undefined && { enabled }),
      });
      return c.json(webhookShown(changed), 200);
    })
    .openapi(rotate, async (c) => {
      const { id } = await mine(webhooks, c.var.principal, c.req.valid('param').webhookId);
      return c.json(await webhooks.rotate(id), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = await mine(webhooks, c.var.principal, c.req.valid('param').webhookId);
      await webhooks.remove(id);
      return c.body(null, 204);
    })
    .openapi(ping, async (c) => {
      const { id } = await mine(webhooks, c.var.principal, c.req.valid('param').webhookId);
      return c.json(deliveryShown(await webhooks.ping(id)), 202);
    })
    .openapi(deliveries, async (c) => {
      const { id } = await mine(webhooks, c.var.principal, c.req.valid('param').webhookId);
      const { state, limit, cursor } = c.req.valid('query');
      const page = await webhooks.deliveries(id, {
        limit,
        ...(state !== undefined && { state }),
        ...(cursor !== undefined && placeOf(Place, cursor)),
      });
      const last = page.length === limit ? page.at(-1) : undefined;
      const next = nextPageUrl(c.req.url, last && { before: last.number });
      if (next !== null) c.header('Link', `<${next}>; rel="next"`);
      return c.json({ deliveries: page.map(deliveryShown), next_page_url: next }, 200);
    })
    .openapi(redeliver, async (c) => {
      const { webhookId, deliveryId } = c.req.valid('param');
      const { id } = await mine(webhooks, c.var.principal, webhookId);
      return c.json(deliveryShown(await webhooks.redeliver(id, deliveryId)), 202);
    });

/** Admins may act for another tenant; for everybody else there is none but their own. */
function tenantOf(principal: Principal, wanted = principal.tenantId): string {
  if (maySee(principal, wanted)) return wanted;
  throw new KennelError('tenant.notFound', `there is no tenant ${wanted}`);
}
