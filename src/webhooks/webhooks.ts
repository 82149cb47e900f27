/** Who is told of events, as it is shown: secrets are shown once, when they are made. */
export interface WebhookView {
  readonly id: string;
  readonly kind: 'webhook' | 'clipper';
  readonly tenantId: string;
  readonly jobId?: string;
  readonly keyId?: string;
  readonly url: string;
  readonly types: readonly string[];
  readonly enabled: boolean;
  readonly disabledWhy?: string;
  readonly createdAt: number;
  /** Deliveries that wait, and that were given up. */
  readonly waiting: number;
  readonly dead: number;
}

export interface NewWebhook {
  readonly tenantId: string;
  readonly jobId?: string;
  readonly keyId?: string;
  readonly url: string;
  /** With `*` at the end for anything; empty: all. */
  readonly types: readonly string[];
  /** `whsec_…`, when the receiver has one already. Default: a new one. */
  readonly secret?: string;
}

export interface DeliveryView {
  /** The webhook-id of every try. */
  readonly id: string;
  readonly endpointId: string;
  /** Grows in the order in which the receiver is told. */
  readonly number: number;
  readonly type: string;
  readonly jobId?: string;
  readonly state: 'waiting' | 'delivered' | 'dead';
  /** Tries, one that is under way included. */
  readonly attempts: number;
  /** When it is tried next, if it waits. */
  readonly nextAt: number;
  readonly lastStatus?: number;
  readonly lastError?: string;
  readonly createdAt: number;
  readonly deliveredAt?: number;
}

/** Receivers of webhooks and what they were sent. */
export interface Webhooks {
  /**
   * A receiver for a job that is about to be submitted, checked as `create` does; it is made with the job. With the secret that
   * its owner has already, or a new one.
   */
  prepare(callback: { readonly url: string; readonly secret?: string }): {
    readonly id: string;
    readonly url: string;
    readonly secret: string;
  };
  /**
   * The secret (`whsec_…`) is told here and never again. A receiver for one job hears that job from its beginning, others hear
   * what happens from now on.
   *
   * @throws KennelError `url.invalid`, `address.refused` (a private address that nobody has allowed), `job.notFound` (no such
   *   job of the tenant), `tenant.notFound`, `usage.invalid` (a secret that is none)
   */
  create(webhook: NewWebhook): Promise<{ readonly webhook: WebhookView; readonly secret: string }>;
  /** Absent tenant: everybody's. Newest first. */
  list(tenantId?: string): Promise<readonly WebhookView[]>;
  /** @throws KennelError `webhook.notFound` */
  get(id: string): Promise<WebhookView>;
  /** One that is switched on again goes on with what waits, and hears of what happens from now on. */
  change(
    id: string,
    changes: Partial<Pick<WebhookView, 'url' | 'types' | 'enabled'>>,
  ): Promise<WebhookView>;
  /** A new secret; the old one signs as well for a day, so that receivers can change over. */
  rotate(id: string): Promise<{ readonly secret: string }>;
  remove(id: string): Promise<void>;
  /** Newest first; `before` is the number of the last one seen. */
  deliveries(
    id: string,
    query: {
      readonly state?: DeliveryView['state'];
      readonly limit: number;
      readonly before?: number;
    },
  ): Promise<readonly DeliveryView[]>;
  /**
   * Sends again what was delivered or given up, under the same id; what waits is sent now.
   *
   * @throws KennelError `webhook.notFound`, `delivery.notFound`
   */
  redeliver(id: string, deliveryId: string): Promise<DeliveryView>;
  /** Sends a `webhook.ping`, whatever types the receiver asked for. */
  ping(id: string): Promise<DeliveryView>;
}
