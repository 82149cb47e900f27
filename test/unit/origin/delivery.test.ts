import { once } from 'node:events';
import { get } from 'node:https';
import { connect } from 'node:tls';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ORIGIN_CERTIFICATE } from '../../support/origin/certificate.ts';
import { type OriginOptions, startOrigin } from '../../support/origin/origin.ts';
import { rawGet } from './rawGet.ts';
import { setup } from './setup.ts';

/** What the origin does to requests besides its scripted faults: who is let in, how it answers, and through which door. */

describe('who is let in', () => {
  test('with cookies, only who brings back that of the playlist', async () => {
    const { origin, playlist, segment } = await setup({ cookies: true });
    const [cookie = ''] = (await playlist()).headers['set-cookie'] ?? [];
    expect((await segment('1.ts')).status).toBe(403);
    const seat = { cookie: `other=1; ${cookie.split(';')[0]}` };
    expect((await rawGet(`${origin.url}/live/live/1.ts`, seat)).status).toBe(200);
  });

  test('with passes, only whose playlist address a master minted not long ago', async () => {
    let now = 0;
    const origin = await startOrigin({
      now: () => now,
      streams: { live: { passes: { validMs: 2_000 } } },
    });
    onTestFinished(() => origin.stop());
    const minted = async (): Promise<string> => {
      const text = (await rawGet(origin.masterUrl)).body.toString();
      return `${origin.url}/${text.trim().split('\n').at(-1)}`;
    };
    const first = await minted();
    expect((await rawGet(first)).status).toBe(200);
    now = 2_000;
    expect((await rawGet(first)).status).toBe(403);
    expect((await rawGet(await minted())).status).toBe(200);
    expect((await rawGet(`${origin.url}/live/live/index.m3u8`)).status).toBe(403);
  });

  test('with a defined variable, addresses hold it and mean its folder', async () => {
    const { playlist, segment } = await setup({ define: 'value' });
    const text = (await playlist()).body.toString();
    expect(text).toContain('#EXT-X-DEFINE:NAME="folder",VALUE="media"\n');
    expect(text).toContain('\n{$folder}/1.ts\n');
    expect((await segment('media/1.ts')).status).toBe(200);
    expect((await segment('1.ts')).status).toBe(403);
    const { origin } = await setup({ define: 'query' });
    expect(origin.playlistUrl('live')).toMatch(/index\.m3u8\?folder=media$/);
  });
});

describe('how it answers', () => {
  test('with Brotli before gzip, to those who accept them or to all', async () => {
    const { origin, playlist } = await setup({ gzip: true, brotli: true });
    const url = origin.playlistUrl('live');
    const plain = (await playlist()).body;
    const packed = await rawGet(url, { 'accept-encoding': 'gzip, br' });
    expect(packed.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(packed.body)).toEqual(plain);
    const rude = await setup({ gzip: true, encodesUnasked: true });
    expect((await rude.playlist()).headers['content-encoding']).toBe('gzip');
  });

  test('after as many redirects as it was told', async () => {
    const { origin } = await setup({ redirect: 3 });
    let url = origin.playlistUrl('live');
    for (let hop = 0; hop < 3; hop++) {
      const { status, headers } = await rawGet(url);
      expect(status).toBe(302);
      url = new URL(headers.location ?? '', url).href;
    }
    expect((await rawGet(url)).status).toBe(200);
  });

  test('with every second playlist behind, where a cache lags', async () => {
    const { shown } = await setup({ window: 3, prefill: 6, stale: { behind: 2 } });
    const seen = [await shown(), await shown(), await shown()];
    expect(seen.map(([first]) => first)).toEqual(['3.ts', '1.ts', '3.ts']);
  });

  test('with more, less or other than Content-Length and status say', async () => {
    const { origin, segment } = await setup();
    const { body: sound } = await segment('1.ts');
    const with_ = async (what: 'longer' | 'shorter' | 'partial' | 'reset') => {
      origin.stream('live').fault({ on: 'segment', do: what, times: 1 });
      return await segment('1.ts');
    };
    const longer = await with_('longer');
    expect([longer.complete, longer.body.length]).toEqual([false, sound.length]);
    const shorter = await with_('shorter');
    expect(shorter.body.length).toBeLessThan(sound.length);
    const partial = await with_('partial');
    expect([partial.status, partial.body.equals(sound)]).toEqual([206, true]);
    expect((await with_('reset')).complete).toBe(false);
  });
});

test('a segment may repeat the media of the one before it, and marks may stand before one', async () => {
  const { origin, playlist, segment } = await setup({
    repeats: [3],
    marks: [{ at: 4, line: 'EXT-X-CUE-OUT:30' }],
  });
  expect((await segment('3.ts')).body.equals((await segment('2.ts')).body)).toBe(true);
  expect(origin.stream('live').mediaOf(4).position).toBe(4);
  const text = (await playlist()).body.toString();
  expect(text).toMatch(/DISCONTINUITY\n#EXTINF:1\.000,\n3\.ts\n#EXT-X-CUE-OUT:30\n#EXTINF/);
});

describe('doors', () => {
  const doorOf = async (options: NonNullable<OriginOptions['doors']>[string]) => {
    const origin = await startOrigin({
      doors: { side: options },
      streams: { live: { door: 'side', clock: 'show', startsOnRequest: true } },
    });
    onTestFinished(() => origin.stop());
    return { origin, url: origin.playlistUrl('live') };
  };

  test('lead to the same streams, over TLS too', async () => {
    const { url } = await doorOf({ tls: true });
    const request = get(url, { ca: ORIGIN_CERTIFICATE, agent: false });
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  test('can fail the handshake, as long as the clock of their show says', async () => {
    const { url } = await doorOf({ tls: true, troubles: [{ do: 'handshake', fromMs: 0 }] });
    const socket = connect({ port: Number(new URL(url).port), ca: ORIGIN_CERTIFICATE });
    await expect(once(socket, 'secureConnect')).rejects.toThrow(/handshake/);
  });

  test('refuse, and come back on the same port', async () => {
    const troubles = [{ do: 'refuse' as const, fromMs: 50, forMs: 100 }];
    const { url } = await doorOf({ clock: 'show', troubles });
    expect((await rawGet(url)).status).toBe(200);
    const status = (): Promise<number | string> =>
      rawGet(url).then(
        (answer) => answer.status,
        (error: NodeJS.ErrnoException) => error.code ?? '',
      );
    await expect.poll(status, { interval: 5 }).toBe('ECONNREFUSED');
    await expect.poll(status, { interval: 5, timeout: 5_000 }).toBe(200);
  });

  test('accept and stay silent, also on connections from before', async () => {
    const troubles = [{ do: 'silent' as const, fromMs: 0 }];
    const { origin, url } = await doorOf({ clock: 'show', troubles });
    expect((await rawGet(url)).status).toBe(200);
    const answer = rawGet(url).catch((error: Error) => error.message);
    expect(await Promise.race([answer, new Promise((done) => setTimeout(done, 50))])).toBe(
      undefined,
    );
    await origin.stop();
    expect(await answer).toMatch(/hang up|ECONNRESET/);
  });
});
