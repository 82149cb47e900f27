import { eq } from 'drizzle-orm';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import type { Move } from '../../machines/ports.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { KennelError } from '../../src/core/errors.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { queueStore } from '../../src/db/queueStore.ts';
import {
  idempotencyKeys,
  jobs,
  schedules,
  tenants,
  webhookEndpoints,
} from '../../src/db/schema.ts';
import { byQueueOrder } from '../../src/queue/queueOrder.ts';
import type { QueuedJob, QueueRecords, QueueTerms } from '../../src/queue/queueRecords.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const MINUTE = 60_000;
const live = new AbortController().signal;

const FAIL: Move = {
  from: 'pending',
  to: 'failed',
  cause: 'recorder.exited',
  evidence: {},
  attempt: 1,
  verdict: 'source.unavailable',
};

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`the queue on ${under.kind}`, () => {
    let database: Database;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    /** A tenant of its own, so that tests do not see each other's jobs. */
    const setup = async (limits: { waitingMax?: number; weight?: number } = {}) => {
      const tenantId = v7();
      await database.db
        .insert(tenants)
        .values({ id: tenantId, name: 'test', createdAt: Date.now(), ...limits });
      const store = queueStore(database, { clock: systemClock });
      const queue: QueueRecords = store;
      const job = (terms: QueueTerms = {}, more: Partial<QueuedJob> = {}): QueuedJob => ({
        id: v7(),
        spec: SPEC,
        tenantId,
        sourceKey: v7(),
        costKey: 'hls|example.test',
        terms,
        ...more,
      });
      const add = async (terms?: QueueTerms, more?: Partial<QueuedJob>) =>
        (await queue.enqueue(job(terms, more))).id;
      const due = async (now = Date.now(), limit = 100) =>
        (await queue.due(now, limit)).filter((one) => one.tenantId === tenantId);
      const standing = async () =>
        (await queue.standings()).find((one) => one.tenantId === tenantId);
      const rows = () => database.db.select().from(jobs).where(eq(jobs.tenantId, tenantId));
      const records = jobStore(database, { clock: systemClock });
      const move = async (id: string, how: Move) => {
        const { log } = await records.open(id, live);
        await log.commit(how);
      };
      return { tenantId, store, queue, job, add, due, standing, rows, records, move };
    };

    test('a job waits with its terms, and what it is asked to be known by', async () => {
      const { queue, job, records, due } = await setup();
      const asked = job(
        {
          priority: 5,
          startAt: 1_700_000_000_123,
          expiresAt: 1_900_000_000_000,
          mayWait: true,
          retry: { attempts: 2, delayMs: 1_000 },
          labels: { show: 'news' },
        },
        { keyId: 'key', tries: 1, spec: { ...SPEC, durationMs: 60_000, endAt: 1_800_000_000_000 } },
      );
      await expect(queue.enqueue(asked)).resolves.toEqual({ id: asked.id, isReplayed: false });
      expect(await queue.queued(asked.id)).toEqual(asked);
      expect(await due()).toEqual([
        {
          id: asked.id,
          tenantId: asked.tenantId,
          costKey: asked.costKey,
          priority: 5,
          runAt: 1_700_000_000_123,
          createdAt: expect.any(Number),
          mayWait: true,
          expiresAt: 1_900_000_000_000,
          durationMs: 60_000,
          endAt: 1_800_000_000_000,
        },
      ]);
      const record = await records.get(asked.id);
      expect(record).toMatchObject({ waiting: true, state: 'pending', keyId: 'key' });
      expect(record).not.toHaveProperty('endedAt');
      await expect(queue.queued(v7())).rejects.toMatchObject({ code: 'job.notFound' });
    });

    test('a tenant that is not there cannot add a job', async () => {
      const { queue, job } = await setup();
      await expect(queue.enqueue(job({}, { tenantId: 'nobody' }))).rejects.toMatchObject({
        code: 'tenant.notFound',
      });
    });

    test('racers with the same keys make one job for each key', async () => {
      const { queue, job, rows } = await setup();
      // The embedded database has one connection: racers follow each other there.
      const keyCount = under.kind === 'postgres' ? 50 : 5;
      const keys = Array.from({ length: keyCount }, () => v7());
      const fingerprint = 'ab'.repeat(32);
      const race = async (key: string) => {
        for (;;) {
          try {
            const answer = { key, fingerprint, expiresAt: Date.now() + MINUTE };
            return (await queue.enqueue(job(), answer)).id;
          } catch (error) {
            if ((error as KennelError).code !== 'idempotency.busy') throw error;
          }
        }
      };
      const racers = keys.flatMap((key) => Array.from({ length: 20 }, () => key));
      const made = await Promise.all(racers.map(race));
      const perKey = keys.map((_, index) => new Set(made.slice(index * 20, index * 20 + 20)).size);
      expect(perKey).toEqual(keys.map(() => 1));
      expect(new Set(made).size).toBe(keyCount);
      expect(await rows()).toHaveLength(keyCount);
    });

    test('an answer is given again until it expires, and only for what was asked for', async () => {
      const { queue, job, tenantId, rows, store } = await setup();
      const answer = { key: 'k', fingerprint: 'ab'.repeat(32), expiresAt: Date.now() + MINUTE };
      const { id } = await queue.enqueue(job(), answer);
      expect(await queue.enqueue(job(), answer)).toEqual({ id, isReplayed: true });
      await expect(
        queue.enqueue(job(), { ...answer, fingerprint: 'cd'.repeat(32) }),
      ).rejects.toMatchObject({ code: 'idempotency.conflict' });
      expect(await rows()).toHaveLength(1);
      const ownKeys = eq(idempotencyKeys.tenantId, tenantId);
      await database.db.update(idempotencyKeys).set({ expiresAt: 1 }).where(ownKeys);
      expect((await queue.enqueue(job(), answer)).isReplayed).toBe(false);
      await database.db.update(idempotencyKeys).set({ expiresAt: 1 }).where(ownKeys);
      await store.forgetAnswers(Date.now());
      expect(await database.db.select().from(idempotencyKeys).where(ownKeys)).toEqual([]);
    });

    test('what is refused leaves no answer behind: the same key is free for another try', async () => {
      const { queue, job, add } = await setup();
      const first = await add({}, { sourceKey: 'same' });
      const answer = { key: 'k', fingerprint: 'ab'.repeat(32), expiresAt: Date.now() + MINUTE };
      const again = job({}, { sourceKey: 'same' });
      await expect(queue.enqueue(again, answer)).rejects.toMatchObject({
        code: 'job.duplicate',
        details: { jobId: first },
      });
      const wanted = job({ isDuplicateWanted: true }, { sourceKey: 'same' });
      expect((await queue.enqueue(wanted, answer)).isReplayed).toBe(false);
    });

    test('whoever is to be told of a job comes with it, or not at all', async () => {
      const { queue, job, add } = await setup();
      const callback = () => ({ id: v7(), url: 'https://hooks.example/', secret: 'whsec_AAAA' });
      const [told, untold] = [callback(), callback()];
      const { id: jobId } = await queue.enqueue(job({}, { sourceKey: 'same', callback: told }));
      const refused = job({}, { sourceKey: 'same', callback: untold });
      await expect(queue.enqueue(refused)).rejects.toMatchObject({ code: 'job.duplicate' });
      await add();
      const made = await database.db.select().from(webhookEndpoints);
      expect(made).toMatchObject([
        { id: told.id, jobId, url: told.url, secrets: [told.secret], cursorXid: '0', cursorId: 0 },
      ]);
    });

    test('racers for one source make one job, and other tenants another', async () => {
      const { queue, job, add, rows } = await setup();
      const asks = Array.from({ length: 30 }, () => queue.enqueue(job({}, { sourceKey: 'same' })));
      const settled = await Promise.allSettled(asks);
      const made = settled.filter(({ status }) => status === 'fulfilled');
      expect(made).toHaveLength(1);
      expect(await rows()).toHaveLength(1);
      const other = await setup();
      await other.add({}, { sourceKey: 'same' });
      await add({ isDuplicateWanted: true }, { sourceKey: 'same' });
      expect(await rows()).toHaveLength(2);
    });

    test('a source whose recording is over may be recorded again, also while the first is finished', async () => {
      const { add, move } = await setup();
      const first = await add({}, { sourceKey: 'same' });
      await move(first, { ...FAIL, to: 'recording' });
      await expect(add({}, { sourceKey: 'same' })).rejects.toMatchObject({ code: 'job.duplicate' });
      await move(first, { ...FAIL, from: 'recording', to: 'muxing' });
      const second = await add({}, { sourceKey: 'same' });
      await move(second, FAIL);
      await add({}, { sourceKey: 'same' });
    });

    test('no more jobs of a tenant wait than may, however many come at once', async () => {
      const { queue, job, rows, due } = await setup({ waitingMax: 3 });
      const asks = Array.from({ length: 20 }, () => queue.enqueue(job()));
      const settled = await Promise.allSettled(asks);
      const refused = settled.flatMap((one) => (one.status === 'rejected' ? one.reason.code : []));
      expect(refused).toEqual(Array.from({ length: 17 }, () => 'tenant.full'));
      expect(await rows()).toHaveLength(3);
      const [first] = await due();
      await queue.takeOut(first?.id ?? '');
      await queue.enqueue(job());
    });

    test('a queue is in the order that the rule says, and no longer than asked for', async () => {
      const { add, due } = await setup();
      const now = Date.now();
      for (const [priority, age] of [
        [0, 30],
        [10, 0],
        [-20, 60],
        [0, 10],
        [100, 1],
      ] as const)
        await add({ priority, startAt: now - age * MINUTE });
      await add({ startAt: now + MINUTE });
      const all = await due(now);
      expect(all.map(({ priority }) => priority)).toEqual([100, -20, 0, 10, 0]);
      expect(all).toEqual(all.toSorted(byQueueOrder));
      expect(await due(now, 2)).toEqual(all.slice(0, 2));
    });

    test('jobs that may not wait are told wherever they stand', async () => {
      const { add, due } = await setup();
      await add();
      await add();
      const last = await add({ mayWait: false, priority: -100 });
      expect((await due(Date.now(), 1)).map(({ id }) => id).slice(1)).toEqual([last]);
    });

    test('one of many takes a job out; what moved on is not put back', async () => {
      const { queue, add, due, standing, move, records } = await setup({ weight: 5 });
      const id = await add();
      const taken = await Promise.all(Array.from({ length: 10 }, () => queue.takeOut(id)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await standing()).toMatchObject({ running: 1, waiting: 0, weight: 5 });
      await queue.putBack(id);
      expect(await due()).toHaveLength(1);
      expect(await standing()).toMatchObject({ running: 0, waiting: 1 });
      await move(id, { ...FAIL, to: 'recording' });
      expect(await records.get(id)).toMatchObject({ waiting: false });
      await queue.putBack(id);
      expect(await due()).toEqual([]);
      await move(id, { ...FAIL, from: 'recording' });
      expect(await records.get(id)).toMatchObject({ endedAt: expect.any(Number) });
      expect(await standing()).toBeUndefined();
    });

    test('the next moment is the next beginning or expiry, and what is past is overdue', async () => {
      const { queue, add, tenantId } = await setup();
      const now = Date.UTC(2040, 0);
      expect(await queue.nextMoment(now)).toBeUndefined();
      await add({ startAt: now + 2_000 });
      const expiring = await add({ startAt: now - 1, expiresAt: now + 1_234 });
      expect(await queue.nextMoment(now)).toBe(now + 1_234);
      expect(await queue.nextMoment(now + 1_234)).toBe(now + 2_000);
      const overdue = await queue.overdue(now + 1_234);
      expect(overdue.filter((one) => one.tenantId === tenantId).map(({ id }) => id)).toEqual([
        expiring,
      ]);
      for (const { id } of await queue.due(now + 3_000, 100)) await queue.takeOut(id);
    });

    test('a job that failed is told until it is tried again, once, or that is decided against', async () => {
      const { queue, job, add, move, tenantId, rows } = await setup();
      const retry = { attempts: 3, delayMs: 1_000 };
      const [failed, hopeless, done, plain] = [
        await add({ retry }, { spec: { ...SPEC, endAt: 1_900_000_000_000 } }),
        await add({ retry }),
        await add({ retry }),
        await add(),
      ];
      const told = async () =>
        (await queue.retriesDue()).filter((one) => one.tenantId === tenantId);
      expect(await told()).toEqual([]);
      for (const id of [failed, hopeless, plain]) await move(id, FAIL);
      await move(done, { ...FAIL, to: 'cancelled' });
      expect((await told()).map(({ id }) => id).toSorted()).toEqual([failed, hopeless].toSorted());
      expect((await told()).find(({ id }) => id === failed)).toEqual({
        id: failed,
        tenantId,
        tries: 1,
        retry,
        endedAt: expect.any(Number),
        verdict: 'source.unavailable',
        endAt: 1_900_000_000_000,
      });
      await queue.settleRetry(hopeless);
      const tries = Array.from({ length: 5 }, () =>
        queue.enqueue(job({ retry, isDuplicateWanted: true }, { retryOf: failed, tries: 2 })),
      );
      const made = await Promise.all(tries);
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      expect(made.filter(({ isReplayed }) => !isReplayed)).toHaveLength(1);
      expect(await told()).toEqual([]);
      expect(await rows()).toHaveLength(5);
    });

    test('a window of a schedule is one job; the windows before it do not keep it from being made', async () => {
      const { queue, job, add, tenantId, rows } = await setup();
      const scheduleId = v7();
      const at = Date.now();
      await database.db.insert(schedules).values({
        id: scheduleId,
        tenantId,
        name: 'news',
        cron: '0 20 * * *',
        timeZone: 'UTC',
        windowMs: 1,
        spec: SPEC,
        terms: {},
        createdAt: at,
        updatedAt: at,
      });
      const window = (startAt: number) =>
        queue.enqueue(job({ startAt }, { scheduleId, sourceKey: 'same' }));
      const made = await Promise.all(Array.from({ length: 5 }, () => window(at)));
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      await window(at + 1);
      expect(await rows()).toHaveLength(2);
      await expect(add({}, { sourceKey: 'same' })).rejects.toMatchObject({ code: 'job.duplicate' });
    });
  });
}
