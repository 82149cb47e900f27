import { rmSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { v7 } from 'uuid';
import { afterEach, expect, test, vi } from 'vitest';
import { LEGAL_MOVES } from '../../machines/index.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { openDatabase } from '../../src/db/database.ts';
import { DeliveryStore } from '../../src/db/deliveryStore.ts';
import { eventLog } from '../../src/db/eventLog.ts';
import { jobStore } from '../../src/db/jobStore.ts';
import { WebhookStore } from '../../src/db/webhookStore.ts';
import { addressRules } from '../../src/egress/addressRules.ts';
import { CLIPPER_ID, registerClipper } from '../../src/webhooks/clipperEndpoint.ts';
import { complaintSchema } from '../../src/webhooks/complaint.ts';
import { deliveryMaker } from '../../src/webhooks/makeDelivery.ts';
import { webhookPoster } from '../../src/webhooks/postWebhook.ts';
import { newWebhookSecret } from '../../src/webhooks/signature.ts';
import { WebhookBook } from '../../src/webhooks/webhookBook.ts';
import { WebhookSender } from '../../src/webhooks/webhookSender.ts';
import { pgliteDirectory, SPEC } from '../support/database.ts';
import { type Received, WebhookReceiver } from '../support/webhooks/receiver.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The wall clock can be put forward; timers are real. */
class PutClock implements Clock {
  offsetMs = 0;
  readonly setTimeout = systemClock.setTimeout;
  readonly clearTimeout = systemClock.clearTimeout;
  readonly elapsed = systemClock.elapsed;
  readonly now = () => Date.now() + this.offsetMs;
}

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function setup({ allow = ['127.0.0.1'] }: { readonly allow?: readonly string[] } = {}) {
  const directory = pgliteDirectory();
  const database = await openDatabase({ directory, legalMoves: LEGAL_MOVES });
  const clock = new PutClock();
  const log = eventLog(database, { clock });
  const records = new WebhookStore(database);
  const rules = addressRules(allow);
  const makeDelivery = deliveryMaker('node-1');
  const poster = webhookPoster({ rules, clock, timeoutMs: 15_000 });
  const lines: string[] = [];
  const sender = new WebhookSender({
    records: new DeliveryStore(database),
    eventLog: log,
    makeDelivery,
    posters: { webhook: poster, clipper: poster },
    clock,
    log: (_level, message) => lines.push(message),
  });
  const book = new WebhookBook({ records, makeDelivery, rules, clock, ring: () => sender.ring() });
  const receiver = new WebhookReceiver();
  await receiver.open();
  const jobs = jobStore(database, { clock });
  ending.push(async () => {
    await sender.stop();
    poster.close();
    await receiver.close();
    await jobs.close();
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  });
  /** A job that does not fit, after some decisions. */
  const rejected = async () => {
    const id = v7();
    await jobs.create({ id, spec: { ...SPEC, url: `${SPEC.url}?token=secret` } });
    for (const why of ['one', 'two', 'three']) {
      jobs.record({ jobId: id, dog: 'queue', decision: 'queue.wait', why, evidence: {} });
    }
    await jobs.flush();
    const { log: moves } = await jobs.open(id, new AbortController().signal);
    const overload = {
      resource: 'cpu',
      explanation: 'no room',
      limit: 3,
      expected: 3,
      needed: 1,
      fitsAt: clock.now(),
    };
    await moves.commit({
      from: 'pending',
      to: 'rejected',
      cause: 'capacity.exceeded',
      evidence: { overload },
      attempt: 0,
    });
    log.ring();
    return id;
  };
  return { ...{ book, clock, log, lines, receiver, records, rejected, sender } };
}

const waitFor = (condition: () => unknown, timeout = 30_000) =>
  vi.waitFor(condition, { timeout, interval: 50 });

/** As a receiver checks it, at the moment that the sender has. */
function verify({ body, headers }: Received, secret: string, now: number): unknown {
  vi.useFakeTimers({ toFake: ['Date'], now });
  try {
    return new Webhook(secret).verify(body, { ...headers });
  } finally {
    vi.useRealTimers();
  }
}

test('when the receivers were down for an hour, every complaint and webhook arrives once by id, in order for each job, well signed', async () => {
  const { book, clock, receiver, records, rejected, sender } = await setup();
  const clipperSecret = newWebhookSecret();
  const clipper = { url: `${receiver.url}/clipper`, secret: new Secret(clipperSecret) };
  await registerClipper(clipper, { records, now: clock.now() });
  const { webhook, secret } = await book.create({
    tenantId: 'default',
    url: `${receiver.url}/hook`,
    types: ['job.*'],
  });
  await receiver.close();
  await sender.start();
  const jobs: string[] = [];
  for (let minute = 0; minute < 60; minute += 10) {
    jobs.push(await rejected());
    const had = (await records.deliveries(webhook.id, { limit: 200 })).length;
    await waitFor(async () =>
      expect((await records.deliveries(webhook.id, { limit: 200 })).length).toBeGreaterThan(
        had - 1,
      ),
    );
    clock.offsetMs += 10 * MINUTE;
    sender.ring();
  }
  await waitFor(async () => {
    const made = await records.deliveries(webhook.id, { limit: 200 });
    expect(made).toHaveLength(jobs.length * 5);
    expect(made.some(({ attempts }) => attempts > 1)).toBe(true);
  });
  expect(receiver.taken).toEqual([]);

  await receiver.open();
  await waitFor(async () => {
    clock.offsetMs += 10 * MINUTE;
    sender.ring();
    expect(receiver.taken).toHaveLength(jobs.length * 6);
  });
  expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(jobs.length * 6);
  const to = (path: string) => receiver.taken.filter((one) => one.path === path);
  for (const one of to('/hook')) {
    // The clock has gone on since: a receiver allows five minutes.
    const at = Number(one.headers['webhook-timestamp']) * 1_000;
    expect(verify(one, secret, at)).toMatchObject({ tenantId: 'default' });
  }
  for (const jobId of jobs) {
    const told = to('/hook')
      .map(({ body }) => JSON.parse(body))
      .filter((one) => one.jobId === jobId);
    expect(told.map(({ type, data }) => data.why ?? data.to ?? type)).toEqual([
      'job.submitted',
      'one',
      'two',
      'three',
      'rejected',
    ]);
    const complaints = to('/clipper').filter(({ body }) => body.includes(jobId));
    expect(complaints).toHaveLength(1);
    for (const one of complaints) {
      const at = Number(one.headers['webhook-timestamp']) * 1_000;
      const { data } = complaintSchema.parse(verify(one, clipperSecret, at));
      expect(data).toMatchObject({
        url: SPEC.url,
        reason: { resource: 'cpu', needed: 1 },
        node: 'node-1',
      });
      expect(one.body).not.toContain('secret');
    }
  }
  await waitFor(async () => expect((await records.get(CLIPPER_ID)).waiting).toBe(0));
}, 120_000);

test('a redirect is not followed, 410 switches the receiver off, and both are told', async () => {
  const { book, clock, receiver, records, sender } = await setup();
  receiver.answer = () => 307;
  const { webhook } = await book.create({
    tenantId: 'default',
    url: `${receiver.url}/hook`,
    types: [],
  });
  await sender.start();
  const { id } = await book.ping(webhook.id);
  const seen = async () => (await records.deliveries(webhook.id, { limit: 1 }))[0];
  await waitFor(async () =>
    expect(await seen()).toMatchObject({ state: 'waiting', lastStatus: 307 }),
  );
  expect((await seen())?.nextAt).toBeGreaterThan(clock.now());
  receiver.answer = () => 410;
  clock.offsetMs += MINUTE;
  sender.ring();
  await waitFor(async () => expect(await book.get(webhook.id)).toMatchObject({ enabled: false }));
  expect((await book.get(webhook.id)).disabledWhy).toContain('410');
  receiver.answer = () => 200;
  await book.change(webhook.id, { enabled: true });
  await waitFor(() => expect(receiver.taken.map((one) => one.id)).toEqual([id]));
  await waitFor(async () =>
    expect(await seen()).toMatchObject({ state: 'delivered', lastStatus: 200 }),
  );
  await book.redeliver(webhook.id, id);
  await waitFor(() => expect(receiver.taken.map((one) => one.id)).toEqual([id, id]));
});

test('a private receiver is refused when it is added, and when its name leads there; nothing reaches it', async () => {
  const { book, receiver, records, sender } = await setup({ allow: [] });
  await expect(
    book.create({ tenantId: 'default', url: receiver.url, types: [] }),
  ).rejects.toMatchObject({ code: 'address.refused' });
  const { port } = new URL(receiver.url);
  const { webhook } = await book.create({
    tenantId: 'default',
    url: `http://localhost:${port}/`,
    types: [],
  });
  await sender.start();
  await book.ping(webhook.id);
  await waitFor(async () =>
    expect(await records.deliveries(webhook.id, { limit: 1 })).toMatchObject([
      { lastError: 'address.refused', attempts: 1 },
    ]),
  );
  expect([receiver.taken.length, receiver.refused]).toEqual([0, 0]);
});

test('after the last try a delivery is dead, and a receiver that took nothing for so long is switched off', async () => {
  const { book, clock, receiver, records, sender, lines } = await setup();
  receiver.answer = () => 500;
  const { webhook } = await book.create({ tenantId: 'default', url: receiver.url, types: [] });
  await sender.start();
  await book.ping(webhook.id);
  await waitFor(async () => {
    clock.offsetMs += 30 * HOUR;
    sender.ring();
    expect(await records.deliveries(webhook.id, { limit: 1 })).toMatchObject([
      { state: 'dead', attempts: 10 },
    ]);
  });
  await waitFor(async () =>
    expect(await book.get(webhook.id)).toMatchObject({ enabled: false, dead: 1 }),
  );
  expect(lines).toContain('A receiver of webhooks was away for too long, it is switched off');
});
