import { createDecipheriv, createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startOrigin } from '../../support/origin/origin.ts';
import { rawGet } from './rawGet.ts';
import { setup } from './setup.ts';

describe('a live stream', () => {
  test('slides its window and keeps what left it for one window more', async () => {
    const { advance, shown, segment } = await setup({ window: 3 });
    expect(await shown()).toEqual(['0.ts', '1.ts', '2.ts']);
    advance(2_000);
    expect(await shown()).toEqual(['2.ts', '3.ts', '4.ts']);
    expect((await segment('0.ts')).status).toBe(200);
    advance(2_000);
    expect((await segment('0.ts')).status).toBe(404);
    expect((await segment('7.ts')).status).toBe(404);
  });

  test('serves the bytes whose checksum it tells', async () => {
    const { origin, segment } = await setup();
    const { body, headers } = await segment('4.ts');
    const checksum = createHash('sha256').update(body).digest('hex');
    expect(checksum).toBe(origin.stream('live').checksumOf(4, 'sha256'));
    expect(headers['content-type']).toBe('video/mp2t');
  });

  test('starts its set over behind a discontinuity while the numbers go on', async () => {
    const { advance, origin, playlist } = await setup({ set: 'hi', startSequence: 40, window: 4 });
    advance(3_000);
    const text = (await playlist()).body.toString();
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:43\n');
    expect(text).toMatch(/5\.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1\.000,\n6\.ts/);
    expect(origin.stream('live').mediaOf(6)).toEqual({ set: 'hi', position: 0 });
    advance(4_000);
    const later = (await playlist()).body.toString();
    expect(later).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:1\n');
  });

  test('says ENDLIST after its last segment, or when it is told to end', async () => {
    const ending = await setup({ endAfter: 8 });
    ending.advance(1_000);
    expect((await ending.playlist()).body.toString()).not.toContain('ENDLIST');
    ending.advance(60_000);
    expect((await ending.playlist()).body.toString()).toMatch(/7\.ts\n#EXT-X-ENDLIST\n$/);
    expect(ending.origin.truth('live').ended).toBe(true);

    const told = await setup();
    told.origin.stream('live').end();
    told.advance(60_000);
    expect((await told.playlist()).body.toString()).toMatch(/5\.ts\n#EXT-X-ENDLIST\n$/);
  });

  test('changes its initialisation section together with its media', async () => {
    const options = { set: 'fmp4', switches: [{ at: 4, set: 'fmp4hi' }] };
    const { playlist, segment } = await setup(options);
    const text = (await playlist()).body.toString();
    expect(text).toMatch(/3\.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-fmp4hi\.mp4"/);
    const [one, other] = [await segment('init-fmp4.mp4'), await segment('init-fmp4hi.mp4')];
    expect(one.body.subarray(4, 8).toString()).toBe('ftyp');
    expect(other.body.equals(one.body)).toBe(false);
  });

  test('can be a whole recording instead', async () => {
    const { playlist, shown } = await setup({ set: 'hi', vod: true });
    expect(await shown()).toHaveLength(6);
    expect((await playlist()).body.toString()).toContain('#EXT-X-PLAYLIST-TYPE:VOD\n');
  });

  test('dates its segments', async () => {
    const { playlist } = await setup({ programDateTime: Date.UTC(2030, 0, 1) });
    const text = (await playlist()).body.toString();
    expect(text).toContain(
      '#EXT-X-PROGRAM-DATE-TIME:2030-01-01T00:00:05.000Z\n#EXTINF:1.000,\n5.ts',
    );
  });

  test('sends gzip only to those who accept it', async () => {
    const { origin, playlist } = await setup({ gzip: true });
    const url = origin.playlistUrl('live');
    const packed = await rawGet(url, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body)).toEqual((await playlist()).body);
  });

  test('redirects every address once', async () => {
    const { origin, playlist } = await setup({ redirect: true });
    const moved = await playlist();
    expect(moved.status).toBe(302);
    const target = new URL(moved.headers.location ?? '', origin.url);
    expect((await rawGet(target.href)).body.toString()).toMatch(/^#EXTM3U/);
  });

  test('refuses tokens that are too old, forged or absent', async () => {
    const { advance, shown, segment } = await setup({
      tokens: { rotateMs: 1_000, validMs: 2_000 },
    });
    const [, , , file = ''] = await shown();
    expect(file).toBe('3.ts?token=0');
    expect((await segment(file)).status).toBe(200);
    advance(2_000);
    expect((await segment(file)).status).toBe(403);
    expect((await segment('3.ts?token=2')).status).toBe(200);
    expect((await segment('3.ts?token=x')).status).toBe(403);
    expect((await segment('3.ts')).status).toBe(403);
  });
});

describe('segments in other forms', () => {
  test('encrypted with keys that rotate and IVs from their numbers', async () => {
    const { origin, playlist, segment } = await setup({
      startSequence: 70,
      encryption: { rotateEvery: 4 },
    });
    const text = (await playlist()).body.toString();
    expect(text).toContain('#EXT-X-KEY:METHOD=AES-128,URI="key-0.bin"\n#EXTINF:1.000,\n0.ts');
    expect(text).toContain('#EXT-X-KEY:METHOD=AES-128,URI="key-1.bin"\n#EXTINF:1.000,\n4.ts');
    const key = (await segment('key-1.bin')).body;
    const iv = Buffer.from('0000000000000000000000000000004b', 'hex');
    const decipher = createDecipheriv('aes-128-cbc', key, iv);
    const { body } = await segment('5.ts');
    const clear = Buffer.concat([decipher.update(body), decipher.final()]);
    expect(createHash('sha256').update(clear).digest('hex')).toBe(
      origin.stream('live').checksumOf(5, 'sha256'),
    );
    expect((await segment('key-2.bin')).status).toBe(404);
    origin.stream('live').fault({ on: 'key', do: 'status', status: 403 });
    expect((await segment('key-1.bin')).status).toBe(403);
  });

  test('as ranges of one file', async () => {
    const { origin, playlist } = await setup({ byteRanges: true });
    const text = (await playlist()).body.toString();
    const ranges = [...text.matchAll(/BYTERANGE:(\d+)@(\d+)\nall\.ts/g)].map((match) => ({
      bytes: Number(match[1]),
      offset: Number(match[2]),
    }));
    expect(ranges).toHaveLength(6);
    const url = `${origin.url}/live/live/all.ts`;
    for (const [index, { bytes, offset }] of ranges.entries()) {
      const range = `bytes=${offset}-${offset + bytes - 1}`;
      const { status, body, headers } = await rawGet(url, { range });
      expect([status, headers['content-range']]).toEqual([206, `${range.replace('=', ' ')}/*`]);
      const checksum = createHash('sha256').update(body).digest('hex');
      expect(checksum).toBe(origin.stream('live').checksumOf(index, 'sha256'));
    }
    expect((await rawGet(url)).status).toBe(404);
  });

  test('marked as gaps, which are not there', async () => {
    const { playlist, segment } = await setup({ gaps: [2] });
    expect((await playlist()).body.toString()).toContain('#EXTINF:1.000,\n#EXT-X-GAP\n2.ts');
    expect([(await segment('1.ts')).status, (await segment('2.ts')).status]).toEqual([200, 404]);
  });
});

describe('numbers that change', () => {
  test('a reset empties the playlist and starts its numbers again', async () => {
    const { advance, origin, playlist, shown } = await setup();
    await playlist();
    expect(origin.stream('live').renumber({ kind: 'reset', to: 0 })).toBe(6);
    advance(2_000);
    expect(await shown()).toEqual(['6.ts', '7.ts']);
    expect((await playlist()).body.toString()).toContain('#EXT-X-MEDIA-SEQUENCE:0\n');
    const { advertised, relabelled } = origin.truth('live');
    expect(advertised).toHaveLength(8);
    expect(advertised.at(-1)).toEqual({ index: 7, epoch: 1, msn: 1, atMs: 2_000 });
    expect(relabelled).toEqual([]);
  });

  test('a relabelling keeps the addresses and is remembered as such', async () => {
    const { advance, origin, playlist, shown } = await setup({
      window: 3,
      renumberings: [{ kind: 'relabel', at: 3, to: 900 }],
    });
    await playlist();
    advance(1_000);
    expect(await shown()).toEqual(['1.ts', '2.ts', '3.ts']);
    expect((await playlist()).body.toString()).toContain('#EXT-X-MEDIA-SEQUENCE:898\n');
    const { advertised, relabelled } = origin.truth('live');
    expect(advertised.map(({ msn }) => msn)).toEqual([0, 1, 2, 900]);
    expect(relabelled.map(({ index, msn }) => [index, msn])).toEqual([
      [1, 898],
      [2, 899],
    ]);
  });

  test('with addresses by number, a restarted encoder uses them again for other media', async () => {
    const { advance, origin, segment } = await setup({
      names: 'sequence',
      renumberings: [{ kind: 'reset', at: 6, to: 0 }],
    });
    const before = await segment('0.ts');
    advance(1_000);
    const after = await segment('0.ts');
    expect(after.body.equals(before.body)).toBe(false);
    expect(origin.truth('live').served).toEqual({ 0: 1, 6: 1 });
  });
});

test('a master playlist offers the streams as variants', async () => {
  await using origin = await startOrigin({ master: ['hi', 'ts'] });
  const text = (await rawGet(origin.masterUrl)).body.toString();
  const [, hi = '', ts = ''] = text.split('#EXT-X-STREAM-INF:');
  expect(hi).toMatch(/^BANDWIDTH=\d+,RESOLUTION=384x216,FRAME-RATE=25\.000,CODECS="avc1\.4d/);
  expect(ts).toMatch(/RESOLUTION=256x144.*\nlive\/ts\/index\.m3u8\n$/);
  const variant = new URL('live/ts/index.m3u8', origin.masterUrl);
  expect((await rawGet(variant.href)).status).toBe(200);
});
