import type { DeliveryView, WebhookView } from './webhooks.ts';

/** A receiver as it is stored; times are milliseconds since the epoch. */
export interface NewReceiver {
  readonly id: string;
  readonly kind: WebhookView['kind'];
  readonly tenantId: string;
  readonly jobId?: string;
  readonly keyId?: string;
  readonly url: string;
  readonly secrets: readonly string[];
  readonly types: readonly string[];
  readonly createdAt: number;
}

/** What a try needs of its receiver. */
export interface Receiver {
  readonly id: string;
  readonly kind: WebhookView['kind'];
  readonly url: string;
  /** The newest first; the others sign until `oldSecretsUntil`. */
  readonly secrets: readonly string[];
  readonly oldSecretsUntil?: number;
}

/** An event that a receiver is to be told of. */
export interface EventToTell {
  readonly place: string;
  readonly tenantId: string;
  readonly jobId?: string;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** The link of its job, without credentials, query and fragment. */
  readonly sourceUrl?: string;
}

/** A delivery as it is made of an event. */
export interface NewDelivery {
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

export type MakeDelivery = (event: EventToTell, kind: WebhookView['kind']) => NewDelivery;

/** A delivery that somebody has claimed in order to try it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly jobId?: string;
  readonly type: string;
  readonly body: string;
  /** Tries, this one included: what the claim is known by. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly receiver: Receiver;
}

/** What became of a try. */
export type Settlement = { readonly at: number; readonly status?: number } & (
  | { readonly state: 'delivered' }
  | { readonly state: 'waiting'; readonly error: string; readonly nextAt: number }
  | { readonly state: 'dead'; readonly error: string }
);

/** Receivers as whoever makes and changes them sees them. Every call asks once and throws `database.unavailable` when there is no answer. */
export interface ReceiverRecords {
  /** @throws KennelError `job.notFound`, `tenant.notFound` */
  create(receiver: NewReceiver): Promise<void>;
  list(tenantId?: string): Promise<readonly WebhookView[]>;
  /** @throws KennelError `webhook.notFound`, as everything below */
  get(id: string): Promise<WebhookView>;
  receiver(id: string): Promise<Receiver>;
  change(
    id: string,
    changes: Partial<Pick<WebhookView, 'url' | 'types' | 'enabled'>>,
  ): Promise<void>;
  /** The newest secret first. */
  replaceSecrets(id: string, secrets: readonly string[], oldSecretsUntil: number): Promise<void>;
  remove(id: string): Promise<void>;
  deliveries(
    id: string,
    query: {
      readonly state?: DeliveryView['state'];
      readonly limit: number;
      readonly before?: number;
    },
  ): Promise<readonly DeliveryView[]>;
  /** @throws KennelError `delivery.notFound` */
  redeliver(id: string, deliveryId: string, now: number): Promise<DeliveryView>;
  /** Writes a `webhook.ping` to the log, and its one delivery, in one transaction. */
  ping(id: string, make: MakeDelivery, now: number): Promise<DeliveryView>;
  /** The clipping service's receiver, made or changed. It stays switched off only when an operator did that. */
  putClipper(receiver: Omit<NewReceiver, 'kind' | 'types' | 'jobId' | 'keyId'>): Promise<void>;
}

/** Deliveries as the sender sees them. Every call asks once and throws `database.unavailable` when there is no answer. */
export interface DeliveryRecords {
  /**
   * Makes deliveries of the events that receivers have not been told of, each once: they and the receiver's place in the log
   * are one transaction. Returns how many, and which receivers have missed events that were cleared already.
   */
  spread(
    make: MakeDelivery,
    now: number,
  ): Promise<{ readonly made: number; readonly missed: readonly string[] }>;
  /** The next delivery of each job for each receiver, as far as it is due: the longest due first. */
  due(
    now: number,
    limits: { readonly perReceiver: number; readonly total: number },
  ): Promise<readonly { readonly id: string; readonly endpointId: string }[]>;
  /** Counts a try of those that nobody else has claimed, and keeps others off until `until`. */
  claim(ids: readonly string[], now: number, until: number): Promise<readonly ClaimedDelivery[]>;
  /** What became of a try; nothing happens when it is not the last one any more. */
  settle(delivery: Pick<ClaimedDelivery, 'id' | 'attempts'>, settlement: Settlement): Promise<void>;
  disable(receiverId: string, why: string): Promise<void>;
  /** Switches a receiver off that has taken nothing since; false when it has. */
  disableIfAway(receiverId: string, since: number, why: string): Promise<boolean>;
}
