import { z } from 'zod';
import type { DeliveryView, WebhookView } from '../../webhooks/webhooks.ts';
import { Instant, isoOf, isoWhen } from './instant.ts';
import { JobId } from './job.ts';
import { KeyId } from './key.ts';
import { TenantId } from './tenant.ts';
import { text } from './text.ts';

const URL_CHARACTERS_MAX = 2_000;
const TYPES_MAX = 50;
const SECRET_CHARACTERS_MAX = 200;

export const WebhookId = z.uuid().meta({ description: 'The id of a webhook' });
export const DeliveryId = z
  .uuid()
  .meta({ description: 'The id of a delivery: its `webhook-id` in every try' });
export const OneWebhook = z.object({ webhookId: WebhookId });
export const OneDelivery = OneWebhook.extend({ deliveryId: DeliveryId });

const Receiver = text(URL_CHARACTERS_MAX)
  .regex(/^https?:\/\//i)
  .meta({ description: 'Where events are posted: https (or http), without a name or a password' });

const Types = z
  .array(text(100).regex(/^([\w.]+\*?|\*)$/))
  .max(TYPES_MAX)
  .meta({ description: 'Types of events; `*` at the end stands for anything. Empty: all' });

export const Webhook = z
  .object({
    id: WebhookId,
    kind: z
      .enum(['webhook', 'clipper'])
      .meta({ description: '`clipper`: the clipping service, by the configuration' }),
    tenantId: TenantId,
    jobId: JobId.optional().meta({ description: 'It hears of this job alone' }),
    keyId: KeyId.optional().meta({ description: 'It hears of jobs that this key submitted' }),
    url: z.string(),
    types: z.array(z.string()),
    enabled: z.boolean(),
    disabledWhy: z
      .string()
      .optional()
      .meta({ description: 'Why it was switched off, when nobody did it by hand' }),
    createdAt: Instant,
    waiting: z.number().int().meta({ description: 'Deliveries that wait' }),
    dead: z.number().int().meta({ description: 'Deliveries that were given up' }),
  })
  .meta({ id: 'Webhook', description: 'A receiver of events, without its secret' });

export const WebhookList = z.object({ webhooks: z.array(Webhook) }).meta({ id: 'WebhookList' });

export const NewWebhook = z
  .strictObject({
    url: Receiver,
    types: Types.default([]),
    tenantId: TenantId.optional().meta({ description: "Default: the caller's own" }),
    jobId: JobId.optional().meta({ description: 'Only this job, from its beginning' }),
    keyId: KeyId.optional().meta({ description: 'Only jobs that this key submitted' }),
    secret: text(SECRET_CHARACTERS_MAX)
      .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)
      .optional()
      .meta({ description: '`whsec_` and the base64 of 24 to 64 bytes. Default: a new one' }),
  })
  .meta({ id: 'NewWebhook' });

export const MadeWebhook = z
  .object({
    webhook: Webhook,
    secret: z.string().meta({ description: 'It is told now and never again' }),
  })
  .meta({ id: 'MadeWebhook' });

export const WebhookChanges = z
  .strictObject({
    url: Receiver.optional(),
    types: Types.optional(),
    enabled: z.boolean().optional(),
  })
  .meta({ id: 'WebhookChanges' });

export const NewSecret = z
  .object({ secret: z.string().meta({ description: 'It is told now and never again' }) })
  .meta({ id: 'WebhookSecret' });

const State = z.enum(['waiting', 'delivered', 'dead']);

export const DeliveryQuery = z.object({
  state: State.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const Delivery = z
  .object({
    id: DeliveryId,
    webhookId: WebhookId,
    type: z.string(),
    jobId: JobId.optional(),
    state: State.meta({ description: '`dead`: given up after the last try' }),
    attempts: z.number().int().meta({ description: 'Tries, one under way included' }),
    nextAt: Instant.optional().meta({ description: 'When it is tried next' }),
    lastStatus: z.number().int().optional(),
    lastError: z.string().optional(),
    createdAt: Instant,
    deliveredAt: Instant.optional(),
  })
  .meta({ id: 'Delivery', description: 'One event for one receiver' });

export const DeliveryList = z
  .object({ deliveries: z.array(Delivery), next_page_url: z.string().nullable() })
  .meta({ id: 'DeliveryList' });

export const webhookShown = ({
  createdAt,
  types,
  ...rest
}: WebhookView): z.infer<typeof Webhook> => ({
  ...rest,
  types: [...types],
  createdAt: isoOf(createdAt),
});

export function deliveryShown(delivery: DeliveryView): z.infer<typeof Delivery> {
  const { endpointId, number: _, nextAt, createdAt, deliveredAt, ...rest } = delivery;
  return {
    ...rest,
    webhookId: endpointId,
    createdAt: isoOf(createdAt),
    ...isoWhen('nextAt', rest.state === 'waiting' ? nextAt : undefined),
    ...isoWhen('deliveredAt', deliveredAt),
  };
}
