import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { rawGet } from './rawGet.ts';
import { setup } from './setup.ts';

/** For what comes within milliseconds on a machine that has nothing else to do. */
const PATIENCE_MS = 10_000;

describe('faults of playlists', () => {
  test('another status, for a time range of the stream', async () => {
    const { advance, playlist } = await setup({
      faults: [{ on: 'playlist', do: 'status', status: 404, fromMs: 1_000, forMs: 2_000 }],
    });
    const seen: number[] = [];
    for (let second = 0; second < 5; second++) {
      seen.push((await playlist()).status);
      advance(1_000);
    }
    expect(seen).toEqual([200, 404, 404, 200, 200]);
  });

  test('a page with status 200, and an empty body', async () => {
    const { origin, playlist } = await setup();
    origin.stream('live').fault({ on: 'playlist', do: 'html', times: 1 });
    origin.stream('live').fault({ on: 'playlist', do: 'empty', times: 1 });
    const page = await playlist();
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html']);
    const empty = await playlist();
    expect([empty.status, empty.body.length, empty.complete]).toEqual([200, 0, true]);
    expect(origin.truth('live').advertised).toEqual([]);
    expect((await playlist()).body.toString()).toMatch(/^#EXTM3U/);
    expect(origin.truth('live')).toMatchObject({ playlists: 1 });
  });

  test('a frozen playlist stands still while the segments go on', async () => {
    const { advance, origin, shown, segment } = await setup({ window: 2 });
    origin.stream('live').fault({ on: 'playlist', do: 'frozen', forMs: 3_000 });
    advance(2_000);
    expect(await shown()).toEqual(['0.ts', '1.ts']);
    expect((await segment('3.ts')).status).toBe(200);
    advance(1_000);
    expect(await shown()).toEqual(['3.ts', '4.ts']);
    expect(origin.truth('live').advertised.map(({ index }) => index)).toEqual([0, 1, 3, 4]);
  });

  test('a truncated playlist is shorter than it said, and does not count as advertised', async () => {
    const { origin, playlist } = await setup();
    origin.stream('live').fault({ on: 'playlist', do: 'truncated' });
    const { body, complete, headers } = await playlist();
    expect(complete).toBe(false);
    expect(body.length).toBeLessThan(Number(headers['content-length']));
    expect(origin.truth('live')).toMatchObject({ advertised: [], playlists: 0 });
  });
});

describe('faults of segments', () => {
  test('a status for so many requests, on one segment only', async () => {
    const { origin, segment } = await setup();
    origin.stream('live').fault({ on: 'segment', index: 2, do: 'status', status: 500, times: 2 });
    const seen: number[] = [];
    for (const file of ['2.ts', '1.ts', '2.ts', '2.ts']) seen.push((await segment(file)).status);
    expect(seen).toEqual([500, 200, 500, 200]);
    expect(origin.truth('live').served).toEqual({ 1: 1, 2: 1 });
    expect(origin.truth('live').errors).toEqual([
      { atMs: 0, what: 'status', file: '2.ts' },
      { atMs: 0, what: 'status', file: '2.ts' },
    ]);
  });

  test.each(['truncated', 'cut'] as const)('a body that is %s half way', async (how) => {
    const { origin, segment } = await setup();
    origin.stream('live').fault({ on: 'segment', index: 1, count: 2, do: how });
    const { body, complete, headers } = await segment('2.ts');
    const sound = await segment('3.ts');
    expect(complete).toBe(false);
    expect(body.length).toBeGreaterThan(sound.body.length / 3);
    expect('content-length' in headers).toBe(how === 'truncated');
    expect(sound.complete).toBe(true);
    expect(origin.truth('live').served).toEqual({ 3: 1 });
  });

  test('a body that is halved with an agreeing length is a whole answer and whole packets', async () => {
    const { origin, segment } = await setup();
    const { body: sound } = await segment('1.ts');
    origin.stream('live').fault({ on: 'segment', do: 'halved' });
    const { body, complete } = await segment('1.ts');
    expect([complete, body.length % 188]).toEqual([true, 0]);
    expect(body.equals(sound.subarray(0, body.length))).toBe(true);
    expect(body.length).toBeLessThan(sound.length);
  });

  test('a page, and nothing, with status 200', async () => {
    const { origin, segment } = await setup();
    origin.stream('live').fault({ on: 'segment', index: 0, do: 'html' });
    origin.stream('live').fault({ on: 'segment', index: 1, do: 'empty' });
    expect((await segment('0.ts')).body.toString()).toContain('<title>');
    expect((await segment('1.ts')).body).toHaveLength(0);
  });

  test.each(['stall', 'drip', 'slow'] as const)(
    'with %s the whole body comes, late',
    async (how) => {
      const { origin, segment } = await setup();
      const { body: sound } = await segment('1.ts');
      origin.stream('live').fault({ on: 'segment', do: how, delayMs: 20 });
      const { body, complete } = await segment('1.ts');
      expect(complete).toBe(true);
      expect(body.equals(sound)).toBe(true);
      expect(origin.truth('live').served).toEqual({ 1: 2 });
    },
  );

  test('a stalled body stops half way and is not served until its delay is over', async () => {
    const { origin, segment } = await setup();
    const { body: sound } = await segment('1.ts');
    origin.stream('live').fault({ on: 'segment', do: 'stall', delayMs: 3_600_000 });
    const request = get(`${origin.url}/live/live/1.ts`, { agent: false });
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const piece of response) {
      bytes += (piece as Buffer).length;
      if (bytes >= sound.length >> 1) break;
    }
    expect(bytes).toBe(sound.length >> 1);
    expect(origin.truth('live').served).toEqual({ 1: 1 });
  });

  test('a request that hangs gets no answer before the origin goes', async () => {
    const { origin } = await setup();
    origin.stream('live').fault({ on: 'segment', do: 'hang' });
    const answer = rawGet(`${origin.url}/live/live/1.ts`).catch((error: Error) => error.message);
    await expect.poll(() => origin.truth('live').errors, { timeout: PATIENCE_MS }).toHaveLength(1);
    await origin.down();
    expect(await answer).toBe('socket hang up');
  });

  test('healing ends every fault', async () => {
    const { origin, playlist, segment } = await setup({
      faults: [{ on: 'playlist', do: 'status' }],
    });
    origin.stream('live').fault({ on: 'segment', do: 'status', status: 404 });
    expect([(await playlist()).status, (await segment('1.ts')).status]).toEqual([503, 404]);
    origin.stream('live').heal();
    expect([(await playlist()).status, (await segment('1.ts')).status]).toEqual([200, 200]);
  });
});

test('an origin that is down refuses connections and comes back on its port, further on', async () => {
  const { advance, origin, shown, playlist } = await setup({ window: 2 });
  await shown();
  await origin.down();
  await expect(playlist()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  advance(5_000);
  await origin.up();
  expect(await shown()).toEqual(['5.ts', '6.ts']);
  await origin.down(10);
  const status = (): Promise<number> =>
    playlist().then(
      (answer) => answer.status,
      () => 0,
    );
  await expect.poll(status, { timeout: PATIENCE_MS }).toBe(200);
});
