import { validate as isUuid } from 'uuid';
import { KennelError } from '../core/errors.ts';
import type { Database, KennelDatabase } from './database.ts';
import { placeText } from './eventLog.ts';
import { eventQueries } from './eventQueries.ts';
import { askOnce } from './outage.ts';
import type { ENDPOINT_KINDS } from './tables/webhooks.ts';
import {
  type DeliveryRow,
  type DeliveryState,
  deliveryQueries,
  type EndpointRow,
  receiverQueries,
  receiverViewQueries,
  spreadQueries,
} from './webhookQueries.ts';

type Kind = (typeof ENDPOINT_KINDS)[number];

export interface StoredReceiver {
  readonly id: string;
  readonly kind: Kind;
  readonly tenantId: string;
  readonly jobId?: string;
  readonly keyId?: string;
  readonly url: string;
  readonly secrets: readonly string[];
  readonly types: readonly string[];
  readonly createdAt: number;
}

interface Changes {
  readonly url?: string;
  readonly types?: readonly string[];
  readonly enabled?: boolean;
}

interface PingToMake {
  readonly place: string;
  readonly tenantId: string;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

type MakePing = (
  event: PingToMake,
  kind: Kind,
) => { readonly id: string; readonly type: string; readonly body: string };

/**
 * Receivers of webhooks, and what they were sent (`webhooks/webhookRecords.ts`). Every call asks once and throws
 * `database.unavailable` when there is no answer.
 */
export class WebhookStore {
  readonly #database: KennelDatabase;
  readonly #queries: ReturnType<typeof receiverQueries>;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#database = db;
    this.#queries = receiverQueries(db);
  }

  async create(receiver: StoredReceiver): Promise<void> {
    const { jobId, tenantId } = receiver;
    if (jobId !== undefined && !(await this.#hasJob(jobId, tenantId))) {
      throw new KennelError('job.notFound', `there is no job ${jobId}`, { details: { id: jobId } });
    }
    // A job is heard from its beginning.
    const cursor = jobId === undefined ? await this.#now() : { cursorXid: '0', cursorId: 0 };
    await askOnce(() => this.#queries.insert({ ...receiver, ...cursor })).catch(
      (error: unknown) => {
        throw isMissing(error, 'webhook_endpoints_tenant_id')
          ? new KennelError('tenant.notFound', `there is no tenant ${tenantId}`)
          : error;
      },
    );
  }

  async list(tenantId?: string) {
    const rows = await askOnce(() => receiverViewQueries(this.#database).views(tenantId));
    return rows.map(viewOf);
  }

  async get(id: string) {
    const [row] = isUuid(id)
      ? await askOnce(() => receiverViewQueries(this.#database).view(id))
      : [];
    if (!row) throw unknownWebhook(id);
    return viewOf(row);
  }

  async receiver(id: string) {
    const [row] = isUuid(id) ? await askOnce(() => this.#queries.byId(id)) : [];
    if (!row) throw unknownWebhook(id);
    return receiverOf(row);
  }

  async change(id: string, { url, types, enabled }: Changes): Promise<void> {
    const { enabled: was } = await this.get(id);
    // What happened while it was switched off is not told.
    const cursor = enabled === true && !was ? await this.#now() : {};
    const set = {
      ...(url !== undefined && { url }),
      ...(types !== undefined && { types }),
      ...(enabled !== undefined && { enabled, disabledWhy: null }),
      ...cursor,
    };
    if (Object.keys(set).length === 0) return;
    const changed = await askOnce(() => this.#queries.change(id, set));
    if (changed.length === 0) throw unknownWebhook(id);
  }

  async replaceSecrets(
    id: string,
    secrets: readonly string[],
    oldSecretsUntil: number,
  ): Promise<void> {
    await this.get(id);
    await askOnce(() => this.#queries.change(id, { secrets, oldSecretsUntil }));
  }

  async remove(id: string): Promise<void> {
    const removed = isUuid(id) ? await askOnce(() => this.#queries.remove(id)) : [];
    if (removed.length === 0) throw unknownWebhook(id);
  }

  async deliveries(
    id: string,
    query: {
      readonly state?: DeliveryState;
      readonly limit: number;
      readonly before?: number;
    },
  ) {
    await this.get(id);
    const rows = await askOnce(() => deliveryQueries(this.#database).page(id, query));
    return rows.map(deliveryOf);
  }

  async redeliver(id: string, deliveryId: string, now: number) {
    await this.get(id);
    const [row] = isUuid(deliveryId)
      ? await askOnce(() => deliveryQueries(this.#database).again(id, deliveryId, now))
      : [];
    if (row) return deliveryOf(row);
    throw new KennelError('delivery.notFound', `there is no delivery ${deliveryId}`, {
      details: { id: deliveryId },
    });
  }

  async ping(id: string, make: MakePing, now: number) {
    const { kind, tenantId } = await this.get(id);
    const type = 'webhook.ping';
    const event = { tenantId, type, at: now, data: { webhookId: id } };
    return await askOnce(() =>
      this.#database.transaction(async (transaction) => {
        const queries = spreadQueries(transaction);
        const [written] = await queries.insertEvent(event);
        if (!written) throw new Error('an event was inserted and did not come back');
        const delivery = make({ ...event, place: placeText(written) }, kind);
        const ids = { endpointId: id, eventId: written.id };
        await queries.insert([{ ...delivery, ...ids, nextAt: now, createdAt: now }]);
        const [row] = await deliveryQueries(transaction).page(id, { limit: 1 });
        if (!row) throw new Error('a delivery was inserted and is not there');
        return deliveryOf(row);
      }),
    );
  }

  /** The clipping service's receiver; the one that there is already keeps its secrets and its place in the log. */
  async putClipper(receiver: Omit<StoredReceiver, 'kind' | 'types' | 'jobId' | 'keyId'>) {
    const cursor = await this.#now();
    await askOnce(() =>
      this.#queries.put({ ...receiver, kind: 'clipper', types: ['job.rejected'], ...cursor }),
    );
  }

  async #hasJob(jobId: string, tenantId: string): Promise<boolean> {
    if (!isUuid(jobId)) return false;
    return (await askOnce(() => this.#queries.jobOf(jobId, tenantId))).length > 0;
  }

  /** From here on nothing is missed (`EventLogStore.end`). */
  async #now() {
    const [heads] = await askOnce(() => eventQueries(this.#database).heads());
    if (!heads) throw new Error('a query that always has a row had none');
    return { cursorXid: heads.oldestRunning, cursorId: 0 };
  }
}

const unknownWebhook = (id: string) =>
  new KennelError('webhook.notFound', `there is no webhook ${id}`, { details: { id } });

/** A foreign key that points nowhere: SQLSTATE 23503. */
const isMissing = (error: unknown, constraint: string): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === '23503' &&
  error.message.includes(constraint);

type ViewRow = Awaited<ReturnType<ReturnType<typeof receiverViewQueries>['views']>>[number];

const viewOf = ({ jobId, keyId, disabledWhy, ...rest }: ViewRow) => ({
  ...rest,
  ...(jobId !== null && { jobId }),
  ...(keyId !== null && { keyId }),
  ...(disabledWhy !== null && { disabledWhy }),
});

/** What a try needs of a receiver. */
export const receiverOf = ({ id, kind, url, secrets, oldSecretsUntil }: EndpointRow) => ({
  id,
  kind,
  url,
  secrets,
  ...(oldSecretsUntil !== null && { oldSecretsUntil }),
});

function deliveryOf(row: DeliveryRow) {
  const { id, endpointId, place, type, jobId, state, attempts, nextAt, createdAt } = row;
  const { lastStatus, lastError, deliveredAt } = row;
  return {
    ...{ id, endpointId, number: place, type, state, attempts, nextAt, createdAt },
    ...(jobId !== null && { jobId }),
    ...(lastStatus !== null && { lastStatus }),
    ...(lastError !== null && { lastError }),
    ...(deliveredAt !== null && { deliveredAt }),
  };
}
