import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { FencedError, type Move } from '../../machines/ports.ts';
import type { Decision } from '../../machines/vocabulary.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { jobLog } from '../../src/db/jobLog.ts';
import { jobQueries } from '../../src/db/jobQueries.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { writeLegalMoves } from '../../src/db/migrate.ts';
import { legalMoves } from '../../src/db/schema.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const RECORD: Move = {
  from: 'pending',
  to: 'recording',
  cause: 'recorder.started',
  evidence: { recorder: 'hls' },
  attempt: 1,
  startedAt: 1_700_000_000_123,
};
const RETRY: Move = { ...RECORD, from: 'recording', to: 'retrying', cause: 'recorder.exited' };
const AGAIN: Move = { ...RECORD, from: 'retrying', to: 'recording', attempt: 2 };
const MUX: Move = { ...RECORD, from: 'recording', to: 'muxing', ending: 'endlist', attempt: 2 };

const live = new AbortController().signal;

const decisionOf = (jobId: string, why: string): Decision => ({
  jobId,
  dog: 'bigDog',
  decision: 'recorder.restart',
  why,
  evidence: { exit: { code: 1 } },
});

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`a job store on ${under.kind}`, () => {
    let database: Database;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    const setup = async () => {
      const moves: string[] = [];
      const told: string[] = [];
      const log: string[] = [];
      const store = jobStore(database, {
        clock: systemClock,
        onMove: (_jobId, { to }) => moves.push(to),
        onDecision: ({ why }) => told.push(why),
        log: (level, message) => log.push(`${level}: ${message}`),
      });
      const id = v7();
      await store.create({ id, spec: SPEC });
      return { store, id, moves, told, log };
    };

    test('a job keeps what it was made with, and what its moves say', async () => {
      const { store, id, moves } = await setup();
      const { job, log } = await store.open(id, live);
      expect(job).toEqual({ id, state: 'pending', attempt: 0, spec: SPEC });

      await log.commit(RECORD);
      await log.commit(MUX);

      const found = await store.get(id);
      expect(found).toMatchObject({
        state: 'muxing',
        version: 2,
        token: 1,
        attempt: 2,
        startedAt: 1_700_000_000_123,
        ending: 'endlist',
        sourceUrl: SPEC.url,
        output: SPEC.output,
        cause: 'recorder.started',
        evidence: { recorder: 'hls' },
      });
      expect(found).not.toHaveProperty('verdict');
      const history = await store.transitions(id);
      expect(history.map(({ version, from, to, token }) => [version, from, to, token])).toEqual([
        [1, 'pending', 'recording', 1],
        [2, 'recording', 'muxing', 1],
      ]);
      expect(moves).toEqual(['recording', 'muxing']);
    });

    test('making a job twice makes one, and another job under its id is a conflict', async () => {
      const { store, id } = await setup();
      await expect(store.create({ id, spec: SPEC })).resolves.toMatchObject({ id });
      const other = { ...SPEC, url: 'https://example.test/other.m3u8' };
      await expect(store.create({ id, spec: other })).rejects.toMatchObject({
        code: 'job.conflict',
      });
    });

    test('an unknown job is not found, whatever its id looks like', async () => {
      const { store } = await setup();
      await expect(store.open(v7(), live)).rejects.toMatchObject({ code: 'job.notFound' });
      await expect(store.open('../etc', live)).rejects.toMatchObject({ code: 'job.notFound' });
      await expect(store.findByPrefix('%')).rejects.toMatchObject({ code: 'job.notFound' });
    });

    test('either end of an id finds its job, and what fits several names them', async () => {
      const { store } = await setup();
      const first = '0198aaaa-0000-7000-8000-00000000beef';
      const second = '0198aaaa-0000-7000-8000-00000000feed';
      for (const id of [first, second]) await store.create({ id, spec: SPEC });
      await expect(store.findByPrefix('0000BEEF')).resolves.toMatchObject({ id: first });
      await expect(store.findByPrefix(second)).resolves.toMatchObject({ id: second });
      await expect(store.findByPrefix('0198aaaa')).rejects.toMatchObject({
        code: 'job.conflict',
        details: { candidates: [first, second] },
      });
    });

    test('what a job asks for is replaced while it has not ended, and its place in the history stays', async () => {
      const { store, id } = await setup();
      const { version } = await store.get(id);
      const spec = { ...SPEC, proxy: 'http://proxy.test:8080' };
      await store.respec(id, spec);
      expect(await store.get(id)).toMatchObject({ spec, version, state: 'pending' });
      const { log } = await store.open(id, live);
      await log.commit({ ...RECORD, to: 'cancelled' });
      await store.respec(id, SPEC);
      expect(await store.get(id)).toMatchObject({ spec });
    });

    test('unfinished jobs come oldest first, and the list newest first', async () => {
      const { store, id: older } = await setup();
      const newer = v7();
      const ended = v7();
      await store.create({ id: newer, spec: SPEC });
      await store.create({ id: ended, spec: SPEC });
      const { log } = await store.open(ended, live);
      await log.commit({ ...RECORD, to: 'cancelled' });

      const unfinished = (await store.findUnfinished()).map(({ id }) => id);
      expect(unfinished.indexOf(older)).toBeLessThan(unfinished.indexOf(newer));
      expect(unfinished).not.toContain(ended);
      const listed = (await store.list({ limit: 3 })).map(({ id }) => id);
      expect(listed).toEqual([ended, newer, older]);
      const [cancelled] = await store.list({ limit: 1, state: 'cancelled' });
      expect(cancelled?.id).toBe(ended);
    });

    test('a new owner fences the old one, and nothing of the old one is written after', async () => {
      const { store, id } = await setup();
      const old = await store.open(id, live);
      const next = await store.open(id, live);
      await expect(old.log.commit(RECORD)).rejects.toThrow(FencedError);
      await expect(old.log.commit(RETRY)).rejects.toThrow(FencedError);
      await next.log.commit(RECORD);
      expect((await store.transitions(id)).map(({ token }) => token)).toEqual([2]);
    });

    test('owners that come at the same time get different tokens', async () => {
      const { store, id } = await setup();
      await Promise.all(Array.from({ length: 5 }, () => store.open(id, live)));
      expect((await store.get(id)).token).toBe(5);
    });

    test('whoever has gone away takes nothing', async () => {
      const { store, id } = await setup();
      await expect(store.open(id, AbortSignal.abort())).rejects.toThrow();
      expect((await store.get(id)).token).toBe(0);
    });

    test('moves that are not awaited are written in order', async () => {
      const { store, id } = await setup();
      const { log } = await store.open(id, live);
      const moves = [RECORD];
      for (let round = 0; round < 10; round++) moves.push(RETRY, AGAIN);
      for (const move of moves) void log.commit(move);
      await store.flush();
      const history = await store.transitions(id);
      expect(history.map(({ to }) => to)).toEqual(moves.map(({ to }) => to));
      expect(history.map(({ version }) => version)).toEqual(moves.map((_, index) => index + 1));
    });

    test('a move whose answer was lost is written once', async () => {
      const { store, id } = await setup();
      const queries = jobQueries(database.db);
      const { version, token } = await store.open(id, live).then(() => store.get(id));
      let answersLost = 0;
      const log = jobLog({
        clock: systemClock,
        random: () => 0,
        log: () => undefined,
        onMove: () => undefined,
        signal: live,
        owner: { jobId: id, version, token },
        queries: {
          ...queries,
          transition: async (guard, move, at) => {
            const written = await queries.transition(guard, move, at);
            if (answersLost++ > 0) return written;
            throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
          },
        },
      });
      await log.commit(RECORD);
      await log.commit(RETRY);
      expect(answersLost).toBe(3);
      expect((await store.transitions(id)).map(({ to }) => to)).toEqual(['recording', 'retrying']);
    });

    test('the database itself refuses a move that the chart does not know', async () => {
      const { store, id, log: said } = await setup();
      const { log } = await store.open(id, live);
      await expect(log.commit({ ...RECORD, to: 'done' })).rejects.toMatchObject({ code: '23503' });
      expect(await store.get(id)).toMatchObject({ state: 'pending', version: 0 });
      expect(said).toEqual([]);
    });

    test('a move that the chart no longer knows goes, unless it stands in a history', async () => {
      const { store, id } = await setup();
      const { log } = await store.open(id, live);
      await log.commit(RECORD);
      const keep = LEGAL_MOVES.filter(({ to }) => to !== 'recording' && to !== 'done');
      await writeLegalMoves(database.db, keep);
      const left = await database.db.select().from(legalMoves);
      expect(left).toContainEqual({ from: 'pending', to: 'recording' });
      expect(left).not.toContainEqual({ from: 'uploading', to: 'done' });
      await writeLegalMoves(database.db, LEGAL_MOVES);
      await expect(database.db.$count(legalMoves)).resolves.toBe(LEGAL_MOVES.length);
    });

    test('a move from a state in which the job is not is a bug, not a lost right', async () => {
      const { store, id } = await setup();
      const { log } = await store.open(id, live);
      const refused = log.commit(RETRY);
      await expect(refused).rejects.toThrow('is pending at version 0');
      await expect(refused).rejects.not.toThrow(FencedError);
    });

    test('letters that Postgres cannot store do not stop a move', async () => {
      const { store, id } = await setup();
      const { log } = await store.open(id, live);
      await log.commit({
        ...RECORD,
        cause: 'a\0b',
        evidence: { stderr: 'x\0y\ud800z \\u0000 😀' },
      });
      expect(await store.get(id)).toMatchObject({
        cause: 'a\ufffdb',
        evidence: { stderr: 'x\ufffdy\ufffdz \\u0000 😀' },
      });
    });

    test('decisions are kept in order, and told once they are stored', async () => {
      const { store, id, told } = await setup();
      const whys = Array.from({ length: 250 }, (_, index) => `reason ${index}`);
      for (const why of whys) store.record(decisionOf(id, why));
      await store.flush();
      const kept = await store.decisions(id);
      expect(kept.map(({ why }) => why)).toEqual(whys);
      expect(kept[0]).toMatchObject({ jobId: id, dog: 'bigDog', evidence: { exit: { code: 1 } } });
      expect(told).toEqual(whys);
    });

    test('a decision that cannot be stored takes no other along', async () => {
      const { store, id, log } = await setup();
      store.record(decisionOf(id, 'first'));
      store.record(decisionOf(v7(), 'about no job'));
      store.record(decisionOf(id, 'second'));
      await store.flush();
      expect((await store.decisions(id)).map(({ why }) => why)).toEqual(['first', 'second']);
      expect(log).toEqual(['error: A decision could not be stored']);
    });

    // PGlite is skipped by design: it lives in this process, so there is no server that could be away. That it starts again
    // after a panic is shown in embeddedDatabase.test.ts.
    test.skipIf(under.kind === 'pglite')('moves and decisions outlast an outage', async () => {
      const { store, id, log: said } = await setup();
      const { log } = await store.open(id, live);
      await log.commit(RECORD);
      const end = await under.breakOff();
      const late = Promise.all([log.commit(RETRY), log.commit(AGAIN)]);
      store.record(decisionOf(id, 'during the outage'));
      if (end.isAway) {
        await expect(store.get(id)).rejects.toMatchObject({ code: 'database.unavailable' });
      }
      await end.restore();
      await late;
      await store.flush();
      expect((await store.transitions(id)).map(({ version }) => version)).toEqual([1, 2, 3]);
      expect(await store.decisions(id)).toHaveLength(1);
      if (end.isAway) expect(said).toContain('info: The database answers again');
    });

    test.skipIf(under.kind === 'pglite')(
      'closing does not wait for an absent database',
      async () => {
        const { store, id } = await setup();
        const { log } = await store.open(id, live);
        const end = await under.breakOff();
        if (end.isAway) {
          const move = log.commit(RECORD);
          store.record(decisionOf(id, 'lost'));
          const refused = expect(move).rejects.toMatchObject({ code: 'database.unavailable' });
          await store.close();
          await refused;
        }
        await end.restore();
      },
    );
  });
}
