import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { type EventLogStore, eventLog } from '../../src/db/eventLog.ts';
import { eventQueries } from '../../src/db/eventQueries.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { segmentIndex } from '../../src/db/segmentIndex.ts';
import { loggedEventSchema } from '../../src/jobs/eventSchemas.ts';
import type { LedgerRecord, SegmentLost, SegmentStored } from '../../src/ledger/record.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const AT = 1_700_000_000_000;

const segment = (msn: number): SegmentStored => ({
  t: 'segment',
  track: 'main',
  epoch: 0,
  msn,
  at: AT + msn,
  durationMs: 2_000,
  bytes: 1_000,
  checksum: 'ab'.repeat(32),
  file: `segments/${msn}.ts`,
  container: 'ts',
  discontinuity: 0,
});

const gap = (msn: number, count: number): SegmentLost => ({
  t: 'gap',
  track: 'main',
  epoch: 0,
  msn,
  at: AT,
  count,
  cause: 'http.404',
  detail: 'gone',
  durationMs: 2_000 * count,
});

const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`the log of events on ${under.kind}`, () => {
    let database: Database;
    let log: EventLogStore;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
      log = eventLog(database, { clock: systemClock });
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    const newJob = async (url = SPEC.url) => {
      const jobId = v7();
      const store = jobStore(database, { clock: systemClock });
      const from = await log.end();
      await store.create({ id: jobId, spec: { ...SPEC, url } });
      return { jobId, store, from, told: () => log.after(from, { jobId }, 1_000) };
    };

    const alert = (type: string, tenantId = 'default') =>
      log.append({ type, tenantId, at: AT, data: { some: 'facts\0' } });

    test('what is appended is read after the end of before, once, and as it was said', async () => {
      const from = await log.end();
      await alert('test.one');
      const [event, ...others] = await log.after(from, {}, 10);
      expect(others).toEqual([]);
      expect(event).toEqual({
        place: expect.stringMatching(/^\d+-\d+$/),
        tenantId: 'default',
        type: 'test.one',
        at: AT,
        data: { some: 'facts\ufffd' },
      });
      await expect(log.after(event?.place ?? '', {}, 10)).resolves.toEqual([]);
    });

    test('a reader goes on page by page, and sees each event once and in order', async () => {
      const from = await log.end();
      for (let index = 0; index < 7; index++) await alert(`test.${index}`);
      const seen: string[] = [];
      for (let place = from; ; ) {
        const page = await log.after(place, {}, 3);
        if (page.length === 0) break;
        seen.push(...typesOf(page));
        place = page.at(-1)?.place ?? place;
      }
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => `test.${index}`));
    });

    test('tenants, jobs and types are chosen; a star stands for any end, and no other letter for anything but itself', async () => {
      const from = await log.end();
      const { jobId } = await newJob();
      for (const type of ['a.one', 'a.two', 'b_one', 'bxone']) await alert(type);
      await alert('a.one', 'other');
      const chosen = async (filter: Parameters<EventLogStore['after']>[1]) =>
        typesOf(await log.after(from, filter, 100));
      expect(await chosen({ types: ['a.*'], tenantId: 'default' })).toEqual(['a.one', 'a.two']);
      expect(await chosen({ types: ['b_*'] })).toEqual(['b_one']);
      expect(await chosen({ types: ['a.two', 'bx*'] })).toEqual(['a.two', 'bxone']);
      expect(await chosen({ tenantId: 'other' })).toEqual(['a.one']);
      expect(await chosen({ jobId })).toEqual(['job.submitted']);
      expect(await chosen({ types: ['*'], tenantId: 'other' })).toEqual(['a.one']);
    });

    test.skipIf(under.kind === 'pglite')(
      'of two transactions that commit in the other order, one reader misses nothing and sees one order (PGlite has one at a time)',
      async () => {
        const from = await log.end();
        const first = Promise.withResolvers<void>();
        const firstWrote = Promise.withResolvers<void>();
        const event = (type: string) => ({ type, tenantId: 'default', at: AT, data: {} });
        const slow = database.db.transaction(async (transaction) => {
          await eventQueries(transaction).append(event('order.first'));
          firstWrote.resolve();
          await first.promise;
          await eventQueries(transaction).append(event('order.first.too'));
        });
        await firstWrote.promise;
        await log.append(event('order.second'));
        // It is committed, but something may still come before it.
        await expect(log.after(from, {}, 10)).resolves.toEqual([]);
        const between = await log.end();
        first.resolve();
        await slow;
        const order = ['order.first', 'order.first.too', 'order.second'];
        expect(typesOf(await log.after(from, {}, 10))).toEqual(order);
        // Whoever began in between misses nothing either.
        expect(typesOf(await log.after(between, {}, 10))).toEqual(order);
      },
    );

    test('a job, its moves and the decisions about it are told once, though they are sent again', async () => {
      const { jobId, store, told } = await newJob(
        'https://me:pw@example.test/live.m3u8?token=secret#x',
      );
      const { log: moves } = await store.open(jobId, new AbortController().signal);
      await moves.commit({
        from: 'pending',
        to: 'recording',
        cause: 'job.begin',
        evidence: { n: 1 },
        attempt: 1,
      });
      store.record({
        jobId,
        dog: 'bigDog',
        decision: 'recorder.adopt',
        why: 'alive',
        evidence: {},
      });
      await store.flush();
      await store.create({
        id: jobId,
        spec: { ...SPEC, url: 'https://me:pw@example.test/live.m3u8?token=secret#x' },
      });
      const events = await told();
      expect(events.map(({ type, data }) => ({ type, data }))).toEqual([
        {
          type: 'job.submitted',
          data: { url: 'https://example.test/live.m3u8', waiting: false },
        },
        {
          type: 'job.moved',
          data: {
            from: 'pending',
            to: 'recording',
            cause: 'job.begin',
            attempt: 1,
            evidence: { n: 1 },
          },
        },
        {
          type: 'job.decided',
          data: { dog: 'bigDog', decision: 'recorder.adopt', why: 'alive', evidence: {} },
        },
      ]);
      for (const event of events) loggedEventSchema.parse(event);
    });

    test('a gap is told once: not again when its stretch is, nor when others come near it, nor what is left of it when it heals', async () => {
      const { jobId, told } = await newJob();
      const index = segmentIndex(database);
      let offset = 0;
      const follow = async (...records: LedgerRecord[]) => {
        const stretch = { jobId, records, fromOffset: offset, toOffset: offset + 100 };
        offset += 100;
        await index.apply(stretch);
        await index.apply(stretch);
      };
      await follow({ t: 'started', at: AT, source: {} }, segment(1), gap(2, 5));
      await follow(segment(7), gap(1, 8));
      await follow(segment(4));
      await follow(segment(9), segment(2), gap(10, 1));
      const lost = (await told()).filter(({ type }) => type === 'segment.lost');
      expect(lost.map(({ data }) => [data['msn'], data['count']])).toEqual([
        [2, 5],
        [8, 1],
        [10, 1],
      ]);
      for (const event of lost) loggedEventSchema.parse(event);
      const gaps = await index.gaps(jobId);
      expect(gaps.map(({ msn, count }) => [msn, count])).toEqual([
        [3, 1],
        [5, 2],
        [8, 1],
        [10, 1],
      ]);
    });

    test('who listens is called when something was added, at once when somebody rings', async () => {
      const heard = Promise.withResolvers<void>();
      const from = await log.end();
      const stop = log.onAdded(() => {
        void log.after(from, { types: ['test.rung'] }, 1).then(([event]) => {
          if (event) heard.resolve();
        });
      });
      await alert('test.rung');
      await heard.promise;
      stop();
    });

    test('what another process wrote is heard without a bell', async () => {
      const heard = Promise.withResolvers<void>();
      const from = await log.end();
      const stop = log.onAdded(() => {
        void log.after(from, { types: ['test.elsewhere'] }, 1).then(([event]) => {
          if (event) heard.resolve();
        });
      });
      const elsewhere = eventLog(database, { clock: systemClock });
      await elsewhere.append({ type: 'test.elsewhere', tenantId: 'default', at: AT, data: {} });
      await heard.promise;
      stop();
    });

    test('places from before what was cleared are gone; the last one that was cleared is not', async () => {
      const young = Date.now() + 1_000_000;
      const from = await log.end();
      await alert('test.old');
      await log.append({ type: 'test.young', tenantId: 'default', at: young, data: {} });
      const [old] = await log.after(from, {}, 10);
      await expect(log.clear(young)).resolves.toBeGreaterThan(0);
      expect(typesOf(await log.after(old?.place ?? '', {}, 10))).toEqual(['test.young']);
      await expect(log.after(from, {}, 10)).rejects.toMatchObject({ code: 'event.gone' });
      await expect(log.after('0-0', {}, 10)).rejects.toMatchObject({ code: 'event.gone' });
      await expect(log.clear(young)).resolves.toBe(0);
    });

    test.each(['', 'x', '1', '1-', '-1-2', '99999999999999999999-1'])(
      'the place %j is refused',
      async (place) => {
        await expect(log.after(place, {}, 1)).rejects.toMatchObject({ code: 'request.invalid' });
      },
    );
  });
}
