import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { pause, systemClock } from '../../src/core/clock.ts';
import { FOREIGN, OWN } from '../support/api/memoryParts.ts';
import { rawConnection } from '../support/api/rawHttp.ts';
import { ControlClient, refusedWith } from '../support/realtime/controlClient.ts';
import { type RealtimeService, realtimeService } from '../support/realtime/realtimeService.ts';
import { SseReader } from '../support/realtime/sseReader.ts';

const services: RealtimeService[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function service(given?: Parameters<typeof realtimeService>[0]): Promise<RealtimeService> {
  const made = await realtimeService(given);
  services.push(made);
  return made;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(systemClock, 5);
}

const isAlive = async ({ origin }: RealtimeService) =>
  (await fetch(`${origin}/api/v1/openapi.json`, { headers: { connection: 'close' } })).ok;

test('a stream of events resumes where it was left, and misses and doubles nothing', async () => {
  const its = await service();
  const headers = await its.bearer(OWN, ['jobs.read']);
  const first = new SseReader(await fetch(`${its.url}/events`, { headers }));
  const hello = await first.frame();
  expect(hello).toEqual({ id: '0-0', retry: '2000' });
  its.eventLog.add();
  expect((await first.event())?.data).toEqual({ n: 1 });
  await first.close();
  await until(() => its.realtime.streams.listeners === 0);
  its.eventLog.add();
  its.eventLog.add();
  const again = { ...headers, 'last-event-id': first.lastId ?? '' };
  // What the URL says is older.
  const second = new SseReader(await fetch(`${its.url}/events?after=0-0`, { headers: again }));
  its.eventLog.add();
  const heard = [await second.event(), await second.event(), await second.event()];
  expect(heard.map((event) => event?.data['n'])).toEqual([2, 3, 4]);
  await second.close();
});

test('a place that is gone is 410, and one that is none 400, before there is a stream', async () => {
  const its = await service();
  const headers = await its.bearer(OWN, ['jobs.read']);
  const place = its.eventLog.add();
  its.eventLog.clearUpTo(its.eventLog.add());
  const status = async (query: string) => {
    const answer = await fetch(`${its.url}/events?${query}`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  expect(await status(`after=${place}`)).toBe(410);
  expect(await status('after=yesterday')).toBe(400);
  expect(await status('types=;')).toBe(400);
  const job = await fetch(`${its.url}/jobs/${its.job()}/events?types=job.*`, { headers });
  expect(job.status).toBe(200);
  await job.body?.cancel();
  await until(() => its.realtime.streams.listeners === 0);
});

test('a client that goes away leaves nothing behind, and the end of the service is told', async () => {
  const its = await service();
  const headers = await its.bearer(OWN, ['jobs.read']);
  const gone = await fetch(`${its.url}/events`, { headers });
  await until(() => its.realtime.streams.listeners === 1);
  await gone.body?.cancel();
  await until(() => its.realtime.streams.listeners === 0);
  const stream = new SseReader(await fetch(`${its.url}/events`, { headers }));
  await stream.frame();
  await its.realtime.stop();
  expect(await stream.event()).toMatchObject({
    type: 'stream.closed',
    data: { code: 'service.unavailable' },
  });
  expect(await stream.event()).toBeUndefined();
});

test('a WebSocket asks, kills and listens, with a key or with a ticket that is good once', async () => {
  const its = await service();
  const headers = await its.bearer(OWN, ['jobs.read', 'jobs.kill']);
  const jobId = its.job();
  const byKey = await ControlClient.open(its.socketUrl, { headers });
  expect(await byKey.ask({ type: 'subscribe', jobId })).toMatchObject({ type: 'ack' });
  const answer = await fetch(`${its.url}/tickets`, { method: 'POST', headers });
  expect(answer.status).toBe(201);
  const { ticket } = (await answer.json()) as { readonly ticket: string };
  const byTicket = await ControlClient.open(`${its.socketUrl}?ticket=${ticket}`);
  expect(await refusedWith(`${its.socketUrl}?ticket=${ticket}`)).toBe(401);
  expect(await byTicket.ask({ type: 'kill', jobId })).toMatchObject({
    type: 'ack',
    job: { id: jobId, state: 'cancelled' },
  });
  await until(() => byKey.events.length > 0);
  expect(byKey.events).toMatchObject([
    { id: 'r1', event: { type: 'job.moved', jobId, data: { to: 'cancelled' } } },
  ]);
  byKey.socket.close();
  byTicket.socket.terminate();
  await until(() => its.realtime.sessions.size === 0);
  expect(its.realtime.streams.listeners).toBe(0);
});

test('nobody is let in without a key, with a key of nobody, or from a page of another origin', async () => {
  const its = await service({ door: { origins: ['https://mine.example'] } });
  const headers = await its.bearer(OWN, ['jobs.read']);
  const from = (origin: string) => ({ headers: { ...headers, origin } });
  expect(await refusedWith(its.socketUrl)).toBe(401);
  expect(await refusedWith(its.socketUrl, { headers: { authorization: 'Bearer kn_x_y' } })).toBe(
    401,
  );
  expect(await refusedWith(`${its.socketUrl}?ticket=guess`)).toBe(401);
  expect(await refusedWith(its.socketUrl, from('https://evil.example'))).toBe(403);
  for (const origin of ['https://mine.example', its.origin]) {
    const client = await ControlClient.open(its.socketUrl, from(origin));
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    client.socket.terminate();
  }
  const open = await service({ door: { isKeyDemanded: false } });
  expect(await refusedWith(open.socketUrl, { origin: 'https://evil.example' })).toBe(403);
  const local = await ControlClient.open(open.socketUrl);
  local.socket.terminate();
});

test('sessions are limited, see only their tenant, and end when their key is revoked', async () => {
  const clock = {
    ...systemClock,
    setTimeout: (back: () => void, ms: number) => setTimeout(back, ms / 100),
  };
  const limits = { sessions: { sessionsMax: 10, sessionsPerTenantMax: 1 } };
  const its = await service({ realtime: { limits, clock } });
  const headers = await its.bearer(OWN, ['jobs.read', 'jobs.kill']);
  const client = await ControlClient.open(its.socketUrl, { headers });
  expect(await refusedWith(its.socketUrl, { headers })).toBe(429);
  const stranger = await ControlClient.open(its.socketUrl, {
    headers: await its.bearer(FOREIGN, ['jobs.read', 'jobs.kill']),
  });
  const jobId = its.job();
  expect(await stranger.ask({ type: 'kill', jobId })).toMatchObject({
    type: 'error',
    error: { code: 'job.notFound', request_id: expect.any(String) },
  });
  const stream = new SseReader(await fetch(`${its.url}/events`, { headers }));
  await stream.frame();
  const closed = client.closed();
  await its.accessKeys.revoke('k1');
  expect(await closed).toBe(4001);
  expect(await stream.event()).toMatchObject({ data: { code: 'access.denied' } });
  expect(await stranger.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
});

test('a message that is too long, or binary, or not the protocol ends the session alone', async () => {
  const its = await service();
  const headers = await its.bearer(OWN, ['jobs.read']);
  const codeAfter = async (data: string | Buffer) => {
    const client = await ControlClient.open(its.socketUrl, { headers });
    const closed = client.closed();
    client.socket.send(data);
    return await closed;
  };
  expect(await codeAfter('x'.repeat(100_000))).toBe(1009);
  expect(await codeAfter('x'.repeat(20_000))).toBe(1009);
  expect(await codeAfter(Buffer.from([1, 2]))).toBe(1002);
  expect(await codeAfter('hello')).toBe(1002);
  expect(await isAlive(its)).toBe(true);
});

test('a socket that answers no ping is ended', async () => {
  const clock = {
    ...systemClock,
    setTimeout: (back: () => void, ms: number) => setTimeout(back, ms / 100),
  };
  const its = await service({ realtime: { clock } });
  const headers = await its.bearer(OWN, ['jobs.read']);
  const deaf = await ControlClient.open(its.socketUrl, { headers, autoPong: false });
  expect(await deaf.closed()).toBe(1006);
  await until(() => its.realtime.sessions.size === 0);
});

const UPGRADE = [
  'GET /api/v1/control HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

test('two hundred connections that are reset in the middle of an upgrade leave the service as it was', async () => {
  const its = await service();
  const { authorization } = await its.bearer(OWN, ['jobs.read']);
  const whose = its.accessKeys.whose.bind(its.accessKeys);
  let asked = 0;
  const release = Promise.withResolvers<void>();
  // The database takes its time.
  its.accessKeys.whose = async (text) => {
    asked += 1;
    await release.promise;
    return await whose(text);
  };
  const request = [...UPGRADE, `Authorization: ${authorization}`, '', ''].join('\r\n');
  const sockets = await Promise.all(Array.from({ length: 200 }, () => rawConnection(its.port)));
  for (const socket of sockets) socket.write(request);
  await until(() => asked === 200);
  // Some before anybody is known, some while the answers are on their way.
  for (const socket of sockets.slice(0, 150)) socket.resetAndDestroy();
  await pause(systemClock, 50);
  release.resolve();
  for (const socket of sockets.slice(150)) socket.resetAndDestroy();
  await until(() => its.realtime.sessions.size === 0);
  its.accessKeys.whose = whose;
  expect(await isAlive(its)).toBe(true);
  const client = await ControlClient.open(its.socketUrl, { headers: { authorization } });
  expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
  client.socket.terminate();
});

test('readers that never read are cut off by the log, and others hear everything meanwhile', async () => {
  const limits = { listener: { loggedEventsMax: 50, passingEventsMax: 10 } };
  const its = await service({ realtime: { limits } });
  const headers = await its.bearer(OWN, ['jobs.read']);
  const { authorization } = headers;
  const request = `GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;
  const stuck = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect({ port: its.port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(request);
      return await new Promise<typeof socket>((resolve) =>
        socket.on('connect', () => resolve(socket)),
      );
    }),
  );
  await until(() => its.realtime.streams.listeners === 100);
  const awake = new SseReader(await fetch(`${its.url}/events`, { headers }));
  // More than what the system keeps for a connection that is not read, each.
  const data = { pad: 'x'.repeat(64 * 1024) };
  let heard = 0;
  while (its.realtime.streams.listeners > 1) {
    its.eventLog.add({ data });
    if ((await awake.event()) !== undefined) heard += 1;
    expect(heard).toBeLessThan(2_000);
  }
  expect(heard).toBeGreaterThan(50);
  await awake.close();
  for (const socket of stuck) socket.destroy();
  expect(await isAlive(its)).toBe(true);
});
