import type { Database, KennelDatabase } from './database.ts';
import { placeOf, placeText } from './eventLog.ts';
import { eventQueries, isBefore, type Place } from './eventQueries.ts';
import { askOnce } from './outage.ts';
import {
  deliveryQueries,
  dueDeliveries,
  type EndpointRow,
  receiverQueries,
  spreadQueries,
} from './webhookQueries.ts';
import { receiverOf } from './webhookStore.ts';

/** Events that one transaction turns into deliveries: 10 MB of bodies at most. */
const EVENTS_TOGETHER_MAX = 500;
/** What is kept of an error. */
const ERROR_CHARACTERS_MAX = 500;

const BEGINNING: Place = { xid: '0', id: 0 };

interface EventToTell {
  readonly place: string;
  readonly tenantId: string;
  readonly jobId?: string;
  readonly type: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly sourceUrl?: string;
}

type Make = (
  event: EventToTell,
  kind: EndpointRow['kind'],
) => { readonly id: string; readonly type: string; readonly body: string };

type Settlement = { readonly at: number; readonly status?: number } & (
  | { readonly state: 'delivered' }
  | { readonly state: 'waiting'; readonly error: string; readonly nextAt: number }
  | { readonly state: 'dead'; readonly error: string }
);

/**
 * Deliveries of events to receivers (`webhooks/webhookRecords.ts`). Every call asks once and throws `database.unavailable`
 * when there is no answer.
 */
export class DeliveryStore {
  readonly #database: KennelDatabase;
  readonly #deliveries: ReturnType<typeof deliveryQueries>;
  readonly #receivers: ReturnType<typeof receiverQueries>;
  /** Up to here every receiver was told, as far as this life knows. */
  #toldUpTo: Place = BEGINNING;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#database = db;
    this.#deliveries = deliveryQueries(db);
    this.#receivers = receiverQueries(db);
  }

  async spread(make: Make, now: number) {
    const [heads] = await askOnce(() => eventQueries(this.#database).heads());
    if (!heads?.readable) return { made: 0, missed: [] };
    const head = placeOf(heads.readable);
    const behind = await askOnce(() => spreadQueries(this.#database).behind(head, this.#toldUpTo));
    let made = 0;
    const missed: string[] = [];
    for (const { id } of behind) {
      for (let isMore = true; isMore; ) {
        const told = await askOnce(() => this.#spreadTo(id, { head, make, now }));
        made += told.made;
        isMore = told.isMore;
        if (told.hasMissed) missed.push(id);
      }
    }
    this.#toldUpTo = head;
    return { made, missed };
  }

  async due(
    now: number,
    limits: { readonly perReceiver: number; readonly total: number },
  ): Promise<readonly { readonly id: string; readonly endpointId: string }[]> {
    return await askOnce(() => dueDeliveries(this.#database, now, limits));
  }

  async claim(ids: readonly string[], now: number, until: number) {
    if (ids.length === 0) return [];
    const rows = await askOnce(() => this.#deliveries.claim(ids, now, until));
    const receivers = await askOnce(() =>
      this.#receivers.byIds(rows.map(({ endpointId }) => endpointId)),
    );
    return rows.flatMap(({ id, endpointId, jobId, type, body, attempts, createdAt }) => {
      const endpoint = receivers.find((one) => one.id === endpointId);
      // It was removed in this moment, and its deliveries with it.
      if (!endpoint) return [];
      const delivery = { id, type, body, attempts, createdAt, receiver: receiverOf(endpoint) };
      return [{ ...delivery, ...(jobId !== null && { jobId }) }];
    });
  }

  async settle(
    delivery: { readonly id: string; readonly attempts: number },
    settlement: Settlement,
  ): Promise<void> {
    const { at, status, state } = settlement;
    await askOnce(() =>
      this.#deliveries.settle(delivery, {
        state,
        lastStatus: status ?? null,
        lastError: state === 'delivered' ? null : settlement.error.slice(0, ERROR_CHARACTERS_MAX),
        nextAt: state === 'waiting' ? settlement.nextAt : at,
        ...(state === 'delivered' && { deliveredAt: at }),
      }),
    );
  }

  async disable(receiverId: string, why: string): Promise<void> {
    const set = { enabled: false, disabledWhy: why };
    await askOnce(() => this.#receivers.change(receiverId, set));
  }

  async disableIfAway(receiverId: string, since: number, why: string): Promise<boolean> {
    const rows = await askOnce(() => this.#receivers.disableIfAway(receiverId, since, why));
    return rows.length > 0;
  }

  /** Some of what one receiver has not been told of yet; its place moves with the deliveries, or not at all. */
  #spreadTo(id: string, { head, make, now }: { head: Place; make: Make; now: number }) {
    return this.#database.transaction(async (transaction) => {
      const queries = spreadQueries(transaction);
      const [endpoint] = await queries.lock(id);
      if (!endpoint || !isBefore(cursorOf(endpoint), head)) {
        return { made: 0, isMore: false, hasMissed: false };
      }
      const rows = await queries.toTell(endpoint, head, EVENTS_TOGETHER_MAX);
      const deliveries = rows.map(({ xid, id: eventId, jobId, sourceUrl, ...event }) => ({
        ...make(
          {
            ...event,
            place: placeText({ xid, id: eventId }),
            ...(jobId !== null && { jobId }),
            ...(sourceUrl !== null && { sourceUrl }),
          },
          endpoint.kind,
        ),
        endpointId: id,
        eventId,
        jobId,
        nextAt: now,
        createdAt: now,
      }));
      const made = deliveries.length > 0 ? await queries.insert(deliveries) : [];
      const last = rows.at(-1);
      const isMore = rows.length === EVENTS_TOGETHER_MAX && last !== undefined;
      await queries.moveCursor(id, isMore ? last : head);
      return { made: made.length, isMore, hasMissed: await hasMissed(transaction, endpoint) };
    });
  }
}

const cursorOf = ({ cursorXid, cursorId }: EndpointRow): Place => ({
  xid: cursorXid,
  id: cursorId,
});

/** Whether events that a receiver of more than one job was not told of may have been cleared. */
async function hasMissed(database: KennelDatabase, endpoint: EndpointRow): Promise<boolean> {
  if (endpoint.jobId !== null) return false;
  const [horizon] = await eventQueries(database).horizon();
  return (
    horizon !== undefined && isBefore(cursorOf(endpoint), { xid: horizon.xid, id: horizon.eventId })
  );
}
