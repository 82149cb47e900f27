import { expect, test } from 'vitest';
import { CONTROL_LIMITS } from '../../../src/control/controlLimits.ts';
import { type ControlParts, ControlSession } from '../../../src/control/controlSession.ts';
import type { ControlTransport } from '../../../src/control/controlTransport.ts';
import { type ControlMessage, controlMessage } from '../../../src/control/protocol.ts';
import { type Principal, SCOPES } from '../../../src/core/access.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { isKennelError } from '../../../src/core/errors.ts';
import { EventStreams } from '../../../src/jobs/eventStream.ts';
import { EventFeed } from '../../../src/jobs/events.ts';
import { memoryOperations } from '../../support/api/memoryOperations.ts';
import { MemoryEventLog } from '../../support/realtime/memoryEventLog.ts';

const JOB = '01890a5d-ac96-774b-bcce-b302099a8057';
const FOREIGN_JOB = '01890a5d-ac96-774b-bcce-b302099a8058';
const ALL: Principal = { tenantId: 'default', scopes: SCOPES.filter((scope) => scope !== 'admin') };

class MemoryTransport implements ControlTransport {
  readonly sent: ControlMessage[] = [];
  closedWith: number | undefined;
  unsent = 0;
  /** While set, nothing is taken. */
  stuck: Promise<void> | undefined;

  async send(text: string): Promise<void> {
    this.sent.push(controlMessage.parse(JSON.parse(text)));
    await this.stuck;
  }
  unsentBytes = () => this.unsent;
  close(code: number): void {
    this.closedWith ??= code;
  }
  /** The message of an id that is no event. */
  answers = (id: string | null) =>
    this.sent.filter((message) => message.id === id && message.type !== 'event');
}

function setUp(given: Partial<ControlParts> & { readonly who?: Principal } = {}) {
  const { operations, plant } = memoryOperations();
  plant(JOB, 'default');
  plant(FOREIGN_JOB, 'neighbour');
  const eventLog = new MemoryEventLog();
  const streams = new EventStreams({
    eventLog,
    feed: new EventFeed(),
    clock: systemClock,
    log: () => undefined,
    tenantOf: async (jobId) => (jobId === JOB ? 'default' : 'neighbour'),
  });
  const transport = new MemoryTransport();
  const { who = ALL, ...parts } = given;
  const session = new ControlSession(
    who,
    {
      operations,
      streams,
      showJob: ({ id, state }) => ({ id, state }),
      showError: (thrown) => {
        const code = isKennelError(thrown) ? thrown.code : 'bug';
        return { code, message: String(thrown), details: {}, request_id: 'r' };
      },
      ...parts,
    },
    transport,
  );
  const ask = (message: object) => session.receive(JSON.stringify({ v: 1, ...message }));
  const codeOf = (id: string | null) => {
    const [answer] = transport.answers(id);
    return answer?.type === 'error' ? answer.error.code : answer?.type;
  };
  return { session, transport, ask, codeOf, operations, eventLog, streams };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('every kind of request is answered once, under its id', async () => {
  const { ask, transport, session } = setUp();
  await ask({ id: 'ping', type: 'ping' });
  await session.receive(`{"id":"one","type":"status","jobId":"${JOB}"}`);
  await ask({ id: 'all', type: 'status' });
  await ask({ id: 'hear', type: 'subscribe', jobId: JOB });
  await ask({ id: 'kill', type: 'kill', jobId: JOB });
  await ask({ id: 'enough', type: 'unsubscribe', subscription: 'hear' });
  expect(transport.sent).toMatchObject([
    { id: 'ping', type: 'pong', v: 1 },
    { id: 'one', type: 'status', jobs: [{ id: JOB, state: 'pending' }] },
    { id: 'all', type: 'status', jobs: [{ id: JOB, state: 'pending' }] },
    { id: 'hear', type: 'ack', place: expect.stringMatching(/^\d+-\d+$/) },
    { id: 'kill', type: 'ack', job: { id: JOB, state: 'cancelled' } },
    { id: 'enough', type: 'ack' },
  ]);
});

test('who may not, does not: scopes and tenants are those of the API', async () => {
  const { ask, codeOf } = setUp({ who: { tenantId: 'default', scopes: ['jobs.read'] } });
  await ask({ id: 'kill', type: 'kill', jobId: JOB });
  await ask({ id: 'stop', type: 'stop', jobId: JOB });
  await ask({ id: 'foreign', type: 'status', jobId: FOREIGN_JOB });
  await ask({ id: 'listen', type: 'subscribe', jobId: FOREIGN_JOB });
  expect(['kill', 'stop', 'foreign', 'listen'].map(codeOf)).toEqual([
    'access.forbidden',
    'access.forbidden',
    'job.notFound',
    'job.notFound',
  ]);
  const killer = setUp({ who: { tenantId: 'default', scopes: ['jobs.kill'] } });
  await killer.ask({ id: 'kill', type: 'kill', jobId: JOB });
  await killer.ask({ id: 'again', type: 'kill', jobId: JOB });
  await killer.ask({ id: 'listen', type: 'subscribe' });
  expect(['kill', 'again', 'listen'].map(killer.codeOf)).toEqual([
    'ack',
    'job.conflict',
    'access.forbidden',
  ]);
});

test('a kill asked with a version that has passed is refused', async () => {
  const { ask, codeOf } = setUp();
  await ask({ id: 'old', type: 'kill', jobId: JOB, version: 7 });
  expect(codeOf('old')).toBe('precondition.failed');
});

test('the first message says the version, or the session ends', async () => {
  for (const first of ['{"id":"a","type":"ping"}', '{"v":2,"id":"a","type":"ping"}', 'hello']) {
    const { session, transport, codeOf } = setUp();
    await session.receive(first);
    expect(codeOf(first === 'hello' ? null : 'a')).toBe('request.invalid');
    expect(transport.closedWith).toBe(1002);
  }
});

test('what cannot be read is refused by its id where it has one, and the session goes on', async () => {
  const { session, ask, transport, codeOf } = setUp();
  await ask({ id: 'first', type: 'ping' });
  for (const text of ['{', '[]', '{"id":7,"type":"ping"}', 'null']) await session.receive(text);
  expect(transport.answers(null)).toHaveLength(4);
  await ask({ id: 'odd', type: 'explode' });
  await ask({ id: 'more', type: 'ping', force: true });
  await ask({ id: 'nul', type: 'subscribe', types: ['a\0b'] });
  await ask({ id: 'no job', type: 'kill', jobId: 'x' });
  await ask({ id: 'none', type: 'unsubscribe', subscription: 'none' });
  expect(['odd', 'more', 'nul', 'no job', 'none'].map(codeOf)).toEqual(
    Array.from({ length: 5 }, () => 'request.invalid'),
  );
  expect(transport.closedWith).toBeUndefined();
});

test('a message that is too long ends the session before it is read', async () => {
  const { session, transport } = setUp();
  await session.receive(JSON.stringify({ v: 1, id: 'a', type: 'ping', pad: 'ö'.repeat(8_200) }));
  expect(transport.closedWith).toBe(1009);
  expect(transport.sent).toEqual([]);
});

test('requests run side by side, so many at once, and those beyond are refused', async () => {
  const heard = Promise.withResolvers<never>();
  const { operations } = memoryOperations();
  const limits = { ...CONTROL_LIMITS, requestsMax: 2 };
  const { ask, codeOf, transport } = setUp({
    limits,
    operations: {
      kill: () => heard.promise,
      stop: () => heard.promise,
      get: () => heard.promise,
      list: (who, query) => operations.list(who, query),
    },
  });
  const slow = ask({ id: 'kill', type: 'kill', jobId: JOB });
  await ask({ id: 'ping', type: 'ping' });
  const other = ask({ id: 'stop', type: 'stop', jobId: JOB });
  await ask({ id: 'third', type: 'ping' });
  expect(['kill', 'ping', 'third'].map(codeOf)).toEqual([undefined, 'pong', 'rate.limited']);
  heard.reject(new Error('secret'));
  await Promise.all([slow, other]);
  expect(['kill', 'stop'].map(codeOf)).toEqual(['bug', 'bug']);
  expect(transport.sent).toHaveLength(4);
});

test('events come under the id that subscribed, after its answer, resumed from a place, until it unsubscribes', async () => {
  const { ask, transport, eventLog } = setUp();
  const before = eventLog.add({ jobId: JOB });
  eventLog.add({ jobId: JOB });
  await ask({ id: 'old', type: 'subscribe', jobId: JOB, after: before });
  await ask({ id: 'new', type: 'subscribe' });
  await settled();
  eventLog.add({ jobId: JOB });
  await settled();
  await settled();
  const told = (id: string) =>
    transport.sent.flatMap((message) =>
      message.id !== id ? [] : [message.type === 'event' ? message.event.data['n'] : message.type],
    );
  expect(told('old')).toEqual(['ack', 2, 3]);
  expect(told('new')).toEqual(['ack', 3]);
  await ask({ id: 'bye', type: 'unsubscribe', subscription: 'old' });
  eventLog.add({ jobId: JOB });
  await settled();
  await settled();
  expect(told('old')).toEqual(['ack', 2, 3]);
  expect(told('new')).toEqual(['ack', 3, 4]);
});

test('subscriptions are few, have ids of their own, and end with the session', async () => {
  const limits = { ...CONTROL_LIMITS, subscriptionsMax: 2 };
  const { ask, codeOf, session, streams } = setUp({ limits });
  await ask({ id: 'a', type: 'subscribe' });
  await ask({ id: 'a', type: 'subscribe' });
  await ask({ id: 'b', type: 'subscribe' });
  await ask({ id: 'c', type: 'subscribe' });
  expect(codeOf('c')).toBe('rate.limited');
  expect(streams.listeners).toBe(2);
  session.ended();
  expect(streams.listeners).toBe(0);
  await ask({ id: 'd', type: 'subscribe' });
  expect(codeOf('d')).toBeUndefined();
});

test('events wait for the network, and a session that takes no answers is closed', async () => {
  const { ask, transport, eventLog } = setUp();
  await ask({ id: 'hear', type: 'subscribe' });
  const free = Promise.withResolvers<void>();
  transport.stuck = free.promise;
  for (let n = 0; n < 5; n++) eventLog.add();
  await settled();
  await settled();
  expect(transport.sent.filter(({ type }) => type === 'event')).toHaveLength(1);
  transport.stuck = undefined;
  free.resolve();
  await settled();
  await settled();
  expect(transport.sent.filter(({ type }) => type === 'event')).toHaveLength(5);
  transport.unsent = CONTROL_LIMITS.unsentBytesMax + 1;
  await ask({ id: 'ping', type: 'ping' });
  expect(transport.closedWith).toBe(4008);
});
