import { expect, test } from 'vitest';
import { rawGet } from './rawGet.ts';
import { setup } from './setup.ts';

const lowLatency = { partMs: 250, skipUntilMs: 6_000 };

test('parts of the newest segments are listed, and of the one to come', async () => {
  const { advance, playlist, segment } = await setup({ lowLatency });
  advance(600);
  const text = (await playlist()).body.toString();
  expect(text).toContain('CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.750,CAN-SKIP-UNTIL=6.000\n');
  expect(text).toContain('#EXT-X-PART-INF:PART-TARGET=0.250\n');
  expect(text).toContain(
    [
      '5.ts',
      '#EXT-X-PART:DURATION=0.250,URI="6.0.ts",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.250,URI="6.1.ts"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="6.2.ts"\n',
    ].join('\n'),
  );
  expect(text.match(/URI="5\.\d\.ts"/g)).toHaveLength(4);
  expect(text).not.toContain('"2.0.ts"');
  const parts = ['5.0.ts', '5.1.ts', '5.2.ts', '5.3.ts'].map(async (one) => await segment(one));
  const bodies = (await Promise.all(parts)).map(({ body }) => body);
  expect(Buffer.concat(bodies).equals((await segment('5.ts')).body)).toBe(true);
  expect([(await segment('6.1.ts')).status, (await segment('6.2.ts')).status]).toEqual([200, 404]);
  expect((await segment('6.ts')).status).toBe(404);
});

test('a reload is held back until the part or the segment is there', async () => {
  const { advance, origin } = await setup({ lowLatency });
  const reload = (query: string) => rawGet(`${origin.playlistUrl('live')}?${query}`);
  const part = reload('_HLS_msn=6&_HLS_part=1');
  const whole = reload('_HLS_msn=6');
  advance(500);
  expect((await part).body.toString()).toMatch(/6\.1\.ts/);
  expect(await Promise.race([whole, new Promise((done) => setTimeout(done, 30, 'held'))])).toBe(
    'held',
  );
  advance(500);
  expect((await whole).body.toString()).toMatch(/\n6\.ts\n/);
  expect((await reload('_HLS_msn=60')).status).toBe(400);
});

test('a delta leaves out what is old', async () => {
  const { origin } = await setup({ lowLatency, window: 12, prefill: 12 });
  const text = (await rawGet(`${origin.playlistUrl('live')}?_HLS_skip=YES`)).body.toString();
  expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n');
  expect(text.match(/^\d+\.ts$/gm)).toHaveLength(6);
});

test('after the end nothing is held back and nothing is announced', async () => {
  const { advance, origin } = await setup({ lowLatency, endAfter: 8 });
  advance(10_000);
  const text = (
    await rawGet(`${origin.playlistUrl('live')}?_HLS_msn=8&_HLS_part=0`)
  ).body.toString();
  expect(text).toMatch(/7\.ts\n#EXT-X-ENDLIST\n$/);
});
