import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../src/media/manifest.ts';
import { eventsOf, type KennelHome, kennelHome } from '../support/kennel.ts';
import { type Origin, startOrigin } from '../support/origin/origin.ts';

/** What a source may be, and what the command line makes of it: one clear error or the right recording, and the right exit code. */

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin({ streams: {} });
});
afterAll(() => origin.stop());

const homes: KennelHome[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) home.remove();
});
const setup = () => {
  const home = kennelHome();
  homes.push(home);
  const record = (url: string, ...more: string[]) =>
    home.run(['record', url, '--output', home.file('show.mp4'), ...more]);
  return { home, record };
};

/** The one line that tells the error. */
const complaint = (stderr: string): string => stderr.trim().split('\n').at(-1) ?? '';

test('what is no URL is a usage error, told before anything starts', async () => {
  const { code, stderr } = await setup().record('not a link');
  expect(code).toBe(64);
  expect(complaint(stderr)).toMatch(/"not a link" is not a link.*\[url\.invalid\]/);
});

test('a refused connection is an unavailable source', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { code, stderr } = await setup().record(`http://127.0.0.1:${port}/live.m3u8`);
  expect(code).toBe(69);
  expect(stderr).toContain('source.unavailable');
});

test('a 404 is no such stream', async () => {
  const { code, stderr } = await setup().record(`${origin.url}/live/nobody/index.m3u8`);
  expect(code).toBe(66);
  expect(stderr).toContain('source.notFound');
});

test.each([
  ['an HTML page', 'html'],
  ['an empty body', 'empty'],
] as const)('%s instead of a playlist is bad data', async (_, twist) => {
  await origin.add(twist, { faults: [{ on: 'playlist', do: twist }] });
  const { code, stderr } = await setup().record(origin.playlistUrl(twist));
  expect(code).toBe(65);
  expect(stderr).toContain('playlist.invalid');
});

test('a playlist cut short by the connection for a while is asked for again, and then recorded', async () => {
  await origin.add('cut', {
    vod: true,
    faults: [{ on: 'playlist', do: 'truncated', times: 3 }],
  });
  const { home, record } = setup();
  const { code } = await record(origin.playlistUrl('cut'));
  expect(code).toBe(0);
  expect((await home.ledger()).stored).toBe(60);
});

test('a VOD playlist is recorded whole and ends by itself', async () => {
  await origin.add('vod', { vod: true });
  const { home, record } = setup();
  const { code, stdout } = await record(origin.playlistUrl('vod'), '--json');
  expect(code).toBe(0);
  const events = eventsOf(stdout);
  expect(events.at(-1)).toMatchObject({
    type: 'job.ended',
    state: 'done',
    outcome: 'complete',
    exitCode: 0,
    proof: { advertised: 60, stored: 60, duplicates: 0, ended: { why: 'endlist' } },
  });
  expect(events.filter(({ type }) => type === 'segment.stored')).toHaveLength(60);
  expect((await home.ledger()).durationMs).toBe(60_000);
});

test('a master playlist gives the quality that was asked for, or says what there is', async () => {
  await using variants = await startOrigin({
    streams: { hi: { set: 'hi', vod: true }, ts: { vod: true } },
  });
  const { record } = setup();
  const chosen = await record(variants.masterUrl, '9999p,worst', '--json');
  expect(chosen.code).toBe(0);
  const started = eventsOf(chosen.stdout).find(({ type }) => type === 'recording.started');
  expect(started).toMatchObject({ source: { playlist: 'master', height: 144 } });
  const missing = await setup().record(variants.masterUrl, '9999p');
  expect(missing.code).toBe(64);
  expect(missing.stderr).toMatch(/quality\.notFound/);
});

test('fragmented MP4 is recorded too', async () => {
  await origin.add('fmp4', { set: 'fmp4', vod: true });
  const { home, record } = setup();
  expect((await record(origin.playlistUrl('fmp4'))).code).toBe(0);
  expect((await home.ledger()).stored).toBe(15);
});

test('a segment that is 404 for ever is named with its cause: in the proof, in the manifest, in the exit code', async () => {
  await origin.add('gap', {
    window: 'all',
    prefill: 6,
    endAfter: 14,
    faults: [{ on: 'segment', index: 8, do: 'status', status: 404 }],
  });
  const { home, record } = setup();
  const { code } = await record(origin.playlistUrl('gap'));
  expect(code).toBe(3);
  const [directory = ''] = home.recordings();
  const proof = JSON.parse((await home.run(['proof', directory.slice(-8)])).stdout);
  expect(proof).toMatchObject({
    advertised: 14,
    stored: 13,
    duplicates: 0,
    lost: [{ epoch: 0, msn: 8, count: 1, cause: 'http.404' }],
    ended: { why: 'endlist' },
  });
  for (const field of ['bytes', 'durationMs', 'attempts', 'checksum'])
    expect(proof).toHaveProperty(field);
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(home.file('show.manifest.json'), 'utf8')),
  );
  expect(manifest).toMatchObject({
    outcome: 'gaps',
    proof: { lost: [{ msn: 8, cause: 'http.404' }] },
  });
});

test('a source that vanishes is finished as truncated, and says so', async () => {
  const gone = await startOrigin({ streams: { ts: { window: 6 } } });
  const { home } = setup();
  const running = home.start([
    'record',
    gone.playlistUrl('ts'),
    '--output',
    home.file('show.mp4'),
    '--patience',
    '4s',
  ]);
  await running.saw('the stream is live');
  await gone.stop();
  const { code, stdout } = await running.ended;
  expect(code).toBe(4);
  expect(stdout).toMatch(/^truncated/);
  expect((await home.ledger()).ended?.why).toBe('source.vanished');
});

test('a stream that is not there yet is waited for', async () => {
  const { home } = setup();
  const running = home.start([
    'record',
    origin.playlistUrl('later'),
    '--output',
    home.file('show.mp4'),
    '--wait',
    '30s',
  ]);
  await running.saw('records http');
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await origin.add('later', { vod: true, set: 'hi' });
  expect((await running.ended).code).toBe(0);
  expect((await home.ledger()).stored).toBe(6);
});
