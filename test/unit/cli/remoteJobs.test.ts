import { expect, test } from 'vitest';
import { writeServiceFile } from '../../../src/config/serviceFile.ts';
import { OWN } from '../../support/api/memoryParts.ts';
import { servedApi } from '../../support/api/servedApi.ts';
import { remoteCli } from '../../support/cli/remoteCli.ts';

const LINK = 'https://example.org/live.m3u8';
const id = (n: number) => `00000000-0000-7000-8000-00000000000${n}`;

/** A service with a few jobs, and a command line that knows it from its environment. */
async function world() {
  const served = await servedApi();
  for (const n of [1, 2, 3]) served.plant(id(n), OWN);
  const cli = await remoteCli({ KENNEL_SERVER: served.url, KENNEL_API_KEY: served.key });
  return { ...served, ...cli };
}

test('jobs of a service are listed, by state and by label, as lines and as JSON', async () => {
  const { run, plant } = await world();
  plant(id(4), OWN, { state: 'failed', waiting: false, verdict: 'source.refused' });
  const all = await run(['jobs']);
  expect(all.out).toHaveLength(4);
  expect(all.out.join('\n')).toContain(`${id(1)}  waiting`);
  const dead = await run(['jobs', '--state', 'failed', '--json']);
  expect(dead.out.map((line) => JSON.parse(line).id)).toEqual([id(4)]);
  expect((await run(['jobs', '--limit', '2'])).out).toHaveLength(2);
  expect(await run(['jobs', '--state', 'asleep'])).toMatchObject({ exitCode: 64 });
});

test('a job is found by the beginning or the end of its id', async () => {
  const { run } = await world();
  expect((await run(['why', '00003'])).out.join('\n')).toContain('pending → recording');
  expect(await run(['why', '0000'])).toMatchObject({ exitCode: 75, code: 'job.conflict' });
  expect(await run(['why', 'fffff'])).toMatchObject({ exitCode: 66, code: 'job.notFound' });
  expect(await run(['why', id(9)])).toMatchObject({ exitCode: 66, code: 'job.notFound' });
});

test('why tells moves and decisions in their order, with evidence', async () => {
  const { run } = await world();
  const { out } = await run(['why', id(1), '--json']);
  expect(out.map((line) => JSON.parse(line))).toMatchObject([
    { at: '1970-01-01T00:00:00.000Z', what: 'queue: job.admit', why: 'room', evidence: {} },
    { at: '1970-01-01T00:00:00.001Z', what: 'pending → recording', why: 'job.begin' },
  ]);
});

test('the proof of a job is shown; files of a service cannot be verified from afar', async () => {
  const { run } = await world();
  expect((await run(['proof', id(1)])).out.join('\n')).toContain(
    'advertised  0 = stored 0 + lost 0',
  );
  expect(JSON.parse((await run(['proof', id(1), '--json'])).out.join('\n'))).toMatchObject({
    advertised: 0,
  });
  expect(await run(['proof', id(1), '--verify'])).toMatchObject({ exitCode: 64 });
});

test('a job is stopped, killed, extended and tried again', async () => {
  const { run, jobs } = await world();
  expect((await run(['stop', id(1)])).out[0]).toContain('cancelled');
  expect(jobs.get(id(1))?.state).toBe('cancelled');
  expect(await run(['stop', id(1)])).toMatchObject({ exitCode: 75, code: 'job.conflict' });
  expect((await run(['kill', id(2), '--json'])).out.map((line) => JSON.parse(line))).toMatchObject([
    { id: id(2), state: 'cancelled' },
  ]);
  const again = JSON.parse((await run(['retry', id(2), '--json'])).out.join('')) as {
    readonly retryOf: string;
  };
  expect(again.retryOf).toBe(id(2));
  expect((await run(['extend', id(3), '--by', '30m'])).exitCode).toBe(0);
  expect(jobs.get(id(3))?.spec.durationMs).toBe(60_000 + 30 * 60_000);
  await run(['extend', id(3), '--until', '+2h']);
  expect(jobs.get(id(3))?.spec.endAt).toBeGreaterThan(Date.now() + 7_000_000);
  expect(await run(['extend', id(3)])).toMatchObject({ exitCode: 64, code: 'usage.invalid' });
});

test('a job is submitted with everything that can be said of it', async () => {
  const { run, jobs } = await world();
  const { out, exitCode } = await run([
    ...['submit', LINK, '720p,best', '-d', '1h', '--start-at', '+2h', '--expires', '+3h'],
    ...['--end-at', '+9h', '--priority', '7', '--retries', '3', '--retry-delay', '2m'],
    ...['--label', 'show:news', '--label', 'day=1', '--fallback', 'https://b.example/x.m3u8'],
    ...['--header', 'Referer: https://example.org/', '--audio', 'en', '--wait', '5m', '--json'],
    ...['-o', 'news/', '--bandwidth', '20M', '--stale-after', '20s', '--keep-segments'],
  ]);
  expect(exitCode).toBe(0);
  const shown = JSON.parse(out.join('')) as { readonly id: string };
  const job = jobs.get(shown.id);
  expect(job).toMatchObject({ priority: 7, labels: { show: 'news', day: '1' }, waiting: true });
  expect(job?.spec).toMatchObject({
    url: LINK,
    fallbacks: ['https://b.example/x.m3u8'],
    quality: ['720p', 'best'],
    durationMs: 3_600_000,
    headers: { Referer: 'https://example.org/' },
    audio: ['en'],
    waitMs: 300_000,
    bytesPerSecondMax: 2_500_000,
    watch: { staleMs: 20_000 },
    keepSegments: true,
  });
  expect(job?.runAt).toBeGreaterThan(Date.now() + 7_000_000);
});

test('what is submitted twice with one key is one job', async () => {
  const { run, jobs } = await world();
  const submit = ['submit', LINK, '--quiet', '--idempotency-key', 'today'];
  const [first, second] = [await run(submit), await run(submit)];
  expect(first.out).toEqual(second.out);
  expect(jobs.size).toBe(4);
  const other = await run(['submit', LINK, '-d', '5s', '--idempotency-key', 'today']);
  expect(other).toMatchObject({ exitCode: 75, code: 'idempotency.conflict' });
});

test('where there is no room and nobody may wait, the code says so', async () => {
  const { run } = await world();
  const refused = await run(['submit', LINK, '--no-queue']);
  expect(refused).toMatchObject({ exitCode: 75, code: 'capacity.exceeded' });
  expect(refused.err.join()).toContain('Of 1 jobs');
});

test.each([
  [['--priority', '101']],
  [['--priority', 'high']],
  [['--retry-delay', '1m']],
  [['--label', 'news']],
  [['--start-at', 'soon']],
  [['--until', '2001-01-01T00:00Z']],
])('%j is refused before anybody is asked', async (options) => {
  const { run, jobs } = await world();
  expect(await run(['submit', LINK, ...options])).toMatchObject({ exitCode: 64 });
  expect(jobs.size).toBe(3);
});

test('the log of a job is printed', async () => {
  const { run } = await world();
  expect((await run(['logs', id(1)])).out).toEqual(['1970-01-01T00:00:00.001Z  info   A line.']);
  expect(await run(['logs', id(1), '-n', '0'])).toMatchObject({ exitCode: 64 });
});

test('a service that runs on the data directory is found without being named', async () => {
  const { url, key, plant } = await servedApi();
  plant(id(1), OWN);
  const { run, dataDir } = await remoteCli({ KENNEL_API_KEY: key });
  writeServiceFile(dataDir, { address: url, pid: 1 });
  expect((await run(['jobs'])).out).toHaveLength(1);
});

test('the file of a service that is gone is not believed', async () => {
  const { run, dataDir } = await remoteCli();
  writeServiceFile(dataDir, { address: 'http://127.0.0.1:9', pid: 1 });
  const kill = await run(['kill', id(1)]);
  expect(kill).toMatchObject({ exitCode: 69, code: 'service.unavailable' });
  expect(kill.err.join()).toContain('kennel serve');
  await expect(run(['jobs'])).rejects.toThrow('nothing is composed');
});

test('a service that demands keys refuses whoever has none, or a wrong one', async () => {
  const { url } = await servedApi();
  const { run } = await remoteCli();
  const none = await run(['jobs', '--server', url]);
  expect(none).toMatchObject({ exitCode: 77, code: 'access.missing' });
});

test('a command line knows no option for the key itself', async () => {
  const { run } = await world();
  await expect(run(['jobs', '--key', 'kn_x_y'])).rejects.toThrow(/unknown option/);
});
