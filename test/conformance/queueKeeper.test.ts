import { eq } from 'drizzle-orm';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import type { JobLog, Move } from '../../machines/ports.ts';
import type { Overload } from '../../src/capacity/capacity.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { queueStore } from '../../src/db/queueStore.ts';
import { scheduleStore } from '../../src/db/scheduleStore.ts';
import { jobs, tenants } from '../../src/db/schema.ts';
import { OpenWindows } from '../../src/queue/openWindows.ts';
import { QueueKeeper } from '../../src/queue/queueKeeper.ts';
import type { QueueTerms } from '../../src/queue/queueRecords.ts';
import type { Schedule, ScheduleRecords } from '../../src/queue/scheduleRecords.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const live = new AbortController().signal;
const WEIGHTS = [1, 2, 5] as const;
const SLOTS = 8;

const move = (from: Move['from'], to: Move['to'], more: Partial<Move> = {}): Move => ({
  from,
  to,
  cause: 'test',
  evidence: {},
  attempt: 1,
  ...more,
});

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`the keeper of the queue on ${under.kind}`, () => {
    let database: Database;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
      for (const weight of WEIGHTS) {
        const id = `weight ${weight}`;
        await database.db.insert(tenants).values({ id, name: id, weight, createdAt: 0 });
      }
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    /** A node of eight slots, whose recordings end when they are told to. */
    const setup = async () => {
      const records = queueStore(database, { clock: systemClock });
      const store = jobStore(database, { clock: systemClock });
      const schedules: ScheduleRecords = scheduleStore(database);
      const running = new Map<string, JobLog>();
      const slots = new Set<string>();
      const begun: string[] = [];
      const full: Overload = {
        resource: 'slots',
        explanation: 'Full.',
        limit: SLOTS,
        expected: SLOTS,
        needed: 1,
      };
      const keeper = new QueueKeeper({
        records,
        capacity: {
          overload: () => (slots.size < SLOTS ? undefined : full),
          admitted: ({ id }) => void slots.add(id),
          ended: (id) => void slots.delete(id),
        },
        runner: {
          begin: async (id) => {
            const { log } = await store.open(id, live);
            await log.commit(move('pending', 'recording'));
            running.set(id, log);
            begun.push(id);
          },
          refuse: async (id, { to, why, evidence }) => {
            const { log } = await store.open(id, live);
            await log.commit(move('pending', to, { cause: why, evidence }));
          },
        },
        windows: new OpenWindows({
          schedules,
          records,
          clock: systemClock,
          log: () => undefined,
          newId: v7,
          keysOf: ({ url }) => ({ sourceKey: url, costKey: 'hls' }),
          tell: async () => undefined,
        }),
        clock: systemClock,
        log: () => undefined,
        record: (decision) => store.record(decision),
        newId: v7,
      });
      const add = async (tenantId: string, terms: QueueTerms = {}) => {
        const job = { id: v7(), spec: SPEC, tenantId, sourceKey: v7(), costKey: 'hls', terms };
        return (await records.enqueue(job)).id;
      };
      const end = async (
        id: string,
        to: 'done' | 'failed' = 'failed',
        verdict = 'source.login',
      ) => {
        await running.get(id)?.commit(move('recording', to, { verdict }));
        running.delete(id);
        keeper.ended(id);
      };
      const whys = async (id: string) => {
        await store.flush();
        return (await store.decisions(id)).map(
          ({ dog, decision, why }) => `${dog}: ${decision} ${why}`,
        );
      };
      return { records, store, schedules, keeper, add, end, begun, running, slots, whys };
    };

    test('jobs of three tenants all run, never more than fit, and divided by weights', async () => {
      const { keeper, add, end, begun, running, slots, store, whys } = await setup();
      const tenantOf = new Map<string, string>();
      for (const weight of WEIGHTS) {
        for (let count = 0; count < 3 * weight; count++)
          tenantOf.set(await add(`weight ${weight}`), `weight ${weight}`);
      }
      await keeper.start();
      while (begun.length < 24) {
        await keeper.decide(v7());
        await expect.poll(() => running.size === slots.size).toBe(true);
        expect(slots.size).toBeLessThanOrEqual(SLOTS);
        for (const id of [...running.keys()].slice(0, 3)) await end(id);
      }
      const first = begun.slice(0, 8).map((id) => tenantOf.get(id));
      expect(first.filter((tenant) => tenant === 'weight 5')).toHaveLength(5);
      expect(first.filter((tenant) => tenant === 'weight 2')).toHaveLength(2);
      expect(new Set(begun).size).toBe(24);
      const last = begun.at(-1) ?? '';
      expect(await whys(last)).toEqual(['queue: queue.wait slots', 'queue: queue.admit room']);
      for (const id of running.keys()) await end(id);
      await keeper.stop();
      await store.close();
    });

    test('a rejection, an expiry and another try are committed moves and jobs, with their reasons', async () => {
      const { keeper, add, end, store, records, slots, running, whys } = await setup();
      for (let count = 0; count < SLOTS - 1; count++) slots.add(`other ${count}`);
      const retry = { attempts: 1, delayMs: 3_600_000 };
      const failing = await add('default', { retry });
      await keeper.start();
      expect(await keeper.decide(failing)).toEqual({ kind: 'admitted' });
      const rejected = await add('default', { mayWait: false });
      expect(await keeper.decide(rejected)).toMatchObject({ kind: 'rejected' });
      expect(await store.get(rejected)).toMatchObject({
        state: 'rejected',
        waiting: false,
        cause: 'capacity.exceeded',
        evidence: { overload: { resource: 'slots' } },
      });
      const expired = await add('default', { expiresAt: Date.now() });
      expect(await keeper.decide(expired)).toEqual({ kind: 'expired' });
      expect(await store.get(expired)).toMatchObject({ state: 'expired', cause: 'queue.expired' });
      expect(running.has(failing)).toBe(true);
      await end(failing, 'failed', 'source.unavailable');
      await keeper.decide(v7());
      const [again] = await database.db.select().from(jobs).where(eq(jobs.retryOf, failing));
      expect(again).toMatchObject({ tries: 2, waiting: true, state: 'pending' });
      expect(again?.runAt).toBeGreaterThan(Date.now() + 3_500_000);
      expect(await records.retriesDue()).toEqual([]);
      expect(await whys(failing)).toEqual(['queue: queue.admit room', 'queue: job.retry again']);
      await records.takeOut(again?.id ?? '');
      await keeper.stop();
      await store.close();
    });

    test('a schedule is kept as it was made, and its window becomes one job though two keepers open it', async () => {
      const [one, other] = [await setup(), await setup()];
      const { schedules, begun } = one;
      const now = Date.now();
      const hour = 3_600_000;
      const schedule: Schedule = {
        id: v7(),
        tenantId: 'default',
        keyId: 'key',
        name: 'news',
        cron: '@hourly',
        timeZone: 'UTC',
        windowMs: hour,
        spec: SPEC,
        terms: { priority: 3 },
        enabled: true,
        nextAt: now - (now % hour),
        createdAt: now,
        updatedAt: now,
      };
      await schedules.create(schedule);
      expect(await schedules.get(schedule.id)).toEqual(schedule);
      expect(await schedules.list('default')).toEqual([schedule]);
      expect(await schedules.list('nobody')).toEqual([]);
      expect(await schedules.nextMoment()).toBe(schedule.nextAt);
      await Promise.all([one.keeper.start(), other.keeper.start()]);
      await Promise.all([one.keeper.decide(v7()), other.keeper.decide(v7())]);
      const made = await database.db.select().from(jobs).where(eq(jobs.scheduleId, schedule.id));
      expect(made).toMatchObject([{ priority: 3, runAt: schedule.nextAt, keyId: 'key' }]);
      expect(made[0]?.spec.endAt).toBe((schedule.nextAt ?? 0) + hour);
      await Promise.all([one.keeper.stop(), other.keeper.stop()]);
      expect([...begun, ...other.begun]).toEqual([made[0]?.id]);
      expect((await schedules.get(schedule.id)).nextAt).toBe((schedule.nextAt ?? 0) + hour);
      const { nextAt: _, ...fields } = schedule;
      await schedules.change(schedule.id, { ...fields, enabled: false, name: 'off' });
      expect(await schedules.get(schedule.id)).toEqual({ ...fields, enabled: false, name: 'off' });
      expect(await schedules.nextMoment()).toBeUndefined();
      await schedules.remove(schedule.id);
      const unknown = expect.objectContaining({ code: 'schedule.notFound' });
      await expect(schedules.get(schedule.id)).rejects.toThrow(unknown);
      await expect(schedules.remove(schedule.id)).rejects.toThrow(unknown);
      await expect(schedules.change(schedule.id, fields)).rejects.toThrow(unknown);
      await expect(schedules.get('x')).rejects.toThrow(unknown);
      expect(await one.store.get(made[0]?.id ?? '')).not.toHaveProperty('scheduleId');
      await Promise.all([one.store.close(), other.store.close()]);
    });
  });
}
