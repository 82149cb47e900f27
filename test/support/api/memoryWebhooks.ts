import { v7 } from 'uuid';
import { KennelError } from '../../../src/core/errors.ts';
import type {
  DeliveryView,
  NewWebhook,
  Webhooks,
  WebhookView,
} from '../../../src/webhooks/webhooks.ts';

const AT = 1_750_000_000_000;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Receivers in memory; nothing is sent. */
export class MemoryWebhooks implements Webhooks {
  readonly #webhooks = new Map<string, WebhookView>();
  readonly #deliveries: DeliveryView[] = [];

  prepare({ url, secret = SECRET }: { url: string; secret?: string }) {
    return { id: v7(), url, secret };
  }

  async create({ secret = SECRET, ...rest }: NewWebhook) {
    const webhook: WebhookView = {
      ...rest,
      ...{ id: v7(), kind: 'webhook', enabled: true, createdAt: AT, waiting: 0, dead: 0 },
    };
    this.#webhooks.set(webhook.id, webhook);
    return { webhook, secret };
  }

  /** That of the clipping service. */
  plantClipper(): string {
    const id = v7();
    const common = { tenantId: 'default', url: 'https://clip.example/', types: [], enabled: true };
    this.#webhooks.set(id, { id, kind: 'clipper', ...common, createdAt: AT, waiting: 0, dead: 0 });
    return id;
  }

  async list(tenantId?: string) {
    const all = [...this.#webhooks.values()].reverse();
    return all.filter((one) => tenantId === undefined || one.tenantId === tenantId);
  }

  async get(id: string) {
    const webhook = this.#webhooks.get(id);
    if (!webhook) throw new KennelError('webhook.notFound', `there is no webhook ${id}`);
    return webhook;
  }

  async change(id: string, changes: Partial<Pick<WebhookView, 'url' | 'types' | 'enabled'>>) {
    const webhook = { ...(await this.get(id)), ...changes };
    this.#webhooks.set(id, webhook);
    return webhook;
  }

  async rotate(id: string) {
    await this.get(id);
    return { secret: SECRET };
  }

  async remove(id: string) {
    await this.get(id);
    this.#webhooks.delete(id);
  }

  async deliveries(
    id: string,
    query: {
      readonly state?: DeliveryView['state'];
      readonly limit: number;
      readonly before?: number;
    },
  ) {
    const { state, limit, before = Number.POSITIVE_INFINITY } = query;
    return this.#deliveries
      .filter((one) => one.endpointId === id && one.number < before)
      .filter((one) => state === undefined || one.state === state)
      .reverse()
      .slice(0, limit);
  }

  async redeliver(id: string, deliveryId: string) {
    const found = this.#deliveries.find((one) => one.id === deliveryId && one.endpointId === id);
    if (!found) throw new KennelError('delivery.notFound', `there is no delivery ${deliveryId}`);
    return found;
  }

  async ping(id: string) {
    await this.get(id);
    const delivery: DeliveryView = {
      ...{ id: v7(), endpointId: id, number: this.#deliveries.length + 1, type: 'webhook.ping' },
      ...{ state: 'waiting', attempts: 0, nextAt: AT, createdAt: AT },
    };
    this.#deliveries.push(delivery);
    return delivery;
  }
}
