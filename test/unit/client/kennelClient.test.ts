import { execFileSync } from 'node:child_process';
import { describe, expect, expectTypeOf, it, test } from 'vitest';
import { API_LIMITS } from '../../../src/api/apiLimits.ts';
import { statusOfError } from '../../../src/api/statusOfError.ts';
import { kennelClient } from '../../../src/client/kennelClient.ts';
import { ERROR_CODES, KennelError, type KennelErrorCode } from '../../../src/core/errors.ts';
import { exitCodeOfError } from '../../../src/jobs/exitCode.ts';
import { OWN } from '../../support/api/memoryParts.ts';
import { servedApi } from '../../support/api/servedApi.ts';
import { gathered } from '../../support/gathered.ts';

// `Object.keys` forgets what the keys are; the table is closed.
const CODES = Object.keys(ERROR_CODES) as KennelErrorCode[];
const LINK = 'https://example.org/live.m3u8';

const refusal = async (promise: Promise<unknown>): Promise<KennelError> => {
  const error: unknown = await promise.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof KennelError) return error;
  throw error;
};

/** Answers one after another, and what was asked. */
function answering(...answers: (() => Response)[]) {
  const asked: Request[] = [];
  const fetch = async (url: string | URL | Request, request?: RequestInit) => {
    asked.push(new Request(url, request));
    const answer = answers[asked.length - 1] ?? answers.at(-1);
    if (!answer) throw new Error('nothing is answered');
    return answer();
  };
  return { asked, client: kennelClient({ url: 'http://kennel.test', fetch }) };
}

const failure = (code: KennelErrorCode, retryAfter = '0') =>
  Response.json(
    { error: { code, message: 'It is so.', details: { a: 1 }, request_id: 'r' } },
    { status: statusOfError(code), headers: { 'Retry-After': retryAfter } },
  );

test('bodies and statuses are typed, and failures are thrown instead of being among them', async () => {
  const { url, key } = await servedApi();
  const { api } = kennelClient({ url, key });
  const answer = await api.jobs.$post({ json: { url: LINK }, header: {} });
  expectTypeOf(answer.status).toEqualTypeOf<200 | 201>();
  const job = await answer.json();
  expectTypeOf(job.id).toEqualTypeOf<string>();
  expectTypeOf(job.waiting).toEqualTypeOf<boolean>();
  // @ts-expect-error: a job has no such field
  expect(job.nothing).toBeUndefined();
  // @ts-expect-error: a duration is a number
  const wrong = api.jobs.$post({ json: { url: LINK, durationSeconds: 'long' }, header: {} });
  await expect(wrong).rejects.toMatchObject({ code: 'request.invalid' });
  const shown = await api.jobs[':jobId'].$get({ param: { jobId: job.id } });
  expect((await shown.json()).spec.url).toBe(LINK);
});

test.each(CODES)('%s comes back as what it was, with the exit code it has here', async (code) => {
  const error = await refusal(
    // With a POST without a key, so that nothing is asked twice.
    answering(() => failure(code)).client.api.keys.$post({
      json: { name: 'x', scopes: ['admin'] },
    }),
  );
  expect([error.code, error.fault]).toEqual([code, ERROR_CODES[code]]);
  expect(error.message).toBe('It is so.');
  expect(error.details).toMatchObject({ a: 1, requestId: 'r' });
  expect(exitCodeOfError(error.code)).toBe(exitCodeOfError(code));
});

test('a service in between that fails is not taken for Kennel', async () => {
  const html = () => new Response('<h1>Bad Gateway</h1>', { status: 502 });
  const error = await refusal(answering(html).client.api.me.$get());
  expect(error).toMatchObject({ code: 'service.unavailable', details: { status: 502 } });
  expect(error.message).toContain('502');
});

test('a service that is not there is told by its address', async () => {
  const { api } = kennelClient({ url: 'http://127.0.0.1:9' });
  const error = await refusal(api.me.$get());
  expect(error.code).toBe('service.unavailable');
  expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:9 cannot be reached/);
});

test('a service that does not answer in time is given up', async () => {
  const client = kennelClient({
    url: 'http://kennel.test',
    answerWithinMs: 1,
    fetch: (_, request) =>
      new Promise((_resolve, reject) =>
        request?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
  });
  expect((await refusal(client.api.me.$get())).message).toContain('did not answer within');
});

describe('what is refused for a moment', () => {
  const fine = () => Response.json({ tenantId: OWN, scopes: [] });
  it('is asked again after as long as the service says, when it may be asked twice', async () => {
    const { asked, client } = answering(() => failure('rate.limited'), fine);
    await client.api.me.$get();
    const submitted = answering(() => failure('database.unavailable'), fine);
    await submitted.client.api.jobs.$post({
      json: { url: LINK },
      header: { 'idempotency-key': 'a' },
    });
    expect([asked.length, submitted.asked.length]).toEqual([2, 2]);
    const keys = submitted.asked.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual(['a', 'a']);
  });

  it('is not asked again when that might do something twice', async () => {
    const { asked, client } = answering(() => failure('service.unavailable'), fine);
    await refusal(client.api.jobs.$post({ json: { url: LINK }, header: {} }));
    expect(asked).toHaveLength(1);
  });

  it('is told when it takes long, or does not pass by itself', async () => {
    const late = answering(() => failure('rate.limited', '3600'), fine);
    const error = await refusal(late.client.api.me.$get());
    expect(error).toMatchObject({ retryable: true, details: { retryAfterMs: 3_600_000 } });
    const full = answering(() => failure('capacity.exceeded'), fine);
    await refusal(full.client.api.me.$get());
    expect([late.asked.length, full.asked.length]).toEqual([1, 1]);
  });

  it('is asked four times at most', async () => {
    const { asked, client } = answering(() => failure('service.unavailable'));
    await refusal(client.api.me.$get());
    expect(asked).toHaveLength(4);
  });
});

test('the limits of a real service are waited for', async () => {
  const { url, key } = await servedApi({ limits: { ...API_LIMITS, requestsPerKeyAndMinute: 1 } });
  const { api } = kennelClient({ url, key, triesMax: 1 });
  await api.me.$get();
  const error = await refusal(api.me.$get());
  expect(error).toMatchObject({ code: 'rate.limited', retryable: true });
  expect(error.details['retryAfterMs']).toBeGreaterThan(0);
});

test('pages follow each other to the end', async () => {
  const { url, key, plant } = await servedApi();
  const ids = [1, 2, 3, 4, 5].map((n) => `00000000-0000-7000-8000-00000000000${n}`);
  for (const id of ids) plant(id, OWN);
  const client = kennelClient({ url, key });
  const pages = await gathered(
    client.pages((cursor) => client.api.jobs.$get({ query: { limit: '2', ...cursor } })),
  );
  expect(pages.map(({ jobs }) => jobs.length)).toEqual([2, 2, 1]);
  expect(pages.flatMap(({ jobs }) => jobs.map(({ id }) => id)).sort()).toEqual(ids);
});

test.each(['kennel', 'ftp://kennel', 'http://me:secret@kennel'])('%s is no address', (url) => {
  expect(() => kennelClient({ url })).toThrow(KennelError);
  expect(() => kennelClient({ url })).not.toThrow(/secret/);
});

test('a service below a path is asked there', async () => {
  const { asked } = answering();
  const fetch = async (url: string | URL | Request) => {
    asked.push(new Request(url));
    return Response.json({});
  };
  await kennelClient({ url: 'https://example.org/kennel/', fetch }).api.me.$get();
  expect(asked[0]?.url).toBe('https://example.org/kennel/api/v1/me');
});

test('whoever imports the client loads nothing of the service, and no schemas', () => {
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => { console.log(url); return next(url, context); } });
    await import(${JSON.stringify(new URL('../../../src/client/kennelClient.ts', import.meta.url))});`;
  const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(loaded).toContain('/src/client/kennelClient.ts');
  expect(loaded.split('\n').filter((url) => /\/zod|\/src\/(?!client\/|core\/)/.test(url))).toEqual(
    [],
  );
});
