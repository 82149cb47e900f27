import { v7 } from 'uuid';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { AddressRules } from '../egress/addressRules.ts';
import { checkLiteralAddress } from '../egress/guardedLookup.ts';
import { changedSecrets, newWebhookSecret, webhookSecret } from './signature.ts';
import type { MakeDelivery, ReceiverRecords } from './webhookRecords.ts';
import type { DeliveryView, NewWebhook, Webhooks, WebhookView } from './webhooks.ts';

export interface WebhookBookOptions {
  readonly records: ReceiverRecords;
  readonly makeDelivery: MakeDelivery;
  /** Who may be connected to; names are checked when they are. */
  readonly rules: AddressRules;
  readonly clock: Clock;
  /** There is something to send: the sender looks at once. */
  readonly ring: () => void;
}

/** Receivers of webhooks, as those who ask for them see them. */
export class WebhookBook implements Webhooks {
  readonly #options: WebhookBookOptions;

  constructor(options: WebhookBookOptions) {
    this.#options = options;
  }

  prepare({ url, secret }: { readonly url: string; readonly secret?: string }) {
    this.#assertMayBeTold(url);
    return {
      id: v7(),
      url,
      secret: secret === undefined ? newWebhookSecret() : webhookSecret(secret),
    };
  }

  async create(
    wanted: NewWebhook,
  ): Promise<{ readonly webhook: WebhookView; readonly secret: string }> {
    const { records, clock } = this.#options;
    const { secret: _given, ...rest } = wanted;
    const { id, secret } = this.prepare(wanted);
    await records.create({
      ...rest,
      id,
      kind: 'webhook',
      secrets: [secret],
      createdAt: clock.now(),
    });
    this.#options.ring();
    return { webhook: await records.get(id), secret };
  }

  async list(tenantId?: string): Promise<readonly WebhookView[]> {
    return await this.#options.records.list(tenantId);
  }

  async get(id: string): Promise<WebhookView> {
    return await this.#options.records.get(id);
  }

  async change(
    id: string,
    changes: Partial<Pick<WebhookView, 'url' | 'types' | 'enabled'>>,
  ): Promise<WebhookView> {
    const { records, ring } = this.#options;
    if (changes.url !== undefined) this.#assertMayBeTold(changes.url);
    await records.change(id, changes);
    ring();
    return await records.get(id);
  }

  async rotate(id: string): Promise<{ readonly secret: string }> {
    const { records, clock } = this.#options;
    const { secrets } = await records.receiver(id);
    const secret = newWebhookSecret();
    const changed = changedSecrets(secrets, secret, clock.now());
    await records.replaceSecrets(id, changed.secrets, changed.oldSecretsUntil);
    return { secret };
  }

  async remove(id: string): Promise<void> {
    await this.#options.records.remove(id);
  }

  async deliveries(
    id: string,
    query: {
      readonly state?: DeliveryView['state'];
      readonly limit: number;
      readonly before?: number;
    },
  ): Promise<readonly DeliveryView[]> {
    return await this.#options.records.deliveries(id, query);
  }

  async redeliver(id: string, deliveryId: string): Promise<DeliveryView> {
    const { records, clock, ring } = this.#options;
    const delivery = await records.redeliver(id, deliveryId, clock.now());
    ring();
    return delivery;
  }

  async ping(id: string): Promise<DeliveryView> {
    const { records, clock, ring, makeDelivery } = this.#options;
    const delivery = await records.ping(id, makeDelivery, clock.now());
    ring();
    return delivery;
  }

  /** What can be said at once. Where a name leads is looked at for every connection, since it may change. */
  #assertMayBeTold(text: string): void {
    if (!URL.canParse(text)) throw unusable('is no URL');
    const { protocol, hostname, port, username, password } = new URL(text);
    if (protocol !== 'https:' && protocol !== 'http:') throw unusable('is no http or https URL');
    if (username !== '' || password !== '') {
      throw unusable(
        'has a name or a password, which everybody sees; the signature says who sends',
      );
    }
    const usualPort = protocol === 'https:' ? 443 : 80;
    checkLiteralAddress({ host: hostname, port: Number(port) || usualPort }, this.#options.rules);
  }
}

const unusable = (why: string) => new KennelError('url.invalid', `the URL of a webhook ${why}`);
