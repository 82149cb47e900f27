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
  readonly types: readonly string[];
}

export interface DeliveryView {
  /** The webhook-id of every try. */
  readonly id: string;
  readonly endpointId: string;
  readonly type: string;
  readonly jobId?: string;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastStatus?: number;
  readonly lastError?: string;
  readonly createdAt: number;
  readonly deliveredAt?: number;
}

/** Receivers of webhooks and what they were sent. */
export interface Webhooks {
  /** The secret (`whsec_…`) is told here and never again. */
  create(webhook: NewWebhook): Promise<{ readonly webhook: WebhookView; readonly secret: string }>;
  /** Absent tenant: everybody's. */
  list(tenantId?: string): Promise<readonly WebhookView[]>;
  /** @throws KennelError `webhook.notFound` */
  get(id: string): Promise<WebhookView>;
  change(
    id: string,
    changes: Partial<Pick<WebhookView, 'url' | 'types' | 'enabled'>>,
  ): Promise<WebhookView>;
  /** A new secret; the old one signs as well for a day, so that receivers can change over. */
  rotate(id: string): Promise<{ readonly secret: string }>;
  remove(id: string): Promise<void>;
  deliveries(
    id: string,
    query: {
      readonly state?: DeliveryView['state'];
      readonly limit: number;
      readonly before?: number;
    },
  ): Promise<readonly DeliveryView[]>;
  /** Sends again what was delivered or given up. */
  redeliver(deliveryId: string): Promise<DeliveryView>;
}
