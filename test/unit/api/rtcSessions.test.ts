import { expect, test } from 'vitest';
import { ControlSessions } from '../../../src/api/realtime/controlSessions.ts';
import { checkedOffer } from '../../../src/api/realtime/rtcOffer.ts';
import { loadWebRtc, type WebRtc } from '../../../src/api/realtime/rtcPeer.ts';
import { type RtcOptions, RtcSessions } from '../../../src/api/realtime/rtcSessions.ts';
import { type Principal, SCOPES } from '../../../src/core/access.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { isKennelError, KennelError } from '../../../src/core/errors.ts';
import { EventStreams } from '../../../src/jobs/eventStream.ts';
import { EventFeed } from '../../../src/jobs/events.ts';
import { memoryOperations } from '../../support/api/memoryOperations.ts';
import {
  FakeChannel,
  FakePeer,
  type FakePeerConnection,
  OFFER,
} from '../../support/realtime/fakePeer.ts';
import { MemoryEventLog } from '../../support/realtime/memoryEventLog.ts';

const OWN: Principal = { tenantId: 'default', scopes: SCOPES.filter((scope) => scope !== 'admin') };
const FOREIGN: Principal = { tenantId: 'neighbour', scopes: ['jobs.read'] };
const LIMITS = { peersMax: 2, openWithinMs: 1_000, idleMs: 10_000 };

/** Time that a test moves. */
class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly back: () => void }>();
  now = () => this.#now;
  elapsed = () => this.#now;
  setTimeout(back: () => void, delayMs: number): object {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + delayMs, back });
    return timer;
  }
  clearTimeout(timer: object): void {
    this.#timers.delete(timer);
  }
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const [timer, { at, back }] of [...this.#timers]) {
      if (at > this.#now) continue;
      this.#timers.delete(timer);
      back();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function setUp(given: RtcOptions = {}) {
  const peers: FakePeerConnection[] = [];
  const clock = new HandClock();
  const log = () => undefined;
  const sessions = new ControlSessions({
    operations: memoryOperations().operations,
    streams: new EventStreams({
      ...{ eventLog: new MemoryEventLog(), feed: new EventFeed(), clock: systemClock, log },
      tenantOf: async () => undefined,
    }),
    showJob: ({ id }) => ({ id }),
    showError: (thrown) => ({
      code: isKennelError(thrown) ? thrown.code : 'bug',
      ...{ message: '', details: {}, request_id: '' },
    }),
  });
  class Counted extends (FakePeer as unknown as new () => FakePeerConnection) {
    constructor() {
      super();
      peers.push(this);
    }
  }
  const RTCPeerConnection = Counted as unknown as WebRtc['RTCPeerConnection'];
  const load = async () => ({ RTCPeerConnection });
  const rtc = new RtcSessions({ sessions, clock, log, limits: LIMITS, load, ...given });
  /** A session whose channel is open. */
  const open = async (label = 'control') => {
    const { id } = await rtc.answer(OWN, OFFER);
    const peer = peers.at(-1);
    const channel = new FakeChannel(label);
    peer?.onDataChannel.tell(channel);
    return { id, peer, channel };
  };
  return { rtc, sessions, peers, clock, open };
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isKennelError(error) ? error.code : `not refused: ${String(error)}`;
};

test('only one data channel may be offered, and its addresses are not used', async () => {
  expect(checkedOffer(OFFER)).not.toContain('candidate');
  expect(checkedOffer(OFFER)).toContain('a=ice-ufrag:abcd\r\n');
  const media = OFFER.replace('m=app', 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nm=app');
  const { rtc, peers } = setUp();
  for (const sdp of [
    '',
    'v=0',
    media,
    OFFER.replace(/a=ice-pwd.*\r\n/, ''),
    `${OFFER}${'a=x\r\n'.repeat(5_000)}`,
  ])
    expect(await codeOf(rtc.answer(OWN, sdp))).toBe('request.invalid');
  expect(peers).toHaveLength(0);
  await rtc.answer(OWN, OFFER);
  expect(peers[0]?.remote).toBe(checkedOffer(OFFER));
});

test('the channel speaks the protocol of control as whoever sent the offer', async () => {
  const { open } = setUp();
  const { channel } = await open();
  channel.onMessage.tell('{"v":1,"id":"a","type":"ping"}');
  channel.onMessage.tell('{"v":1,"id":"b","type":"status"}');
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.sent.map((text) => JSON.parse(text))).toMatchObject([
    { id: 'a', type: 'pong' },
    { id: 'b', type: 'status', jobs: [] },
  ]);
});

test('channels with other names, and second ones, are closed', async () => {
  const { open, sessions } = setUp();
  const { channel, peer } = await open('chat');
  expect(channel.readyState).toBe('closed');
  const [first, second] = [new FakeChannel('control'), new FakeChannel('control')];
  peer?.onDataChannel.tell(first);
  peer?.onDataChannel.tell(second);
  expect([first.readyState, second.readyState]).toEqual(['open', 'closed']);
  expect(sessions.size).toBe(1);
});

test('a session ends when it is told to by its own tenant, and by nobody else', async () => {
  const { rtc, open, sessions } = setUp();
  const { id, peer } = await open();
  expect(await codeOf(rtc.end(FOREIGN, id))).toBe('route.notFound');
  expect(peer?.closes).toBe(0);
  await rtc.end(OWN, id);
  expect([peer?.closes, rtc.size, sessions.size]).toEqual([1, 0, 0]);
  expect(await codeOf(rtc.end(OWN, id))).toBe('route.notFound');
});

test('a connection that fails, a channel that is closed, and what is no protocol end it as well', async () => {
  const { rtc, open, sessions } = setUp();
  (await open()).peer?.connectionStateChange.tell('disconnected');
  (await open()).channel.close();
  (await open()).channel.onMessage.tell(Buffer.from('x'));
  expect([rtc.size, sessions.size]).toEqual([0, 0]);
});

test('nobody who does not come, and nobody who says nothing, keeps a place', async () => {
  const { rtc, open, clock, peers } = setUp();
  await rtc.answer(OWN, OFFER);
  const { channel } = await open();
  expect(await codeOf(rtc.answer(OWN, OFFER))).toBe('rate.limited');
  await clock.pass(1_000);
  expect([rtc.size, peers[0]?.closes]).toEqual([1, 1]);
  await clock.pass(8_000);
  channel.onMessage.tell('{"v":1,"id":"a","type":"ping"}');
  await clock.pass(8_000);
  expect(rtc.size).toBe(1);
  await clock.pass(2_000);
  expect(rtc.size).toBe(0);
});

test('when WebRTC is not installed, it is said what to install, and nothing is left open', async () => {
  const missing = () =>
    Promise.reject(new KennelError('tool.missing', 'WebRTC is not installed: npm install werift'));
  const { rtc } = setUp({ load: missing });
  for (let n = 0; n < 5; n++) expect(await codeOf(rtc.answer(OWN, OFFER))).toBe('tool.missing');
  expect(rtc.size).toBe(0);
});

test('the optional library has what is used of it', async () => {
  const { RTCPeerConnection } = await loadWebRtc();
  expect(RTCPeerConnection.prototype.createAnswer).toBeTypeOf('function');
});

test('a stop ends every session, and refuses new ones', async () => {
  const { rtc, open } = setUp();
  const { peer } = await open();
  await rtc.stop();
  expect([rtc.size, peer?.closes]).toEqual([0, 1]);
  expect(await codeOf(rtc.answer(OWN, OFFER))).toBe('service.unavailable');
});
