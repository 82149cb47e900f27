import { describe, expect, it } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { type Answer, playlistText } from './streamRecorderOrigin.ts';
import { fasterBy, originFor, recorderSetup, segmentAt, until } from './streamRecorderSetup.ts';

/** Two origins with the same live stream; each can be broken. */
async function setup() {
  const live = { first: 0, count: 3, ended: false };
  const broken: (Answer | undefined)[] = [];
  const origins = await Promise.all(
    [0, 1].map((number) =>
      originFor((requested) => {
        if (broken[number] !== undefined) return broken[number];
        return requested.startsWith('/live.m3u8') ? playlistText(live) : segmentAt(requested);
      }),
    ),
  );
  const [url = '', fallback = ''] = origins.map((origin) => `${origin.url}/live.m3u8`);
  const parts = await recorderSetup();
  const polls = (number: number) =>
    (origins[number]?.asked ?? []).filter((asked) => asked === '/live.m3u8').length;
  return { ...parts, live, broken, origins, url, fallback, polls };
}

describe('a job with a fallback', () => {
  it('does not ask it while the first link is well', async () => {
    const { record, url, fallback, live, polls, journal } = await setup();
    live.ended = true;
    // In its own time: on a busy machine a faster clock would find the first link slow.
    await record({ url, fallbacks: [fallback] }, 1, fasterBy(1)).exited;
    expect(polls(1)).toBe(0);
    const { ledger } = await journal();
    expect(ledger.source).toEqual({ playlist: 'media', tracks: [{ track: 'main', kind: 'main' }] });
  });

  it('goes on with it when the first link fails, and loses nothing', async () => {
    const { record, url, fallback, live, broken, journal, logged } = await setup();
    const recorder = record({ url, fallbacks: [fallback] });
    await until(() => recorder.progress().settled === 3);
    broken[0] = { status: 503 };
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    Object.assign(live, { first: 4, ended: true });
    expect(await recorder.exited).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([7, 0, 0]);
    const taken = logged.find(({ message }) => message === 'Another source takes over.');
    expect(taken?.fields).toEqual({ track: 'main', source: 1, before: 0 });
  });

  it('begins with it when the first link is not there, and says so', async () => {
    const { record, url, fallback, live, broken, journal } = await setup();
    broken[0] = { status: 404 };
    live.ended = true;
    const exit = await record({ url, fallbacks: [fallback] }).exited;
    expect(exit).toMatchObject({ kind: 'ended', why: 'endlist' });
    const { ledger } = await journal();
    expect(ledger.stored).toBe(3);
    expect(ledger.source).toMatchObject({ playlist: 'media', source: 1 });
  });

  it('fails with what the first link answered when none is there', async () => {
    const { record, url, fallback, broken } = await setup();
    broken.push({ status: 404 }, '<html>');
    const exit = await record({ url, fallbacks: [fallback] }, 1, fasterBy(100)).exited;
    expect(exit).toMatchObject({ kind: 'failed', why: 'source.notFound' });
  });

  it('tries the first link again, so that it is there when the second one fails', async () => {
    const { record, url, fallback, live, broken, journal } = await setup();
    const recorder = record({ url, fallbacks: [fallback] });
    await until(() => recorder.progress().settled === 3);
    broken[0] = { status: 503 };
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    broken[0] = undefined;
    broken[1] = { status: 503 };
    live.first = 4;
    await until(() => recorder.progress().settled === 7);
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost]).toEqual([7, 0]);
  });
});

describe('dual recording', () => {
  it('asks both links all the time, and stores every segment once', async () => {
    const { record, url, fallback, live, polls, journal } = await setup();
    const recorder = record({ url, fallbacks: [fallback], dual: true });
    for (const first of [0, 2, 4]) {
      live.first = first;
      await until(() => recorder.progress().settled === first + 3);
    }
    const asked = polls(1);
    await until(() => polls(1) > asked + 2);
    live.ended = true;
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([7, 0, 0]);
  });

  it('loses nothing while one of them is away', async () => {
    const { record, url, fallback, live, broken, journal } = await setup();
    const recorder = record({ url, fallbacks: [fallback], dual: true });
    await until(() => recorder.progress().settled === 3);
    broken[0] = { status: 500 };
    for (const first of [2, 4, 6]) {
      live.first = first;
      await until(() => recorder.progress().settled === first + 3);
    }
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([9, 0, 0]);
  });
});

const masterOf = (...addresses: readonly string[]): string =>
  [
    '#EXTM3U',
    ...addresses.flatMap((address) => [
      '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"',
      address,
    ]),
    '',
  ].join('\n');

describe('the address of a variant', () => {
  it('is asked for anew when it is refused, and the old one is left when the new one has answered', async () => {
    const live = { first: 0, count: 3 };
    const pass = { now: 1 };
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') return masterOf(`v.m3u8?pass=${pass.now}`);
      if (requested === `/v.m3u8?pass=${pass.now}`) return playlistText(live);
      return requested.startsWith('/v.m3u8') ? { status: 403 } : segmentAt(requested);
    });
    const { record, journal } = await recorderSetup();
    const recorder = record({ url: `${origin.url}/live.m3u8` });
    await until(() => recorder.progress().settled === 3);
    pass.now = 2;
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost]).toEqual([5, 0]);
    expect(origin.asked.filter((asked) => asked === '/live.m3u8')).toHaveLength(2);
  });

  it('stays that of the same variant when it is asked for anew, although a better one has come', async () => {
    const live = { first: 0, count: 3 };
    const stream = (bandwidth: number, address: string) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=640x360\n${address}\n`;
    const isLater = { now: false };
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') {
        const better = isLater.now ? stream(9_000_000, 'better.m3u8') : '';
        return `#EXTM3U\n${better}${stream(800_000, isLater.now ? 'v2.m3u8' : 'v1.m3u8')}`;
      }
      if (requested === '/v1.m3u8' && isLater.now) return { status: 403 };
      return requested.startsWith('/v') ? playlistText(live) : segmentAt(requested);
    });
    const { record } = await recorderSetup();
    const recorder = record({ url: `${origin.url}/live.m3u8` });
    await until(() => recorder.progress().settled === 3);
    isLater.now = true;
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    recorder.stop('over');
    await recorder.exited;
    expect(origin.asked).not.toContain('/better.m3u8');
  });

  it('is that of the variant that an earlier attempt recorded, although a better one has come', async () => {
    const live = { first: 0, count: 3 };
    const stream = (bandwidth: number, height: number, address: string) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=640x${height}\n${address}\n`;
    const master = { text: `#EXTM3U\n${stream(800_000, 360, 'v.m3u8')}` };
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') return master.text;
      return requested.endsWith('.m3u8') ? playlistText(live) : segmentAt(requested);
    });
    const { record } = await recorderSetup();
    const url = `${origin.url}/live.m3u8`;
    const first = record({ url });
    await until(() => first.progress().settled === 3);
    first.kill('test');
    await first.exited;
    live.first = 2;
    // Its bit rate is measured anew each time.
    master.text = `#EXTM3U\n${stream(9_000_000, 480, 'b.m3u8')}${stream(810_000, 360, 'v.m3u8')}`;
    const second = record({ url }, 2);
    await until(() => second.progress().settled === 5);
    second.stop('over');
    await second.exited;
    expect(origin.asked).not.toContain('/b.m3u8');
  });

  it('is renewed before it expires: the new one is used although the old one still works', async () => {
    const live = { first: 0, count: 3 };
    const links = { asked: 0 };
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') {
        links.asked++;
        return masterOf(`v${links.asked}.m3u8?exp=${Math.ceil(Date.now() / 1_000) + 12}`);
      }
      return requested.startsWith('/v') ? playlistText(live) : segmentAt(requested);
    });
    const { record } = await recorderSetup();
    const recorder = record({ url: `${origin.url}/live.m3u8` });
    const used = () => origin.asked.flatMap((one) => /^\/v(\d)\.m3u8/.exec(one)?.[1] ?? []);
    await until(() => used().filter((version) => version === '2').length > 4);
    recorder.stop('over');
    await recorder.exited;
    expect(used().slice(used().indexOf('2') + 4)).not.toContain('1');
  });

  it('is asked for anew when its segments are refused although the playlist is not', async () => {
    const live = { first: 0, count: 3 };
    const token = { now: 1 };
    const name = (given: string) => (msn: number) => `s${msn}.ts?token=${given}`;
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') return masterOf(`v.m3u8?token=${token.now}`);
      const [, given = ''] = /\?token=(\d)/.exec(requested) ?? [];
      if (requested.startsWith('/v.m3u8')) return playlistText({ ...live, name: name(given) });
      return given === String(token.now) ? segmentAt(requested) : { status: 403 };
    });
    const { record, journal } = await recorderSetup();
    const recorder = record({ url: `${origin.url}/live.m3u8` });
    await until(() => recorder.progress().settled === 3);
    token.now = 2;
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost]).toEqual([5, 0]);
  });

  it('has a redundant one behind it, which is taken when the first fails', async () => {
    const live = { first: 0, count: 3 };
    const backup = await originFor((requested) =>
      requested === '/v.m3u8' ? playlistText(live) : segmentAt(requested),
    );
    const isDown = { now: false };
    const origin = await originFor((requested) => {
      if (requested === '/live.m3u8') return masterOf('v.m3u8', `${backup.url}/v.m3u8`);
      if (isDown.now) return { status: 502 };
      return requested === '/v.m3u8' ? playlistText(live) : segmentAt(requested);
    });
    const { record, journal } = await recorderSetup();
    const recorder = record({ url: `${origin.url}/live.m3u8` });
    await until(() => recorder.progress().settled === 3);
    expect(backup.asked).toEqual([]);
    isDown.now = true;
    live.first = 2;
    await until(() => recorder.progress().settled === 5);
    recorder.stop('over');
    await recorder.exited;
    const { ledger } = await journal();
    expect([ledger.stored, ledger.lost, ledger.duplicates]).toEqual([5, 0, 0]);
  });
});

it('no address is in the log or in the journal', async () => {
  const { record, url, fallback, broken, logged, journal } = await setup();
  const secret = '?token=hush';
  const recorder = record({ url: url + secret, fallbacks: [fallback + secret] });
  broken[0] = { status: 503 };
  await until(() => logged.length > 1);
  recorder.kill('test');
  await recorder.exited;
  const { records } = await journal();
  const told = JSON.stringify([logged, records], (_key, value) =>
    isKennelError(value) ? value.message : value,
  );
  expect(told).not.toContain('hush');
});
