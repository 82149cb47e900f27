import { expect, test } from 'vitest';
import type { Principal } from '../../../src/core/access.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { isKennelError, KennelError } from '../../../src/core/errors.ts';
import type { EventListener } from '../../../src/jobs/eventListener.ts';
import { EventStreams, type EventStreamsOptions } from '../../../src/jobs/eventStream.ts';
import { EventFeed } from '../../../src/jobs/events.ts';
import type { OutgoingEvent } from '../../../src/jobs/streamedEvent.ts';
import { MemoryEventLog } from '../../support/realtime/memoryEventLog.ts';

const ADMIN: Principal = { tenantId: 'default', scopes: ['admin'] };
const READER: Principal = { tenantId: 'default', scopes: ['jobs.read'] };
const NEIGHBOUR: Principal = { tenantId: 'neighbour', scopes: ['jobs.read'] };
const TENANTS: Readonly<Record<string, string>> = { a: 'default', b: 'neighbour' };
const WAIT_MS = 10_000;

function setUp(given: Partial<EventStreamsOptions> = {}) {
  const eventLog = new MemoryEventLog();
  const feed = new EventFeed();
  const options = { eventLog, feed, clock: systemClock, log: () => undefined, ...given };
  const streams = new EventStreams({ tenantOf: async (jobId) => TENANTS[jobId], ...options });
  const store = (jobId: string, msn = 1) =>
    feed.tell(
      { type: 'segment.stored', jobId, track: 'v', epoch: 0, msn, durationMs: 4, bytes: 1 },
      1_700_000_000_000,
    );
  return { eventLog, feed, streams, store };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const numbers = (events: readonly OutgoingEvent[] = []) =>
  events.map(({ event }) => event.data['n'] ?? event.type);

/** Everything that comes until there are so many. */
async function heard(listener: EventListener, count: number): Promise<readonly OutgoingEvent[]> {
  const all: OutgoingEvent[] = [];
  while (all.length < count) all.push(...((await listener.next(WAIT_MS)) ?? []));
  return all;
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isKennelError(error) ? error.code : `not refused: ${String(error)}`;
};

test('a listener hears from now on, and resumes after the last place it has seen', async () => {
  const { eventLog, streams } = setUp();
  eventLog.add();
  const first = await streams.open(READER, {});
  eventLog.add();
  expect(numbers(await heard(first, 1))).toEqual([2]);
  const { place } = first;
  first.close('bug');
  for (let n = 3; n <= 600; n++) eventLog.add();
  const again = await streams.open(READER, { after: place });
  const rest = await heard(again, 598);
  expect(numbers(rest)).toEqual(Array.from({ length: 598 }, (_, n) => n + 3));
  expect(rest.every(({ event }) => event.place !== undefined)).toBe(true);
});

test('what is added while a listener catches up comes once, and in order', async () => {
  const { eventLog, streams } = setUp();
  for (let n = 1; n <= 300; n++) eventLog.add();
  let left = 60;
  const addSome = () => {
    if (left-- > 0) eventLog.add();
  };
  // Before and after each look, as its snapshot is taken somewhere between.
  eventLog.beforeAfter = async () => {
    addSome();
    await turn();
    addSome();
  };
  const listener = await streams.open(READER, { after: '0-0' });
  const all: unknown[] = [];
  while (all.length < 360) {
    addSome();
    all.push(...numbers(await listener.next(WAIT_MS)));
  }
  expect(all).toEqual(Array.from({ length: 360 }, (_, n) => n + 1));
});

test("everybody hears their tenant's jobs alone, admins all, of both kinds of events", async () => {
  const { eventLog, streams, store } = setUp();
  const [own, foreign, admin] = await Promise.all(
    [READER, NEIGHBOUR, ADMIN].map((who) => streams.open(who, {})),
  );
  eventLog.add({ jobId: 'a', tenantId: 'default' });
  eventLog.add({ jobId: 'b', tenantId: 'neighbour' });
  await turn();
  store('a');
  store('b');
  const jobs = async (listener: EventListener | undefined, count: number) =>
    listener && (await heard(listener, count)).map(({ event }) => `${event.jobId} ${event.type}`);
  expect(await jobs(own, 2)).toEqual(['a job.moved', 'a segment.stored']);
  expect(await jobs(foreign, 2)).toEqual(['b job.moved', 'b segment.stored']);
  expect(await jobs(admin, 4)).toHaveLength(4);
});

test('the tenant of a job that was not heard of is asked for once, and its events keep their order', async () => {
  let asked = 0;
  const found = Promise.withResolvers<string>();
  const { streams, store } = setUp({
    tenantOf: () => {
      asked += 1;
      return found.promise;
    },
  });
  const own = await streams.open(READER, { types: ['segment.*'] });
  for (let msn = 1; msn <= 3; msn++) store('a', msn);
  await turn();
  found.resolve('default');
  expect((await heard(own, 3)).map(({ event }) => event.data['msn'])).toEqual([1, 2, 3]);
  store('a', 4);
  expect((await heard(own, 1)).map(({ event }) => event.data['msn'])).toEqual([4]);
  expect(asked).toBe(1);
});

test('a listener may ask for one job, and for types', async () => {
  const { eventLog, streams, store } = setUp();
  const one = await streams.open(ADMIN, { jobId: 'b', types: ['job.moved', 'segment.*'] });
  eventLog.add({ jobId: 'b', type: 'job.decided', tenantId: 'neighbour' });
  eventLog.add({ jobId: 'a' });
  eventLog.add({ jobId: 'b', type: 'segment.lost', tenantId: 'neighbour' });
  store('a');
  await turn();
  store('b');
  const types = (await heard(one, 2)).map(({ event }) => event.type);
  expect(types).toEqual(['segment.lost', 'segment.stored']);
});

test("others' jobs are not found, and nothing is heard without the scope", async () => {
  const { streams } = setUp();
  expect(await codeOf(streams.open(READER, { jobId: 'b' }))).toBe('job.notFound');
  expect(await codeOf(streams.open(ADMIN, { jobId: 'nothing' }))).toBe('job.notFound');
  const killer: Principal = { tenantId: 'default', scopes: ['jobs.kill'] };
  expect(await codeOf(streams.open(killer, {}))).toBe('access.forbidden');
});

test('a place that is gone, that is none, or that is not yet there is refused before the stream', async () => {
  const { eventLog, streams } = setUp();
  const first = eventLog.add();
  eventLog.clearUpTo(eventLog.add());
  expect(await codeOf(streams.open(READER, { after: first }))).toBe('event.gone');
  expect(await codeOf(streams.open(READER, { after: 'yesterday' }))).toBe('request.invalid');
  expect(await codeOf(streams.open(READER, { after: '999-999' }))).toBe('event.gone');
  expect(streams.listeners).toBe(0);
  expect(eventLog.listeners).toBe(0);
});

test('a slow listener loses passing events first, is told so, and is closed when the log outruns it', async () => {
  const limits = { loggedEventsMax: 10, passingEventsMax: 5 };
  const { eventLog, streams, store } = setUp({ limits });
  const slow = await streams.open(ADMIN, {});
  const seen = eventLog.add({ jobId: 'a' });
  await heard(slow, 1);
  for (let msn = 0; msn < 8; msn++) store('a', msn);
  await turn();
  expect(numbers(await slow.next(WAIT_MS))).toEqual([
    ...Array.from({ length: 5 }, () => 'segment.stored'),
    'stream.dropped',
  ]);
  for (let n = 0; n < 11; n++) eventLog.add();
  expect(await slow.closed).toBe('stream.outrun');
  const last = await slow.next(WAIT_MS);
  expect(last?.map(({ event }) => event)).toMatchObject([
    { type: 'stream.closed', data: { code: 'stream.outrun', place: seen } },
  ]);
  expect(await slow.next(WAIT_MS)).toBeUndefined();
  const again = await streams.open(ADMIN, { after: slow.place });
  expect(await heard(again, 11)).toHaveLength(11);
});

test('nothing is read, subscribed or remembered while nobody listens', async () => {
  const { eventLog, streams, store } = setUp();
  eventLog.add();
  store('a');
  await turn();
  expect(eventLog.asked).toEqual({ end: 0, after: 0 });
  const listener = await streams.open(READER, {});
  expect(eventLog.listeners).toBe(1);
  listener.close('bug');
  expect(eventLog.listeners).toBe(0);
  const { after } = eventLog.asked;
  eventLog.add();
  await turn();
  expect(eventLog.asked.after).toBe(after);
});

test('a database that is away holds the stream up, and nothing is missed or doubled', async () => {
  const { eventLog, streams } = setUp({
    clock: { ...systemClock, setTimeout: (back) => setImmediate(back), clearTimeout: () => {} },
  });
  const listener = await streams.open(READER, {});
  let failures = 3;
  eventLog.beforeAfter = async () => {
    if (failures-- > 0) throw new KennelError('database.unavailable', 'away', { retryable: true });
  };
  eventLog.add();
  eventLog.add();
  expect(numbers(await heard(listener, 2))).toEqual([1, 2]);
});

test('a stop ends every stream with its reason, and refuses new ones', async () => {
  const { streams } = setUp();
  const listener = await streams.open(READER, {});
  const waiting = listener.next(WAIT_MS);
  streams.stop();
  expect((await waiting)?.at(-1)?.event.data['code']).toBe('service.unavailable');
  expect(await codeOf(streams.open(READER, {}))).toBe('service.unavailable');
});

test('ten thousand listeners that never read cost one reading of the log, and end by themselves', async () => {
  const limits = { loggedEventsMax: 20, passingEventsMax: 10 };
  const { eventLog, streams, store } = setUp({ limits });
  const slow = await Promise.all(Array.from({ length: 10_000 }, () => streams.open(ADMIN, {})));
  const awake = await streams.open(ADMIN, {});
  const { after } = eventLog.asked;
  let all = 0;
  for (let n = 0; n < 25; n++) {
    eventLog.add({ jobId: 'a' });
    store('a', n);
    all += (await heard(awake, 1)).length;
  }
  while (all < 50) all += (await heard(awake, 1)).length;
  expect(eventLog.asked.after - after).toBeLessThanOrEqual(60);
  expect(new Set(await Promise.all(slow.map(({ closed }) => closed)))).toEqual(
    new Set(['stream.outrun']),
  );
  expect(streams.listeners).toBe(1);
  awake.close('bug');
});
