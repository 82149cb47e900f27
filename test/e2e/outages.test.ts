import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type KennelHome, kennelHome, until } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';
import { reconcile } from '../support/origin/reconcile.ts';
import { type NoPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';

/** What a recording leans on stops answering: its host, its database. */

let server: PostgresServer | NoPostgres = { missing: 'it was not started' };
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  if ('stop' in server) await server.stop();
});

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});

const setup = async ({ window = 10, args = [] as string[] } = {}) => {
  const home = kennelHome();
  homes.push(home);
  const origin = await startOrigin({ streams: { ts: { set: 'ts', window } } });
  const command = ['record', origin.playlistUrl('ts'), '-o', home.file('show.mp4'), ...args];
  return { home, origin, command };
};
type Bundle = Awaited<ReturnType<typeof setup>>;

async function nothingLost({ home, origin }: Bundle): Promise<void> {
  const ledger = await home.ledger();
  const account = reconcile(origin.stream('ts'), {
    stored: ledger.segments(),
    lost: ledger.gaps(),
  });
  expect(account).toMatchObject({ lost: [], unaccounted: [], twice: [], wrong: [], invented: [] });
  expect(ledger.lost).toBe(0);
}

/** A server of our own that can be taken away, and an empty database in it. */
const withDatabase = async (skip: (note: string) => void) => {
  if ('missing' in server) return skip(server.missing);
  const { crash, restart } = server;
  if (!crash || !restart) return skip('the Postgres is not ours to stop');
  return { crash, restart, env: { DATABASE_URL: await server.createDatabase() } };
};

/** The job's moves as the database has them. */
const movesOf = async (home: KennelHome, env: Record<string, string>) => {
  const [id = ''] = home.recordings().map((path) => path.slice(path.lastIndexOf('/') + 1));
  const { stdout } = await home.run(['why', id, '--json'], env);
  return stdout
    .trim()
    .split('\n')
    .map((line): string => JSON.parse(line).what)
    .filter((what) => what.includes('→'));
};

test('a recorder host that hangs is replaced within 15 s, and nothing that is still in the window is lost', async () => {
  const bundle = await setup({ window: 20, args: ['--duration', '25s'] });
  await using _origin = bundle.origin;
  const { home } = bundle;
  const running = home.start(bundle.command);
  await running.saw('the stream is live');
  await sleep(4_000);
  const [pid = 0] = home.hostPids();
  const stoppedAt = performance.now();
  process.kill(pid, 'SIGSTOP');
  await running.saw('attempt 2: a recorder is on it again');
  expect(performance.now() - stoppedAt).toBeLessThan(15_000);
  const { code, stdout, stderr } = await running.ended;
  expect(code, `${stderr}${stdout}`).toBe(0);
  expect(stderr).toContain('host.silent');
  await nothingLost(bundle);
  await until('no process is left', () => home.processes().length === 0);
});

test('a database that is away for 20 s costs a recording nothing, and its history is whole and in order', async ({
  skip,
}) => {
  const database = await withDatabase(skip);
  if (!database) return;
  const { crash, restart, env } = database;
  const bundle = await setup({ window: 20, args: ['--duration', '35s'] });
  await using _origin = bundle.origin;
  const { home } = bundle;
  const running = home.start(bundle.command, env);
  await running.saw('the stream is live');
  await sleep(3_000);
  await crash();
  // While it is away the recorder dies too: its restart is written behind.
  await sleep(5_000);
  for (const pid of home.hostPids()) process.kill(pid, 'SIGKILL');
  await sleep(15_000);
  const before = (await home.ledger()).stored;
  expect(before).toBeGreaterThan(15);
  await restart();
  const { code, stdout, stderr } = await running.ended;
  expect(code, `${stderr}${stdout}`).toBe(0);
  await nothingLost(bundle);
  expect(await movesOf(home, env)).toEqual([
    'pending → recording',
    'recording → retrying',
    'retrying → recording',
    'recording → muxing',
    'muxing → uploading',
    'uploading → done',
  ]);
});

test('SIGTERM while the database is away ends in bounded time, says why, and the same command goes on later', async ({
  skip,
}) => {
  const database = await withDatabase(skip);
  if (!database) return;
  const { crash, restart, env } = database;
  const bundle = await setup();
  await using _origin = bundle.origin;
  const { home } = bundle;
  const running = home.start(bundle.command, env);
  await running.saw('the stream is live');
  await sleep(3_000);
  await crash();
  const sentAt = performance.now();
  running.child.kill('SIGTERM');
  const { code, stdout, stderr } = await running.ended;
  await restart();
  expect(code, `${stderr}${stdout}`).toBe(69);
  expect(stderr).toContain('What is recorded is safe');
  // Kubernetes kills 30 s after its SIGTERM.
  expect(performance.now() - sentAt).toBeLessThan(29_000);
  await until('no process is left', () => home.processes().length === 0, 1_000);

  const again = home.start(bundle.command, env);
  const ended = await again.ended;
  // The order to stop is in the journal: the recording is not begun again, only finished.
  expect(ended.code, `${ended.stderr}${ended.stdout}`).toBe(0);
  expect(ended.stderr).toContain('goes on with the unfinished job');
  expect(ended.stdout).toMatch(/^complete/);
  expect(home.recordings()).toHaveLength(1);
});

test('SIGTERM while the database is away for a moment only waits for it, and finishes', async ({
  skip,
}) => {
  const database = await withDatabase(skip);
  if (!database) return;
  const { crash, restart, env } = database;
  const bundle = await setup();
  await using _origin = bundle.origin;
  const running = bundle.home.start(bundle.command, env);
  await running.saw('the stream is live');
  await sleep(3_000);
  await crash();
  running.child.kill('SIGTERM');
  await sleep(6_000);
  await restart();
  const { code, stdout, stderr } = await running.ended;
  expect(code, `${stderr}${stdout}`).toBe(143);
  expect(stdout).toMatch(/^complete/);
});

test('a second Kennel with the same data directory is turned away, and the first goes on', async ({
  skip,
}) => {
  const database = await withDatabase(skip);
  if (!database) return;
  const { env } = database;
  const bundle = await setup({ args: ['--duration', '12s'] });
  await using _origin = bundle.origin;
  const { home, command } = bundle;
  const running = home.start(command, env);
  await running.saw('the stream is live');
  const second = await home.run([...command.slice(0, 3), home.file('other.mp4')], env);
  expect(second.code, second.stderr).toBe(75);
  const { code, stdout, stderr } = await running.ended;
  expect(code, `${stderr}${stdout}`).toBe(0);
  await nothingLost(bundle);
});

test.each([100, 700, 1_000, 1_300, 1_700, 2_500])(
  'SIGTERM %i ms after the start ends the process, whatever it was about to do',
  async (afterMs) => {
    const bundle = await setup();
    await using _origin = bundle.origin;
    const { home } = bundle;
    const running = home.start(bundle.command);
    await sleep(afterMs);
    running.child.kill('SIGTERM');
    const { code, signal, stderr } = await running.ended;
    expect(signal === 'SIGTERM' || code === 143, `${code} ${signal} ${stderr}`).toBe(true);
    await until('no process is left', () => home.processes().length === 0, 2_000);
  },
);

test('an output that cannot be written is refused before anything is recorded', async () => {
  const { home, origin } = await setup();
  await using _origin = origin;
  const output = home.file('data/pgdata/PG_VERSION/show.mp4');
  const { code, stderr } = await home.run(['record', origin.playlistUrl('ts'), '-o', output]);
  expect(code, stderr).toBe(73);
  expect(home.recordings()).toEqual([]);
});

test('a data directory that cannot be made is refused in one clear line', async () => {
  const { home, origin, command } = await setup();
  await using _origin = origin;
  const { code, stderr } = await home.run(command, { KENNEL_DATA_DIR: '/dev/null/data' });
  expect(code, stderr).toBe(73);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
