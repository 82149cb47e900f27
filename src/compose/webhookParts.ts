import { hostname } from 'node:os';
import type { Config } from '../config/schema.ts';
import { systemClock as clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/database.ts';
import { DeliveryStore } from '../db/deliveryStore.ts';
import type { EventLogStore } from '../db/eventLog.ts';
import { WebhookStore } from '../db/webhookStore.ts';
import { nodeRules } from '../egress/addressRules.ts';
import { registerClipper } from '../webhooks/clipperEndpoint.ts';
import { deliveryMaker } from '../webhooks/makeDelivery.ts';
import { webhookPoster } from '../webhooks/postWebhook.ts';
import { WebhookBook } from '../webhooks/webhookBook.ts';
import { SENDER_LIMITS, WebhookSender } from '../webhooks/webhookSender.ts';

export interface WebhookPartsOptions {
  readonly config: Config;
  readonly database: Database;
  readonly events: EventLogStore;
  readonly log: Log;
}

/** What tells others of events: receivers, the sender, and the clipping service's complaints. */
export function webhookParts({ config, database, events, log }: WebhookPartsOptions) {
  const records = new WebhookStore(database);
  const makeDelivery = deliveryMaker(hostname());
  const rules = nodeRules(config.allow);
  const { timeoutMs } = SENDER_LIMITS;
  const posters = {
    webhook: webhookPoster({ rules, clock, timeoutMs }),
    // Where the operator wants complaints to go may be private; that allows nobody else to go there.
    clipper: webhookPoster({
      rules: nodeRules(config.allow, targetOf(config.clipper.url)),
      clock,
      timeoutMs,
    }),
  };
  const sender = new WebhookSender({
    records: new DeliveryStore(database),
    eventLog: events,
    makeDelivery,
    posters,
    clock,
    log,
  });
  return {
    webhooks: new WebhookBook({ records, makeDelivery, rules, clock, ring: () => sender.ring() }),
    /** What the configuration says of the clipping service; a secret that was made for it is shown once. */
    register: () => registerClipper(config.clipper, { records, now: clock.now() }),
    sender: {
      start: () => sender.start(),
      stop: async () => {
        await sender.stop();
        for (const poster of Object.values(posters)) poster.close();
      },
    },
  };
}

function targetOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const { hostname: host, port, protocol } = new URL(text);
  return [`${host}:${port || (protocol === 'https:' ? 443 : 80)}`];
}
