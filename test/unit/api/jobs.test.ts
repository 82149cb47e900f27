import { expect, test } from 'vitest';
import { apiApp } from '../../../src/api/app.ts';
import { memoryOperations } from '../../support/api/memoryOperations.ts';
import { FOREIGN, memoryParts, OWN } from '../../support/api/memoryParts.ts';

const URL = 'https://example.org/live.m3u8';
const JOB = '01890a5d-ac96-774b-bcce-b302099a8057';
const OTHER = '01890a5d-ac96-774b-bcce-b302099a8058';
const CAN = ['jobs.read', 'jobs.write', 'jobs.kill'] as const;

/** What an answer says; tests read it as they expect it to be. */
// biome-ignore lint/suspicious/noExplicitAny: its shape is what is being tested
const said = async (answer: Response): Promise<any> => await answer.json();

async function setup() {
  const memory = memoryOperations();
  const { parts, accessKeys } = memoryParts({ operations: memory.operations });
  const app = apiApp(parts);
  const { text } = await accessKeys.create({ tenantId: OWN, name: 'test', scopes: [...CAN] });
  const ask = (
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ) =>
    app.request(`http://localhost/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${text}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return { ...memory, ask };
}

test('a job is submitted once for an Idempotency-Key, and told where it is', async () => {
  const { ask, jobs } = await setup();
  const body = { url: URL, durationSeconds: 90, labels: { show: 'news' }, priority: 5 };
  const first = await ask('POST', '/jobs', { body, headers: { 'Idempotency-Key': 'a' } });
  const job = await said(first);
  expect(first.status).toBe(201);
  expect(first.headers.get('location')).toBe(`/api/v1/jobs/${job.id}`);
  expect(job).toMatchObject({
    state: 'pending',
    waiting: true,
    priority: 5,
    labels: { show: 'news' },
    spec: { url: URL, durationSeconds: 90, output: `/var/lib/kennel/output/${OWN}/` },
  });
  const again = await ask('POST', '/jobs', { body, headers: { 'Idempotency-Key': 'a' } });
  expect(again.status).toBe(200);
  expect((await said(again)).id).toBe(job.id);
  const other = await ask('POST', '/jobs', {
    body: { url: `${URL}?x` },
    headers: { 'Idempotency-Key': 'a' },
  });
  expect(other.status).toBe(422);
  expect(jobs.size).toBe(1);
});

test('a job that may not wait and finds no room is rejected with the measured reason', async () => {
  const { ask } = await setup();
  const answer = await ask('POST', '/jobs', { body: { url: URL, mayWait: false } });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).not.toBeNull();
  expect((await said(answer)).error).toMatchObject({
    code: 'capacity.exceeded',
    details: { overload: { resource: 'slots' }, state: 'rejected' },
  });
});

test('a private link is no permission to reach it, and private addresses are allowed by admins only', async () => {
  const { ask, jobs } = await setup();
  const made = await ask('POST', '/jobs', { body: { url: 'http://10.0.0.1/live.m3u8' } });
  expect(made.status).toBe(201);
  expect([...jobs.values()][0]?.spec).not.toHaveProperty('reach');
  const allowed = await ask('POST', '/jobs', { body: { url: URL, allow: ['10.0.0.0/8'] } });
  expect(allowed.status).toBe(403);
});

test('an output outside the tenant is refused, and secrets are not shown', async () => {
  const { ask } = await setup();
  const outside = await ask('POST', '/jobs', { body: { url: URL, output: '../../etc/cron.d/x' } });
  expect(outside.status).toBe(400);
  const secret = {
    url: `${URL}?token=SECRET1`,
    headers: { Cookie: 'SECRET2' },
    proxy: 'http://u:SECRET3@p:1',
  };
  const made = await ask('POST', '/jobs', {
    body: { ...secret, cookies: 'example.org\tTRUE\t/\tFALSE\t0\ta\tSECRET4\n' },
  });
  expect(made.status).toBe(201);
  expect(await made.text()).not.toMatch(/SECRET/);
});

test('pages follow each other without holes, and the newest job comes first', async () => {
  const { ask, plant } = await setup();
  for (let i = 0; i < 5; i += 1) plant(`${JOB.slice(0, -1)}${i}`, OWN, { createdAt: 1_000 + i });
  plant(OTHER, FOREIGN);
  let next: string | null = '/api/v1/jobs?limit=2';
  const seen: string[] = [];
  while (next !== null) {
    const page: { jobs: { id: string }[]; total_count: number; next_page_url: string | null } =
      await said(await ask('GET', next.replace('/api/v1', '')));
    expect(page.total_count).toBe(5);
    seen.push(...page.jobs.map(({ id }) => id.slice(-1)));
    next = page.next_page_url;
  }
  expect(seen).toEqual(['4', '3', '2', '1', '0']);
});

test('a job of somebody else is not there, whatever is asked of it', async () => {
  const { ask, plant } = await setup();
  plant(OTHER, FOREIGN);
  for (const path of ['', '/segments', '/gaps', '/transitions', '/proof', '/logs', '/thumbnail'])
    expect((await ask('GET', `/jobs/${OTHER}${path}`)).status).toBe(404);
  for (const verb of ['stop', 'kill', 'retry'])
    expect((await ask('POST', `/jobs/${OTHER}/${verb}`)).status).toBe(404);
});

test('a change asks whether the job has moved since it was looked at', async () => {
  const { ask, plant } = await setup();
  plant(JOB, OWN);
  const tag = (await ask('GET', `/jobs/${JOB}`)).headers.get('etag') ?? '';
  expect((await ask('GET', `/jobs/${JOB}`, { headers: { 'If-None-Match': tag } })).status).toBe(
    304,
  );
  const extended = await ask('POST', `/jobs/${JOB}/extend`, {
    body: { moreSeconds: 30 },
    headers: { 'If-Match': tag },
  });
  expect(extended.status).toBe(200);
  expect((await said(extended)).spec.durationSeconds).toBe(90);
  const late = await ask('POST', `/jobs/${JOB}/kill`, { headers: { 'If-Match': tag } });
  expect(late.status).toBe(412);
  expect((await ask('POST', `/jobs/${JOB}/kill`)).status).toBe(202);
  expect((await ask('POST', `/jobs/${JOB}/kill`)).status).toBe(409);
});

test('a job that has ended is tried again as one new job', async () => {
  const { ask, plant } = await setup();
  plant(JOB, OWN);
  expect((await ask('POST', `/jobs/${JOB}/retry`)).status).toBe(409);
  await ask('POST', `/jobs/${JOB}/kill`);
  const again = await ask('POST', `/jobs/${JOB}/retry`);
  expect(again.status).toBe(201);
  const job = await said(again);
  expect(job).toMatchObject({ retryOf: JOB, tries: 2, state: 'pending' });
  expect((await said(await ask('POST', `/jobs/${JOB}/retry`))).id).toBe(job.id);
});

test('a callback is made with the job, and its secret is told once', async () => {
  const { ask, callbacks } = await setup();
  const body = { url: URL, callback_url: 'https://hooks.example.org/k' };
  const headers = { 'Idempotency-Key': 'a' };
  const made = await said(await ask('POST', '/jobs', { body, headers }));
  expect(made.callback_secret).toMatch(/^whsec_/);
  expect(callbacks.get(made.id)).toMatchObject({
    url: 'https://hooks.example.org/k',
    secret: made.callback_secret,
  });
  const again = await said(await ask('POST', '/jobs', { body, headers }));
  expect(again.id).toBe(made.id);
  expect(again).not.toHaveProperty('callback_secret');
});

test('segments come in pages, and a picture is a JPEG', async () => {
  const { ask, plant } = await setup();
  plant(JOB, OWN);
  const first = await said(await ask('GET', `/jobs/${JOB}/segments?limit=2`));
  expect(first.segments.map(({ msn }: { msn: number }) => msn)).toEqual([1, 2]);
  const second = await said(await ask('GET', first.next_page_url.replace('/api/v1', '')));
  expect(second).toMatchObject({ segments: [{ msn: 3 }], next_page_url: null });
  const picture = await ask('GET', `/jobs/${JOB}/thumbnail`);
  expect(picture.headers.get('content-type')).toBe('image/jpeg');
});
