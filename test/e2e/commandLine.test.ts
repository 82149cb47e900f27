import { afterEach, expect, test } from 'vitest';
import { eventsOf, type KennelHome, kennelHome } from '../support/kennel.ts';
import { startOrigin } from '../support/origin/origin.ts';

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});
const setup = (options?: { isNew: boolean }) => {
  const home = kennelHome(options);
  homes.push(home);
  return home;
};

test('the environment alone can say what to record', async () => {
  await using origin = await startOrigin({ streams: { hi: { set: 'hi', vod: true } } });
  const home = setup({ isNew: true });
  const { code, stdout } = await home.run([], {
    RUNNING_MODE: 'adhoc',
    MANIFEST_URL: origin.playlistUrl('hi'),
    OUTPUT: home.file('show.mp4'),
  });
  expect(code).toBe(0);
  expect(stdout).toContain(home.file('show.mp4'));
});

test('adhoc mode without a link is a configuration error', async () => {
  const { code, stderr } = await setup().run([], { RUNNING_MODE: 'adhoc' });
  expect(code).toBe(78);
  expect(stderr).toContain('MANIFEST_URL');
});

test('all mistakes of a configuration are told at once', async () => {
  const { code, stderr } = await setup().run(['jobs'], {
    DATABASE_URL: 'mysql://nowhere',
    KENNEL_HOSTS: 'many',
  });
  expect(code).toBe(78);
  expect(stderr).toContain('DATABASE_URL');
  expect(stderr).toContain('KENNEL_HOSTS');
});

test('an unknown option and a missing argument are usage errors', async () => {
  const home = setup();
  expect((await home.run(['record', 'http://x/y.m3u8', '--nonsense'])).code).toBe(64);
  expect((await home.run(['record'])).code).toBe(64);
  expect((await home.run(['record', 'http://x/y.m3u8', '-d', 'soon'])).code).toBe(64);
});

test('jobs, why and proof tell of a finished recording, and its secrets stay where they are', async () => {
  await using origin = await startOrigin({ streams: { hi: { set: 'hi', vod: true } } });
  const home = setup();
  const recorded = await home.run([
    'record',
    origin.playlistUrl('hi'),
    '-o',
    `${home.directory}/out/`,
    '--header',
    'Cookie: session=hush',
    '--json',
  ]);
  expect(recorded.code).toBe(0);
  const jobId = eventsOf(recorded.stdout)[0]?.jobId ?? '';
  const listed = await home.run(['jobs', '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    id: jobId,
    state: 'done',
    outcome: 'complete',
  });
  const why = await home.run(['why', jobId]);
  expect(why.stdout).toContain('recording → muxing');
  const proof = await home.run(['proof', jobId, '--json']);
  expect(JSON.parse(proof.stdout)).toMatchObject({ advertised: 6, stored: 6, lost: [] });
  for (const { stdout, stderr } of [recorded, listed, why, proof])
    expect(`${stdout}${stderr}`).not.toContain('hush');
});

test('an id that fits nothing is no such job', async () => {
  const { code, stderr } = await setup().run(['proof', 'nothing']);
  expect(code).toBe(66);
  expect(stderr).toContain('job.notFound');
});

test('probe reads playlists behind links and in files', async () => {
  await using origin = await startOrigin();
  const home = setup();
  const master = JSON.parse((await home.run(['probe', origin.masterUrl])).stdout);
  expect(master).toMatchObject({ kind: 'master' });
  expect(master.variants).toHaveLength(2);
  const media = JSON.parse((await home.run(['probe', origin.playlistUrl('ts')])).stdout);
  expect(media).toMatchObject({ kind: 'media', targetDurationMs: 1_000 });
  expect((await home.run(['probe', `${origin.url}/nothing.m3u8`])).code).toBe(66);
  expect((await home.run(['probe', '/dev/null'])).code).not.toBe(0);
});

test('doctor finds this machine fit, and says what would make it better', async () => {
  const { code, stdout } = await setup().run(['doctor', '--json']);
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(findings.map(({ check }) => check)).toEqual([
    'node',
    'data directory',
    'database',
    'ffmpeg',
    'yt-dlp',
    'streamlink',
    'cage',
  ]);
  expect(code).toBe(0);
});

test('two Kennels do not share an embedded database: the second one says what to do', async () => {
  await using origin = await startOrigin();
  const home = setup();
  const first = home.start(['record', origin.playlistUrl('ts'), '-o', home.file('a.mp4')]);
  await first.saw('the stream is live');
  const second = await home.run(['record', origin.playlistUrl('hi'), '-o', home.file('b.mp4')]);
  expect(second.code).toBe(75);
  expect(second.stderr).toContain('data.locked');
  expect(second.stderr).toContain('DATABASE_URL');
  first.child.kill('SIGINT');
  await first.ended;
});
