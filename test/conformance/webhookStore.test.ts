import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { DeliveryStore } from '../../src/db/deliveryStore.ts';
import { type EventLogStore, eventLog } from '../../src/db/eventLog.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { WebhookStore } from '../../src/db/webhookStore.ts';
import { CLIPPER_ID } from '../../src/webhooks/clipperEndpoint.ts';
import type {
  DeliveryRecords,
  MakeDelivery,
  NewReceiver,
  ReceiverRecords,
} from '../../src/webhooks/webhookRecords.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const AT = 1_700_000_000_000;
const LIMITS = { perReceiver: 10, total: 100 };
const make: MakeDelivery = (event) => ({ id: v7(), type: event.type, body: JSON.stringify(event) });

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`webhooks on ${under.kind}`, () => {
    let database: Database;
    let log: EventLogStore;
    let receivers: ReceiverRecords;
    /** Of a life that has seen nothing yet. */
    const newDeliveries = (): DeliveryRecords => new DeliveryStore(database);

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
      log = eventLog(database, { clock: systemClock });
      receivers = new WebhookStore(database);
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    const newJob = async () => {
      const id = v7();
      await jobStore(database, { clock: systemClock }).create({ id, spec: SPEC });
      return id;
    };
    const newReceiver = async (more: Partial<NewReceiver> = {}) => {
      const id = v7();
      const usual = {
        kind: 'webhook',
        tenantId: 'default',
        url: 'https://hooks.example/1',
      } as const;
      await receivers.create({
        id,
        ...usual,
        secrets: ['whsec_1'],
        types: [],
        createdAt: AT,
        ...more,
      });
      return id;
    };
    const tell = (type: string, jobId?: string, tenantId = 'default') =>
      log.append({ type, tenantId, at: AT, data: {}, ...(jobId !== undefined && { jobId }) });
    const typesFor = async (id: string) =>
      (await receivers.deliveries(id, { limit: 100 })).map(({ type }) => type).reverse();
    /** Whatever other tests left is not this one's. */
    const clean = async () => {
      for (const { id } of await receivers.list()) await receivers.remove(id);
    };

    test('a receiver is shown without its secrets, and what is unknown is said to be so', async () => {
      await clean();
      const id = await newReceiver({ types: ['job.*'], keyId: 'k1' });
      const shown = await receivers.get(id);
      expect(shown).toEqual({
        ...{
          id,
          kind: 'webhook',
          tenantId: 'default',
          keyId: 'k1',
          url: 'https://hooks.example/1',
        },
        ...{ types: ['job.*'], enabled: true, createdAt: AT, waiting: 0, dead: 0 },
      });
      await expect(receivers.list('default')).resolves.toEqual([shown]);
      await expect(receivers.list('other')).resolves.toEqual([]);
      for (const unknown of [v7(), 'nonsense']) {
        await expect(receivers.get(unknown)).rejects.toMatchObject({ code: 'webhook.notFound' });
        await expect(receivers.remove(unknown)).rejects.toMatchObject({ code: 'webhook.notFound' });
        await expect(receivers.redeliver(id, unknown, AT)).rejects.toMatchObject({
          code: 'delivery.notFound',
        });
        await expect(newReceiver({ jobId: unknown })).rejects.toMatchObject({
          code: 'job.notFound',
        });
      }
      await expect(newReceiver({ tenantId: 'nobody' })).rejects.toMatchObject({
        code: 'tenant.notFound',
      });
    });

    test('events become deliveries once, in order, however often and by however many lives they are spread', async () => {
      await clean();
      await tell('test.before');
      const id = await newReceiver({ types: ['test.*'] });
      await tell('test.one');
      await tell('other.one');
      await tell('test.two');
      await tell('test.foreign', undefined, 'other');
      const lives = [newDeliveries(), newDeliveries(), newDeliveries()];
      await Promise.all(lives.map((life) => life.spread(make, AT)));
      for (const life of lives) await life.spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['test.one', 'test.two']);
      await tell('test.three');
      await lives[0]?.spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['test.one', 'test.two', 'test.three']);
      await expect(receivers.get(id)).resolves.toMatchObject({ waiting: 3 });
    });

    test('a receiver for a job hears that job from its beginning, and no other', async () => {
      await clean();
      const [mine, foreign] = [await newJob(), await newJob()];
      await tell('test.mine', mine);
      const life = newDeliveries();
      await life.spread(make, AT);
      const id = await newReceiver({ jobId: mine });
      await tell('test.foreign', foreign);
      await life.spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['job.submitted', 'test.mine']);
      await tell('test.mine.too', mine);
      await life.spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['job.submitted', 'test.mine', 'test.mine.too']);
    });

    test('more events than one transaction takes are all spread', async () => {
      await clean();
      const id = await newReceiver();
      const many = 1_203;
      await database.db.transaction(async (transaction) => {
        const inner = eventLog({ db: transaction }, { clock: systemClock });
        for (let index = 0; index < many; index++) {
          await inner.append({ type: `many.${index}`, tenantId: 'default', at: AT, data: {} });
        }
      });
      await expect(newDeliveries().spread(make, AT)).resolves.toEqual({ made: many, missed: [] });
      const page = await receivers.deliveries(id, { limit: 2 });
      expect(page.map(({ type }) => type)).toEqual(['many.1202', 'many.1201']);
      const rest = await receivers.deliveries(id, { limit: 2, before: page[1]?.number ?? 0 });
      expect(rest.map(({ type }) => type)).toEqual(['many.1200', 'many.1199']);
    });

    test('of each job only the first that waits is due; a claim keeps others off, and the next one follows when it is settled', async () => {
      await clean();
      const [one, two] = [await newJob(), await newJob()];
      const id = await newReceiver({ types: ['test.*'] });
      for (const type of ['test.1', 'test.2']) for (const job of [one, two]) await tell(type, job);
      const life = newDeliveries();
      await life.spread(make, AT);
      await expect(life.due(AT - 1, LIMITS)).resolves.toEqual([]);
      await expect(life.due(AT, { perReceiver: 1, total: 9 })).resolves.toHaveLength(1);
      const due = await life.due(AT, LIMITS);
      const claimed = await life.claim(
        due.map((each) => each.id),
        AT,
        AT + 20_000,
      );
      expect(claimed.map(({ type, attempts, jobId }) => [type, attempts, jobId]).sort()).toEqual(
        [one, two].map((job) => ['test.1', 1, job]).sort(),
      );
      expect(claimed[0]?.receiver).toEqual({
        ...{ id, kind: 'webhook', url: 'https://hooks.example/1', secrets: ['whsec_1'] },
      });
      await expect(
        life.claim(
          due.map((each) => each.id),
          AT,
          AT + 20_000,
        ),
      ).resolves.toEqual([]);
      await expect(life.due(AT + 19_999, LIMITS)).resolves.toEqual([]);
      // Nobody settled it: whoever claimed it is gone.
      await expect(life.due(AT + 20_000, LIMITS)).resolves.toHaveLength(2);
      const [first] = claimed;
      if (first) await life.settle(first, { state: 'delivered', at: AT + 1, status: 200 });
      const [next] = await life.claim(
        (await life.due(AT + 1, LIMITS)).map((each) => each.id),
        AT + 1,
        AT + 2,
      );
      expect([next?.type, next?.jobId]).toEqual(['test.2', first?.jobId]);
    });

    test('what a late claimant says is not heard; what was delivered is sent again by hand, under its id', async () => {
      await clean();
      const id = await newReceiver();
      await tell('test.late');
      const life = newDeliveries();
      await life.spread(make, AT);
      const ids = (await life.due(AT, LIMITS)).map((each) => each.id);
      const [early] = await life.claim(ids, AT, AT + 10);
      const [late] = await life.claim(ids, AT + 10, AT + 20);
      if (!early || !late) throw new Error('it was not claimed twice');
      await life.settle(early, { state: 'dead', at: AT + 11, error: 'x' });
      await expect(receivers.get(id)).resolves.toMatchObject({ dead: 0, waiting: 1 });
      await life.settle(late, { state: 'delivered', at: AT + 12, status: 204 });
      await expect(
        receivers.deliveries(id, { limit: 9, state: 'delivered' }),
      ).resolves.toMatchObject([
        { id: late.id, state: 'delivered', attempts: 2, lastStatus: 204, deliveredAt: AT + 12 },
      ]);
      await expect(receivers.redeliver(id, late.id, AT + 13)).resolves.toMatchObject({
        ...{ id: late.id, state: 'waiting', attempts: 0, nextAt: AT + 13 },
      });
      await expect(life.due(AT + 13, LIMITS)).resolves.toEqual([{ id: late.id, endpointId: id }]);
    });

    test('one that is switched off is sent nothing, keeps what waits, and hears nothing of what happened meanwhile', async () => {
      await clean();
      const id = await newReceiver();
      await tell('test.waits');
      const life = newDeliveries();
      await life.spread(make, AT);
      await life.disable(id, 'gone');
      await expect(receivers.get(id)).resolves.toMatchObject({
        enabled: false,
        disabledWhy: 'gone',
      });
      await tell('test.meanwhile');
      await life.spread(make, AT);
      await expect(life.due(AT, LIMITS)).resolves.toEqual([]);
      await receivers.change(id, { enabled: true, url: 'https://hooks.example/2' });
      await tell('test.after');
      await life.spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['test.waits', 'test.after']);
      const shown = await receivers.get(id);
      expect(shown).toMatchObject({ enabled: true, url: 'https://hooks.example/2' });
      expect(shown).not.toHaveProperty('disabledWhy');
    });

    test('a receiver is switched off for being away only when it has taken nothing since', async () => {
      await clean();
      const id = await newReceiver();
      await tell('test.taken');
      const life = newDeliveries();
      await life.spread(make, AT);
      const [claimed] = await life.claim(
        (await life.due(AT, LIMITS)).map((each) => each.id),
        AT,
        AT,
      );
      if (claimed) await life.settle(claimed, { state: 'delivered', at: AT + 5, status: 200 });
      await expect(life.disableIfAway(id, AT + 5, 'away')).resolves.toBe(false);
      await expect(life.disableIfAway(id, AT + 6, 'away')).resolves.toBe(true);
      await expect(receivers.get(id)).resolves.toMatchObject({
        enabled: false,
        disabledWhy: 'away',
      });
    });

    test('a ping goes to the one receiver alone, at once and once', async () => {
      await clean();
      const [id, other] = [await newReceiver({ types: ['job.moved'] }), await newReceiver()];
      const ping = await receivers.ping(id, make, AT);
      expect(ping).toMatchObject({ type: 'webhook.ping', state: 'waiting', endpointId: id });
      await newDeliveries().spread(make, AT);
      await expect(typesFor(id)).resolves.toEqual(['webhook.ping']);
      await expect(typesFor(other)).resolves.toEqual([]);
    });

    test('the clipping service hears of rejections alone, of every tenant, with the link', async () => {
      await clean();
      const clipper = { id: CLIPPER_ID, tenantId: 'default', url: 'https://clip.example/' };
      await receivers.putClipper({ ...clipper, secrets: ['whsec_c'], createdAt: AT });
      const jobId = await newJob();
      const moved = (to: string) =>
        log.append({ tenantId: 'other', jobId, type: 'job.moved', at: AT, data: { to } });
      await moved('recording');
      await moved('rejected');
      const heard: string[] = [];
      await newDeliveries().spread((event, kind) => {
        heard.push(`${kind} ${event.type} ${event.data['to']} ${event.sourceUrl}`);
        return make(event, kind);
      }, AT);
      expect(heard).toEqual([`clipper job.moved rejected ${SPEC.url}`]);
    });
  });
}
