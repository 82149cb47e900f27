import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { isAlive, type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { serve } from '../support/service.ts';

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) {
    for (const pid of home.processes()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    home.remove();
  }
});

function newHome(options = {}): KennelHome {
  const home = kennelHome(options);
  homes.push(home);
  return home;
}

/** A home with a job that records, and whose supervisor was killed: its host goes on for a while. */
async function withOrphan(plan: { readonly endAfter?: number } = {}) {
  const home = newHome();
  const origin = await startOrigin({ streams: { ts: { window: 6, ...plan } } });
  const record = home.start(['record', origin.playlistUrl('ts'), '-o', home.file('show.mp4')]);
  await record.saw('the stream is live');
  record.child.kill('SIGKILL');
  await record.ended;
  return { home, origin };
}

const stored = async (home: KennelHome) => (await home.ledger()).segments().length;

async function jobOf(home: KennelHome): Promise<{ state: string; outcome?: string }> {
  const { stdout } = await home.run(['jobs', '--json']);
  return JSON.parse(stdout.trim().split('\n')[0] ?? '{}');
}

test('on an empty directory the service answers probes at once, then starts, and ends with a signal', async () => {
  const home = newHome({ isNew: true });
  const { running, ask, answers } = await serve(home);
  const asked = await Promise.all(['/livez', '/startupz', '/readyz'].map(ask));
  expect(asked.map(({ status }) => status)).toEqual([200, 503, 503]);
  expect(asked[1]?.text).toMatch(/\[-\] start: is being started/);
  expect((await ask('/api/v1/me')).text).toMatch(/"database\.unavailable"/);
  await answers('/startupz', 200);
  expect(await answers('/readyz?verbose', 200)).toMatch(
    /^\[\+\] start: ok\n.*\[\+\] database: ok\n.*ok\n$/s,
  );
  expect((await ask('/readyz')).text).toBe('ok\n');
  await answers('/api/v1/me', 200);
  running.child.kill('SIGTERM');
  const { code, stdout } = await running.ended;
  expect(code).toBe(0);
  // On loopback nobody needs a key, so none is made.
  expect(stdout).toBe('');
  await until('no process is left', () => home.processes().length === 0, 5_000);
});

test('where keys are demanded, the first one is printed once', async () => {
  const home = newHome();
  const env = { KENNEL_API_KEYS: 'required' };
  const first = await serve(home, { env });
  await first.running.saw('ready');
  expect((await first.ask('/api/v1/me')).status).toBe(401);
  first.running.child.kill('SIGTERM');
  const key = (await first.running.ended).stdout.trim();
  expect(key).toMatch(/^kn_\S+$/);
  const second = await serve(home, { env });
  await second.running.saw('ready');
  const headers = { authorization: `Bearer ${key}`, connection: 'close' };
  expect((await fetch(`${second.url}/api/v1/me`, { headers })).status).toBe(200);
  second.running.child.kill('SIGTERM');
  expect((await second.running.ended).stdout).toBe('');
});

test('checkpoint: recorders stop well, the job stays, and the next start goes on with it', async () => {
  const { home, origin } = await withOrphan();
  await using _origin = origin;
  const [host] = home.hostPids();
  const first = await serve(home);
  await first.running.saw('goes on with 1 unfinished job');
  expect(home.hostPids()).toEqual([host]);
  await first.answers('/readyz', 200);
  first.running.child.kill('SIGTERM');
  expect((await first.running.ended).code).toBe(0);
  await until('no process is left', () => home.processes().length === 0, 5_000);
  const before = await stored(home);
  expect((await jobOf(home)).state).toBe('recording');
  const second = await serve(home);
  await second.running.saw('goes on with 1 unfinished job');
  const ledgers: number[] = [before];
  while ((ledgers.at(-1) ?? 0) <= before) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ledgers.push(await stored(home));
  }
  second.running.child.kill('SIGTERM');
  expect((await second.running.ended).code).toBe(0);
});

test('finish: a job goes on to its own end while the service drains, and is done', async () => {
  const { home, origin } = await withOrphan({ endAfter: 12 });
  await using _origin = origin;
  const served = await serve(home, { env: { KENNEL_DRAIN_POLICY: 'finish' } });
  await served.running.saw('ready');
  served.running.child.kill('SIGTERM');
  await served.running.saw('drains');
  expect(await served.answers('/readyz', 503)).toMatch(/\[-\] open: the service drains/);
  expect((await served.ask('/livez')).status).toBe(200);
  expect((await served.running.ended).code).toBe(0);
  expect(await jobOf(home)).toMatchObject({ state: 'done' });
});

test('finish is as checkpoint once its limit is over', async () => {
  const { home, origin } = await withOrphan();
  await using _origin = origin;
  const env = { KENNEL_DRAIN_POLICY: 'finish', KENNEL_DRAIN_LIMIT_SECONDS: '1' };
  const served = await serve(home, { env });
  await served.running.saw('ready');
  served.running.child.kill('SIGTERM');
  expect((await served.running.ended).code).toBe(0);
  expect((await jobOf(home)).state).toBe('recording');
});

test('a second signal ends at once, and the hosts are adopted by the next start', async () => {
  const { home, origin } = await withOrphan();
  await using _origin = origin;
  const first = await serve(home, { env: { KENNEL_DRAIN_POLICY: 'finish' } });
  await first.running.saw('ready');
  first.running.child.kill('SIGTERM');
  await first.running.saw('drains');
  const hosts = home.hostPids();
  first.running.child.kill('SIGTERM');
  expect((await first.running.ended).code).toBe(0);
  expect(hosts.filter(isAlive)).toHaveLength(1);
  const second = await serve(home);
  await second.running.saw('goes on with 1 unfinished job');
  expect(home.hostPids()).toEqual(hosts);
  second.running.child.kill('SIGTERM');
  await second.running.ended;
});

test('SIGHUP and a change of the file bring new settings, and a broken file changes nothing', async () => {
  const home = newHome();
  const file = join(home.directory, 'kennel.toml');
  writeFileSync(file, 'log_level = "info"');
  const { running, ask } = await serve(home);
  await running.saw('ready');
  const levelIs = async (level: string) =>
    (await ask('/api/v1/config')).text.includes(`"value":"${level}"`);
  expect(await levelIs('info')).toBe(true);
  writeFileSync(file, 'log_level = "warn"\nhosts = 200');
  running.child.kill('SIGHUP');
  await running.saw(/log_level: "info" is "warn" now|hosts stays as it is/);
  expect(await levelIs('warn')).toBe(true);
  expect(await levelIs('200')).toBe(false);
  writeFileSync(file, 'log_level = "loud"');
  running.child.kill('SIGHUP');
  await running.saw('the settings stay as they are');
  expect(await levelIs('warn')).toBe(true);
  writeFileSync(file, 'log_level = "error"');
  const deadline = performance.now() + 10_000;
  while (!(await levelIs('error')) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await levelIs('error')).toBe(true);
  running.child.kill('SIGTERM');
  await running.ended;
});

test('a port that is taken, a locked directory and wrong settings are one clear error each', async () => {
  const home = newHome();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = String(typeof address === 'object' ? address?.port : '');
  const refused = await home.run(['serve', '--port', port]);
  taken.close();
  expect(refused.code).toBe(78);
  expect(refused.stderr.trim()).toMatch(
    new RegExp(
      `^kennel: 127\\.0\\.0\\.1:${port} is taken by another program: .* \\[config\\.invalid\\]$`,
    ),
  );
  const served = await serve(home);
  const locked = await home.run(['serve', '--port', '0']);
  expect(locked).toMatchObject({ code: 75 });
  expect(locked.stderr).toMatch(/another Kennel uses .*node; stop it/);
  served.running.child.kill('SIGTERM');
  await served.running.ended;
  const wrong = await home.run(['serve', '--port', 'p', '--host', '']);
  expect(wrong).toMatchObject({ code: 78 });
  expect(wrong.stderr).toMatch(/--port: api\.port=p: /);
});
