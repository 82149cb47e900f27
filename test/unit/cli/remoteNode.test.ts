import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemoryWebhooks } from '../../support/api/memoryWebhooks.ts';
import { servedApi } from '../../support/api/servedApi.ts';
import { remoteCli } from '../../support/cli/remoteCli.ts';

const AN_HOUR_MS = 3_600_000;

async function world(given: Parameters<typeof servedApi>[0] = {}) {
  const served = await servedApi(given);
  const cli = await remoteCli({ KENNEL_SERVER: served.url, KENNEL_API_KEY: served.key });
  return { ...served, ...cli };
}

test('a key is made, listed, replaced and revoked; its text is alone on standard output', async () => {
  const { run, url } = await world();
  const made = await run(['keys', 'create', '--name', 'reader', '--scope', 'jobs.read']);
  expect(made.out).toEqual([expect.stringMatching(/^kn_/)]);
  const [text = ''] = made.out;
  const [, keyId = ''] = text.split('_');
  const listed = await run(['keys']);
  expect(listed.out.join('\n')).toMatch(new RegExp(`${keyId}\\s+default\\s+jobs.read\\s+reader`));
  expect(listed.out.join('\n')).not.toContain(text);

  const reader = await remoteCli({ KENNEL_SERVER: url, KENNEL_API_KEY: text });
  expect((await reader.run(['jobs'])).exitCode).toBe(0);
  expect(await reader.run(['keys'])).toMatchObject({ exitCode: 77, code: 'access.forbidden' });

  const rotated = await run(['keys', 'rotate', keyId, '--overlap', '2h', '--json']);
  const { key } = JSON.parse(rotated.out.join('')) as { readonly key: { readonly id: string } };
  expect((await run(['keys', 'revoke', key.id])).out.join()).toContain('refused from now on');
  expect(await reader.run(['jobs'])).toMatchObject({ exitCode: 77, code: 'access.denied' });
  expect(await run(['keys', 'create', '--name', 'x', '--scope', 'everything'])).toMatchObject({
    exitCode: 64,
  });
});

test('a key is read from a file, with a warning where others may read it', async () => {
  const { key, url } = await servedApi();
  const { run, dataDir } = await remoteCli();
  const file = join(dataDir, 'key');
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  const asked = ['jobs', '--server', url, '--key-file', file];
  expect(await run(asked)).toMatchObject({ exitCode: 0, err: [] });
  await chmod(file, 0o644);
  expect((await run(asked)).err.join()).toContain('chmod 600');
  expect(await run([...asked.slice(0, -1), `${file}.not`])).toMatchObject({ exitCode: 64 });
  const fromFile = await remoteCli({ KENNEL_SERVER: url, KENNEL_API_KEY_FILE: file });
  expect((await fromFile.run(['jobs'])).exitCode).toBe(0);
});

test('tenants are made, changed in what is given alone, and listed', async () => {
  const { run } = await world();
  await run(['tenants', 'set', 'news', '--name', 'News', '--weight', '5', '--running-max', '3']);
  await run(['tenants', 'set', 'news', '--weight', '2']);
  expect((await run(['tenants', 'list'])).out.join('\n')).toMatch(
    /news\s+News\s+2\s+3\s+any number/,
  );
  await run(['tenants', 'set', 'news', '--running-max', 'none']);
  expect((await run(['tenants'])).out.join('\n')).toMatch(/news\s+News\s+2\s+as many as fit/);
  expect(await run(['tenants', 'set', 'news', '--weight', '-1'])).toMatchObject({ exitCode: 64 });
});

test('capacity is shown in units that people use', async () => {
  const { run } = await world({
    capacity: {
      report: () => ({
        at: AN_HOUR_MS,
        running: 2,
        resources: [
          { resource: 'memory', limit: 2e9, used: 1.5e9, expected: 1e9 },
          { resource: 'slots', limit: Number.POSITIVE_INFINITY, used: 2, expected: 2 },
        ],
        typical: {
          costKey: 'hls',
          cost: {
            cpu: 1,
            memoryBytes: 1,
            networkBytesPerSecond: 1,
            diskBytesPerSecond: 1,
            descriptors: 1,
          },
          more: 7,
        },
      }),
    },
  });
  const { out } = await run(['capacity']);
  expect(out.join('\n')).toMatch(/memory\s+2.0 GB\s+1.5 GB\s+1.0 GB/);
  expect(out.join('\n')).toMatch(/slots\s+no limit\s+2\s+2/);
  expect(out.at(-1)).toBe('2 running; room for 7 more as usual (hls)');
  expect(JSON.parse((await run(['capacity', '--json'])).out.join(''))).toMatchObject({
    running: 2,
  });
});

test('settings are those of the service, and without one those that hold here', async () => {
  const setting = { key: 'api.port', value: 99, source: 'flag', place: '--port' } as const;
  const about = { reloadable: false, secret: false, description: 'x' };
  const { run } = await world({ configuration: () => [{ ...setting, ...about }] });
  expect((await run(['config'])).out).toEqual(['api.port  99  --port']);
  const here = await remoteCli({ KENNEL_API_PORT: '98' });
  expect((await here.run(['config', 'show'])).out.join('\n')).toMatch(
    /api.port\s+98\s+KENNEL_API_PORT/,
  );
});

test('a key that crosses a network unencrypted is warned of', async () => {
  const { run } = await remoteCli({ KENNEL_API_KEY: 'kn_a_b' });
  const { err, code } = await run(['capacity', '--server', 'http://kennel.invalid']);
  expect(err.join()).toContain('unencrypted');
  expect(code).toBe('service.unavailable');
});

test('schedules are added with what their jobs record, listed and removed', async () => {
  const { run } = await world();
  const added = await run([
    ...['schedules', 'add', 'https://example.org/live.m3u8', 'best', '--name', 'News'],
    ...['--cron', '0 20 * * 1-5', '--window', '30m', '--time-zone', 'Europe/Berlin'],
    ...['--label', 'show:news', '--priority', '5', '--audio', 'en', '--json'],
  ]);
  const schedule = JSON.parse(added.out.join('')) as { readonly id: string };
  expect(schedule).toMatchObject({
    ...{ name: 'News', cron: '0 20 * * 1-5', timeZone: 'Europe/Berlin', windowSeconds: 1_800 },
    ...{ priority: 5, labels: { show: 'news' }, spec: { quality: ['best'], audio: ['en'] } },
  });
  expect((await run(['schedules'])).out[1]).toContain(`${schedule.id}  News  0 20 * * 1-5`);
  expect((await run(['schedules', 'remove', schedule.id])).exitCode).toBe(0);
  expect((await run(['schedules', 'list', '--json'])).out).toEqual([]);
  expect(await run(['schedules', 'remove', schedule.id])).toMatchObject({
    exitCode: 66,
    code: 'schedule.notFound',
  });
});

test('receivers are added, listed, sent things again, and removed; the secret is alone on standard output', async () => {
  const webhooks = new MemoryWebhooks();
  const { run } = await world({ webhooks });
  const added = await run(['webhooks', 'add', 'https://hooks.example/a', '--type', 'job.*']);
  expect(added.out).toEqual([expect.stringMatching(/^whsec_/)]);
  const [webhook] = await webhooks.list();
  const id = webhook?.id ?? '';
  expect((await run(['webhooks'])).out[1]).toMatch(
    new RegExp(`^${id}\\s+on\\s+\\d+\\s+\\d+\\s+job\\.\\*\\s+https`),
  );
  const delivery = await webhooks.ping(id);
  expect((await run(['webhooks', 'deliveries', id])).out[1]).toContain(delivery.id);
  expect((await run(['webhooks', 'redeliver', id, delivery.id])).out.join()).toContain('again');
  expect((await run(['webhooks', 'deliveries', id, '--state', 'none'])).exitCode).toBe(64);
  expect((await run(['webhooks', 'remove', id])).exitCode).toBe(0);
  expect(await run(['webhooks', 'deliveries', id])).toMatchObject({ code: 'webhook.notFound' });
});
