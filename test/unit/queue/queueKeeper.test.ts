import { expect, test } from 'vitest';
import { MINUTE, QueueWorld } from './queueWorld.ts';

const world = async (change: Partial<Pick<QueueWorld, 'slots' | 'memory'>> = {}) => {
  const made = Object.assign(new QueueWorld(), change);
  await made.keeper.start();
  await made.pass(1);
  return made;
};

test('a job that fits begins at once, and that is recorded with how long it waited', async () => {
  const node = await world();
  const id = node.add();
  node.keeper.poke();
  await node.pass(0);
  expect(node.begun).toEqual([id]);
  expect(node.decisions).toMatchObject([
    { jobId: id, dog: 'queue', decision: 'queue.admit', why: 'room', evidence: { waitedMs: 0 } },
  ]);
});

test('a job that nobody told of begins with the next look', async () => {
  const node = await world();
  node.add();
  await node.pass(5_000);
  expect(node.begun).toHaveLength(1);
});

test('a job begins at its time, to the millisecond', async () => {
  const node = await world();
  node.add({ startAt: 7_777 });
  node.keeper.poke();
  await node.pass(7_775);
  expect(node.begun).toEqual([]);
  await node.pass(1);
  expect(node.begun).toHaveLength(1);
});

test('why a job waits is recorded once for each reason, and that it began after that', async () => {
  const node = await world({ slots: 1 });
  const first = node.add();
  const second = node.add();
  await node.pass(60_000);
  expect(node.whys(second)).toEqual(['queue.wait slots']);
  node.slots = 2;
  node.tenants.set('a', { runningMax: 1 });
  await node.pass(60_000);
  expect(node.whys(second)).toEqual(['queue.wait slots', 'queue.wait tenant']);
  node.end(first);
  await node.pass(0);
  expect(node.begun).toEqual([first, second]);
  expect(node.decisions.at(-1)).toMatchObject({
    decision: 'queue.admit',
    evidence: { waitedFor: 'tenant', waitedMs: 120_000 },
  });
});

test('a job that may not wait is rejected with what it did not fit in, and whoever asked is told', async () => {
  const node = await world({ slots: 1 });
  node.add();
  await node.pass(5_000);
  const id = node.add({ mayWait: false });
  const decided = node.keeper.decide(id);
  await node.pass(0);
  expect(await decided).toMatchObject({ kind: 'rejected', overload: { resource: 'slots' } });
  expect(node.refused).toMatchObject([
    { id, refusal: { to: 'rejected', why: 'capacity.exceeded', evidence: { reason: 'slots' } } },
  ]);
  expect(node.whys(id)).toEqual(['queue.reject capacity.exceeded']);
});

test('a job that the whole node is too small for is rejected although it may wait', async () => {
  const node = await world({ memory: 8 });
  const id = node.add({}, { costKey: 'hls|9' });
  await node.pass(5_000);
  expect(node.refused).toMatchObject([{ id, refusal: { evidence: { reason: 'never' } } }]);
});

test('asking what becomes of a job tells when it begins, waits for its time, or is unknown', async () => {
  const node = await world({ slots: 1 });
  const asked = [
    node.keeper.decide(node.add()),
    node.keeper.decide(node.add()),
    node.keeper.decide(node.add({ startAt: 99_999 })),
    node.keeper.decide('nobody'),
  ];
  await node.pass(0);
  expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual([
    'admitted',
    'waiting',
    'waiting',
    'waiting',
  ]);
});

test('a job whose time to wait is over expires at that moment, with what it waited for', async () => {
  const node = await world({ slots: 1 });
  node.add();
  const id = node.add({ expiresAt: 61_000 });
  await node.pass(60_998);
  expect(node.refused).toEqual([]);
  await node.pass(1);
  expect(node.refused).toMatchObject([
    {
      id,
      refusal: {
        to: 'expired',
        why: 'queue.expired',
        evidence: { waitedFor: 'slots', waitedMs: 60_999 },
      },
    },
  ]);
});

test('smaller jobs pass a large one for ten minutes, then room is kept for it, by turns that grow', async () => {
  const node = await world({ memory: 10 });
  const ends: { at: number; id: string }[] = [];
  const large = { at: 0 };
  const small = () => node.add({}, { costKey: 'hls|2', tenantId: 'small' });
  for (let count = 0; count < 200; count++) small();
  await node.pass(4_999);
  node.add({}, { id: 'large', costKey: 'hls|9', tenantId: 'large' });
  // Small recordings of fifteen minutes, which end one after the other: there is always one that runs.
  for (let minute = 0; minute < 120 && large.at === 0; minute++) {
    for (const id of node.begun)
      if (!ends.some((one) => one.id === id))
        ends.push({ id, at: minute + 15 + (ends.length % 5) });
    for (const { id, at } of ends)
      if (at === minute && node.row(id).state === 'running') node.end(id);
    await node.pass(MINUTE);
    if (node.begun.includes('large')) large.at = minute;
  }
  expect(node.whys('large')[0]).toBe('queue.wait memory');
  expect(large.at).toBeGreaterThan(15);
  expect(large.at).toBeLessThan(120);
  expect(node.decisions.some(({ why }) => why === 'held')).toBe(true);
  expect(node.begun.filter((id) => id !== 'large').length).toBeGreaterThan(10);
});

test('an absent database is waited out, and whoever asked meanwhile is told so', async () => {
  const node = await world();
  node.isDatabaseAway = true;
  const id = node.add();
  const asked = node.keeper.decide(id).catch((error: unknown) => error);
  await node.pass(10 * MINUTE);
  expect(await asked).toMatchObject({ code: 'database.unavailable' });
  expect(node.begun).toEqual([]);
  node.isDatabaseAway = false;
  await node.pass(10_000);
  expect(node.begun).toEqual([id]);
  expect(node.log).toEqual(['the queue has to wait', 'the queue goes on']);
});

test('a job whose leaving the queue was done but not answered is neither lost nor begun twice', async () => {
  const node = await world();
  node.lostAnswers = 3;
  const ids = [node.add(), node.add()];
  await node.pass(30_000);
  expect(node.begun.toSorted()).toEqual(ids);
});

test('a job that could not be begun is put back, and begins later', async () => {
  const node = await world();
  node.cannotBegin = true;
  const id = node.add();
  await node.pass(20_000);
  expect(node.running.size).toBe(0);
  node.cannotBegin = false;
  await node.pass(10_000);
  expect(node.begun).toEqual([id]);
});

test('a job that somebody took out and could not go on with is put back, and begins', async () => {
  const node = await world();
  const id = node.add({ startAt: node.sim.now + MINUTE });
  node.row(id).waiting = false;
  await node.pass(2 * MINUTE);
  expect(node.begun).toEqual([]);
  node.keeper.doubt(id);
  await node.pass(1_000);
  expect(node.begun).toEqual([id]);
});

test('a job that failed is tried again later and later, until its tries are spent', async () => {
  const node = await world();
  const first = node.add({ retry: { attempts: 2, delayMs: MINUTE } });
  await node.pass(5_000);
  const began: number[] = [];
  for (let tries = 0; tries < 3; tries++) {
    const last = node.begun.at(-1) ?? '';
    const failedAt = node.sim.now;
    node.end(last, 'source.unavailable');
    while (node.begun.at(-1) === last && node.sim.now < failedAt + 10 * MINUTE)
      await node.pass(1_000);
    began.push(Math.round((node.sim.now - failedAt) / MINUTE));
  }
  expect(began).toEqual([1, 2, 10]);
  expect(node.begun).toEqual([first, 'again-2', 'again-3']);
  expect(node.rows.get('again-3')).toMatchObject({ retryOf: 'again-2', tries: 3 });
  expect(node.whys('again-3').at(-1)).toBe('job.leave spent');
});

test('what another try cannot help, or somebody else records already, is not tried again', async () => {
  const node = await world();
  const retry = { attempts: 2, delayMs: MINUTE };
  const denied = node.add({ retry });
  const doubled = node.add({ retry }, { sourceKey: 'same' });
  await node.pass(5_000);
  node.end(denied, 'source.login');
  node.row(doubled).state = 'failed';
  node.add({}, { sourceKey: 'same' });
  node.keeper.poke();
  await node.pass(10 * MINUTE);
  expect(node.whys(denied).at(-1)).toBe('job.leave hopeless');
  expect(node.whys(doubled).at(-1)).toBe('job.leave duplicate');
  expect(node.rows.size).toBe(3);
});

test('it starts once, stops for good, and starts again', async () => {
  const node = await world();
  await node.keeper.start();
  await node.keeper.stop();
  await node.keeper.stop();
  node.add();
  await node.pass(MINUTE);
  expect(node.begun).toEqual([]);
  expect(node.sim.pending).toBe(0);
  expect(await node.keeper.decide('job-0001')).toEqual({ kind: 'waiting' });
  await node.keeper.start();
  await node.pass(1);
  expect(node.begun).toHaveLength(1);
  await node.keeper.stop();
});
