import { expect, test } from 'vitest';
import { DiskWatch } from '../../../src/jobs/diskWatch.ts';
import { EventFeed, type KennelEvent } from '../../../src/jobs/events.ts';

const GB = 1e9;

/** A disk, one recorder that fills it, and a clock that stands still unless told. */
function setup(freeBytes: number) {
  const disk = { freeBytes, receivedBytes: 0, isBroken: false };
  const events: KennelEvent[] = [];
  const feed = new EventFeed();
  feed.subscribe((event) => void events.push(event));
  let now = 0;
  const watch = new DiskWatch({
    freeBytes: async () => {
      if (disk.isBroken) throw new Error('EIO');
      return disk.freeBytes;
    },
    activeJobs: () => ['rex'],
    leash: {
      progress: () => ({ beats: 0, bytes: disk.receivedBytes, advertised: 0, settled: 0 }),
    },
    feed,
    clock: { now: () => now, elapsed: () => now, setTimeout: () => 0, clearTimeout: () => {} },
    log: () => {},
  });
  /** Time passes; the recorder receives and somebody else writes, bytes a second. */
  const pass = async (seconds: number, { received = 0, others = 0 } = {}) => {
    for (let second = 0; second < seconds; second++) {
      now += 1_000;
      disk.receivedBytes += received;
      disk.freeBytes -= received + others;
      await watch.look();
    }
  };
  const levels = () =>
    events.map((event) => (event.type === 'disk.outlook' ? event.level : event.type));
  return { disk, events, watch, pass, levels };
}

test('a disk that lasts for days is not worth a word', async () => {
  const { pass, levels, watch } = setup(1_000 * GB);
  await pass(120, { received: 625_000 });
  expect(levels()).toEqual([]);
  expect(watch.outlook?.leftMs).toBeGreaterThan(48 * 3_600_000);
});

test('the last half hour and the last minutes are told once each, with the minutes that are left', async () => {
  const { pass, levels, events } = setup(20 * 60 * 1_000_000);
  await pass(600, { received: 1_000_000 });
  expect(levels()).toEqual(['low']);
  expect(events[0]).toMatchObject({ jobId: 'rex', bytesPerSecond: 1_000_000 });
  expect((events[0] as { leftMs: number }).leftMs).toBeCloseTo((20 * 60 - 21) * 1_000, -4);
  await pass(400, { received: 1_000_000 });
  expect(levels()).toEqual(['low', 'critical']);
});

test('a neighbour that fills the disk counts as much as the recorders do', async () => {
  const { pass, levels } = setup(20 * 60 * 1_000_000);
  await pass(60, { received: 1_000, others: 1_000_000 });
  expect(levels()).toEqual(['low']);
});

test('freed space is told, and a little of it is not', async () => {
  const { pass, levels, disk } = setup(20 * 60 * 1_000_000);
  await pass(60, { received: 1_000_000 });
  disk.freeBytes += 15 * 60 * 1_000_000;
  await pass(61, { received: 1_000_000 });
  expect(levels()).toEqual(['low']);
  disk.freeBytes += 100 * 60 * 1_000_000;
  await pass(61, { received: 1_000_000 });
  expect(levels()).toEqual(['low', 'good']);
});

test('a recorder that begins anew at nought is no freed space, and no rate either', async () => {
  const { pass, disk, watch } = setup(1_000 * GB);
  await pass(30, { received: 1_000_000 });
  disk.receivedBytes = 0;
  await pass(1, { received: 1_000_000 });
  expect(watch.outlook?.bytesPerSecond).toBe(0);
  await pass(30, { received: 1_000_000 });
  expect(watch.outlook?.bytesPerSecond).toBe(1_000_000);
});

test('a disk that cannot be asked keeps its last outlook', async () => {
  const { pass, disk, watch } = setup(1_000 * GB);
  await pass(30, { received: 1_000_000 });
  const before = watch.outlook;
  disk.isBroken = true;
  await pass(5);
  expect(watch.outlook).toBe(before);
});

test('a full disk is told as such, and no disk counts as good because nothing fills it any more', async () => {
  const { pass, levels, disk } = setup(60 * 1_000_000);
  await pass(40, { received: 1_000_000 });
  disk.freeBytes = 0;
  await pass(120);
  expect(levels()).toEqual(['critical', 'full']);
  disk.freeBytes = 500 * GB;
  await pass(2, { received: 1_000_000 });
  expect(levels()).toEqual(['critical', 'full', 'good']);
});

test('a change is told to the log of events once, however many jobs the node has', async () => {
  const appended: unknown[] = [];
  let now = 0;
  const watch = new DiskWatch({
    freeBytes: async () => 1_000,
    activeJobs: () => ['rex', 'bello'],
    leash: { progress: () => ({ beats: 0, bytes: 0, advertised: 0, settled: 0 }) },
    feed: new EventFeed(),
    eventLog: { append: async (event) => void appended.push(event) },
    clock: { now: () => now, elapsed: () => now, setTimeout: () => 0, clearTimeout: () => {} },
    log: () => {},
  });
  for (; now < 3_000; now += 1_000) await watch.look();
  const data = { level: 'full', freeBytes: 1_000, bytesPerSecond: 0 };
  expect(appended).toEqual([{ tenantId: 'default', type: 'disk.outlook', at: 0, data }]);
});

test('a log of events that is away keeps nobody from watching the disk', async () => {
  const { promise: warned, resolve: warn } = Promise.withResolvers<string>();
  const watch = new DiskWatch({
    freeBytes: async () => 1_000,
    activeJobs: () => [],
    leash: { progress: () => ({ beats: 0, bytes: 0, advertised: 0, settled: 0 }) },
    feed: new EventFeed(),
    eventLog: { append: () => Promise.reject(new Error('the database is away')) },
    clock: { now: () => 0, elapsed: () => 0, setTimeout: () => 0, clearTimeout: () => {} },
    log: (_level, _message, { error }) => {
      if (typeof error === 'string') warn(error);
    },
  });
  await watch.look();
  await expect(warned).resolves.toBe('the database is away');
});
