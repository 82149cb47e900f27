import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { segmentIndex } from '../../src/db/segmentIndex.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerRecord, SegmentLost, SegmentStored } from '../../src/ledger/record.ts';
import { SPEC } from '../support/database.ts';
import { databasesUnderTest } from '../support/databasesUnderTest.ts';

const STARTED: LedgerRecord = { t: 'started', at: 1_700_000_000_000, source: {} };

const segment = (msn: number, other: Partial<SegmentStored> = {}): SegmentStored => ({
  t: 'segment',
  track: 'main',
  epoch: 0,
  msn,
  at: 1_700_000_000_000 + msn,
  durationMs: 2002.5,
  bytes: 1000 + msn,
  checksum: createHash('sha256').update(`${msn}`).digest('hex'),
  file: `segments/${msn}.ts`,
  container: 'ts',
  discontinuity: 0,
  ...other,
});

const gap = (msn: number, count: number): SegmentLost => ({
  t: 'gap',
  track: 'main',
  epoch: 0,
  msn,
  at: 1_700_000_000_000,
  count,
  cause: 'http.404',
  detail: 'gone\0 for good',
  durationMs: 2000 * count,
});

for (const under of await databasesUnderTest()) {
  describe.skipIf(under.missing)(`a segment index on ${under.kind}`, () => {
    let database: Database;

    beforeAll(async () => {
      database = await openDatabase({ ...(await under.place()), legalMoves: LEGAL_MOVES });
    });
    // Run from the last to the first.
    afterAll(() => under.stop());
    afterAll(() => database.close());

    const setup = async () => {
      const jobId = v7();
      await jobStore(database, { clock: systemClock }).create({ id: jobId, spec: SPEC });
      const index = segmentIndex(database);
      let offset = 0;
      /** Applies the lines as if each were a hundred bytes long. */
      const follow = async (records: readonly LedgerRecord[]) => {
        const fromOffset = offset;
        offset += 100 * records.length;
        return await index.apply({ jobId, records, fromOffset, toOffset: offset });
      };
      return { index, jobId, follow };
    };

    test('a job without a journal stands at the beginning and has no summary', async () => {
      const { index, jobId } = await setup();
      await expect(index.position(jobId)).resolves.toBe(0);
      await expect(index.summary(jobId)).resolves.toBeUndefined();
      await expect(index.segments(jobId)).resolves.toEqual([]);
    });

    test('what was indexed is read back as the journal says it', async () => {
      const { index, jobId, follow } = await setup();
      const audio = segment(7, { track: 'audio', init: 3, wallClock: 1_700_000_123_456 });
      await expect(follow([STARTED, segment(2), segment(1), audio, gap(3, 2)])).resolves.toBe(500);

      const [first, second, third] = await index.segments(jobId);
      const { t: _t, file: _file, ...stored } = audio;
      expect(first).toEqual(stored);
      expect(second).toMatchObject({ msn: 1, checksum: segment(1).checksum, init: null });
      expect(third).toMatchObject({ msn: 2, bytes: 1002, durationMs: 2002.5 });
      await expect(index.gaps(jobId)).resolves.toEqual([
        { ...gap(3, 2), detail: 'gone\ufffd for good' },
      ]);
      await expect(index.summary(jobId)).resolves.toEqual({
        journalOffset: 500,
        segments: 3,
        lost: 2,
        bytes: 1001 + 1002 + 1007,
        durationMs: 4005,
        startedAt: 1_700_000_000_000,
      });
    });

    test('a stretch that was indexed already changes nothing', async () => {
      const { index, jobId, follow } = await setup();
      await follow([STARTED, segment(1), gap(2, 1)]);
      const before = await index.summary(jobId);
      const records = [STARTED, segment(1), gap(2, 1)];
      const again = { jobId, records, fromOffset: 0, toOffset: 300 };
      await expect(index.apply(again)).resolves.toBe(300);
      await expect(index.summary(jobId)).resolves.toEqual(before);
    });

    test('a stretch after a hole is not taken', async () => {
      const { index, jobId } = await setup();
      const later = { jobId, records: [segment(5)], fromOffset: 700, toOffset: 800 };
      await expect(index.apply(later)).resolves.toBe(0);
      await expect(index.segments(jobId)).resolves.toEqual([]);
    });

    test('stretches of many jobs at once are indexed each for its own job', async () => {
      const bundles = [];
      for (let job = 0; job < 5; job++) bundles.push(await setup());
      const [{ index } = await setup()] = bundles;
      const apply = ({ jobId }: { jobId: string }, at: number) =>
        index.apply({ jobId, records: numbered(at), fromOffset: 0, toOffset: 100 + at });
      const numbered = (at: number) => [segment(at), segment(at + 1), gap(at + 2, at + 1)];
      expect(await Promise.all(bundles.map(apply))).toEqual([100, 101, 102, 103, 104]);
      for (const [at, { jobId }] of bundles.entries())
        expect(await index.summary(jobId)).toMatchObject({ segments: 2, lost: at + 1 });
    });

    test('a job that the database does not know does not keep others from being indexed', async () => {
      const { index, jobId } = await setup();
      const stretch = { records: [segment(1)], fromOffset: 0, toOffset: 100 };
      const [first, unknown, again] = await Promise.allSettled([
        index.apply({ jobId, ...stretch }),
        index.apply({ jobId: v7(), ...stretch }),
        index.apply({ jobId, records: [segment(2)], fromOffset: 100, toOffset: 200 }),
      ]);
      expect([first, unknown.status, again]).toEqual([
        { status: 'fulfilled', value: 100 },
        'rejected',
        { status: 'fulfilled', value: 200 },
      ]);
      await expect(index.summary(jobId)).resolves.toMatchObject({ segments: 2 });
    });

    test('the same stretch from two writers at once is taken once', async () => {
      const { index, jobId } = await setup();
      const stretch = { jobId, records: [segment(1), segment(2)], fromOffset: 0, toOffset: 200 };
      const answers = await Promise.all([1, 2, 3, 4].map(() => index.apply(stretch)));
      expect(answers).toEqual([200, 200, 200, 200]);
      await expect(index.summary(jobId)).resolves.toMatchObject({ segments: 2, bytes: 2003 });
    });

    test('it counts as the ledger does, however gaps heal and lines repeat', async () => {
      const { index, jobId, follow } = await setup();
      const stretches = [
        [STARTED, segment(10), gap(11, 10), segment(21)],
        [segment(15), segment(15), segment(16, { bytes: 5 }), segment(15, { bytes: 9 })],
        [gap(5, 30), segment(12), segment(40), gap(38, 4)],
        [segment(5), segment(34), segment(3, { epoch: 1 }), gap(60, 2)],
      ];
      const ledger = new Ledger();
      for (const records of stretches) {
        await follow(records);
        for (const record of records) ledger.apply(record);
        await expect(index.summary(jobId)).resolves.toMatchObject({
          segments: ledger.stored,
          lost: ledger.lost,
          bytes: ledger.bytes,
          durationMs: ledger.durationMs,
        });
        const named = ledger.gaps().map((one) => ({ ...one, detail: 'gone\ufffd for good' }));
        await expect(index.gaps(jobId)).resolves.toEqual(named);
      }
    });

    test('a long journal is indexed in one go and read page by page', async () => {
      const { index, jobId, follow } = await setup();
      const records = Array.from({ length: 2_500 }, (_, msn) => segment(msn));
      await follow(records);
      const page = await index.segments(jobId, { limit: 2_000 });
      const after = page.at(-1);
      if (!after) throw new Error('the page is empty');
      const rest = await index.segments(jobId, { after });
      expect([...page, ...rest].map(({ msn }) => msn)).toEqual(records.map(({ msn }) => msn));
    });
  });
}
