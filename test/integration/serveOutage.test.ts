import { afterAll, expect, test } from 'vitest';
import { kennelHome } from '../support/kennel.ts';
import { type NoPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { serve } from '../support/service.ts';

const started: PostgresServer | NoPostgres = await startPostgres();
const why = 'missing' in started ? started.missing : undefined;
const isOurs = 'crash' in started;
const home = kennelHome({ isNew: true });

afterAll(async () => {
  if ('stop' in started) await started.stop();
  home.remove();
});

test.skipIf(!isOurs)(
  `the service starts without its database, waits for it, and outlasts its absence later${isOurs ? '' : ` (skipped: ${why ?? 'the server is not ours to stop'})`}`,
  async () => {
    if ('missing' in started || !started.crash || !started.restart) throw new Error(why);
    const url = await started.createDatabase();
    await started.crash();
    const { running, ask, answers } = await serve(home, { env: { DATABASE_URL: url } });
    await running.saw('the service waits for it');
    expect((await ask('/livez')).status).toBe(200);
    expect(await answers('/readyz', 503)).toMatch(/\[-\] start: the database does not answer/);
    expect((await ask('/api/v1/jobs')).text).toMatch(/"code":"database\.unavailable"/);
    await started.restart();
    await answers('/readyz', 200);
    await answers('/api/v1/jobs', 200);
    await started.crash();
    expect(await answers('/readyz', 503)).toMatch(/\[-\] database: does not answer/);
    const response = await fetch(`${running.said().match(/http:\S+/)?.[0]}/api/v1/jobs`);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('/livez')).status).toBe(200);
    await started.restart();
    await answers('/readyz', 200);
    await answers('/api/v1/jobs', 200);
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  },
);
