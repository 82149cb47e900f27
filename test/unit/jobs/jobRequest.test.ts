import { describe, expect, it, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import { addressRules } from '../../../src/egress/addressRules.ts';
import { type JobRequest, jobSpec } from '../../../src/jobs/jobRequest.ts';

const url = 'https://origin.example/live.m3u8';
const other = 'https://backup.example/live.m3u8';
const spec = (request: Partial<JobRequest> = {}) =>
  jobSpec({ url, output: '/tmp/a.mp4', ...request });

function refusal(request: Partial<JobRequest>) {
  try {
    spec(request);
  } catch (error) {
    if (isKennelError(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('a link alone is enough, and says nothing that was not asked for', () => {
  expect(spec()).toEqual({
    url,
    quality: ['best'],
    reach: ['origin.example:443'],
    waitMs: 0,
    patienceMs: 120_000,
    output: '/tmp/a.mp4',
    keepSegments: false,
  });
});

test('sources, renditions and proxy are taken over', () => {
  const request = {
    fallbacks: [other],
    dual: true,
    proxy: 'http://me:secret@proxy:3128',
    audio: 'en, Director',
    subtitles: 'none',
  };
  expect(spec(request)).toMatchObject({
    url,
    fallbacks: [other],
    dual: true,
    proxy: 'http://me:secret@proxy:3128',
    audio: ['en', 'Director'],
    subtitles: ['none'],
  });
});

describe('a request is refused with one clear error', () => {
  it.each([
    [
      'sound alone and a language of it',
      { audioOnly: true, audio: 'en' },
      ['usage.invalid', 'sound'],
    ],
    ['sound alone and words', { audioOnly: true, subtitles: 'en' }, ['usage.invalid', 'sound']],
    ['an output that is empty', { output: '' }, ['usage.invalid', 'output']],
    ['a fallback that is no link', { fallbacks: ['backup'] }, ['url.invalid', 'backup']],
    ['a fallback of another kind', { fallbacks: ['rtmp://x/y'] }, ['url.invalid', 'rtmp://x/y']],
    ['the same link twice', { fallbacks: [url] }, ['usage.invalid', 'another link']],
    [
      'more links than one stream has',
      { fallbacks: Array.from({ length: 8 }, (_, index) => `${other}?${index}`) },
      ['usage.invalid', '8 links'],
    ],
    ['dual recording of one link', { dual: true }, ['usage.invalid', 'second link']],
    ['an empty audio wish', { audio: 'en,,de' }, ['usage.invalid', 'en,de']],
    ['all audio and one of it', { audio: 'all,en' }, ['usage.invalid', 'all']],
    ['an empty subtitle wish', { subtitles: '' }, ['usage.invalid', 'subtitles']],
    ['no subtitles and some', { subtitles: 'none,en' }, ['usage.invalid', 'none']],
    ['a proxy that is no link', { proxy: 'proxy:3128:x' }, ['usage.invalid', 'proxy']],
    ['an empty quality', { quality: '720p,' }, ['usage.invalid', '720p,best']],
    ['a duration of nothing', { durationMs: 0 }, ['usage.invalid', 'duration']],
    ['a link that nothing records', { url: 'ftp://x/y' }, ['url.invalid', 'rtmp']],
    ['a link without a host', { url: 'rtmp:///x' }, ['url.invalid', 'host']],
    ['a line end in a link', { url: `${url}\n--exec=x` }, ['url.invalid', 'control']],
    ['a NUL in the quality', { quality: '720p\0' }, ['usage.invalid', 'quality']],
    ['a line end in the format', { format: 'b\n--exec x' }, ['usage.invalid', 'format']],
    ['half a character', { output: '/tmp/\ud800' }, ['usage.invalid', 'output']],
    ['a line end in an allowed address', { allow: ['a.lan\r'] }, ['usage.invalid', 'allowed']],
    ['a line end in a header', { headers: { a: 'b\nc: d' } }, ['usage.invalid', 'header']],
    ['a link of a megabyte', { url: url + 'x'.repeat(1e6) }, ['url.invalid', 'longer']],
    ['an address that is none', { allow: ['10.0.0.0/99'] }, ['usage.invalid', '10.0.0.0/99']],
    [
      'fallbacks of what has none',
      { url: 'rtmp://x/y', fallbacks: [other] },
      ['url.invalid', 'rtmp://x/y'],
    ],
    ['a recorder that is an option', { recorder: '--exec' }, ['usage.invalid', 'doctor']],
    [
      'the native recorder for RTMP',
      { url: 'rtmp://x/y', recorder: 'native' },
      ['usage.invalid', 'native'],
    ],
    ['an empty format', { format: ' ' }, ['usage.invalid', 'format']],
    ['cookies that are JSON', { cookies: '[{"name":"a"}]' }, ['usage.invalid', 'Netscape']],
    ['cookies with a broken line', { cookies: '# x\n\na.test\tTRUE' }, ['usage.invalid', 'Line 3']],
    ['a bandwidth of nothing', { bytesPerSecondMax: 0 }, ['usage.invalid', 'bandwidth']],
    ['a patience of nothing', { watch: { staleMs: 0 } }, ['usage.invalid', 'media']],
    ['a header that is none', { headers: { 'a b': 'c' } }, ['usage.invalid', 'a b']],
  ] as const)('%s', (_name, request, told) => {
    const { code, message } = refusal(request);
    expect(`${code}: ${message}`).toContain(told[0]);
    expect(message).toContain(told[1]);
  });

  it('and a proxy of a kind that cannot be used is not told with its password', () => {
    expect(refusal({ proxy: 'socks5://me:secret@proxy:1080' }).message).not.toContain('secret');
  });
});

test('links of every kind are taken, and what they name may be reached', () => {
  for (const link of ['rtmp://10.0.0.5/app/key', 'rtsp://cam.lan/1', 'srt://10.0.0.5:9000'])
    expect(spec({ url: link }).url).toBe(link);
  expect(
    spec({
      url: 'http://127.0.0.1:8000/x',
      fallbacks: ['http://10.0.0.5/x'],
      proxy: 'http://me:secret@proxy.lan:3128',
      allow: ['10.1.0.0/16', ' cam.lan:554 '],
    }).reach,
  ).toEqual([
    ...['127.0.0.1:8000', '10.0.0.5:80', '10.0.0.5:443', 'proxy.lan:3128'],
    ...['10.1.0.0/16', 'cam.lan:554'],
  ]);
  expect(spec({ url: 'https://93.184.215.14/x.m3u8' }).reach).toBeUndefined();
});

test('an http link may send on to https at its host, and nothing else may be reached for that', () => {
  const reachOf = (link: string, proxy?: string) =>
    spec({ url: link, ...(proxy && { proxy }) }).reach;
  expect(reachOf('http://cam.lan/x')).toEqual(['cam.lan:80', 'cam.lan:443']);
  expect(reachOf('http://cam.lan:80/x')).toEqual(['cam.lan:80', 'cam.lan:443']);
  expect(reachOf('http://[::1]/x')).toEqual(['[::1]:80', '[::1]:443']);
  expect(reachOf('http://cam.lan:8080/x')).toEqual(['cam.lan:8080']);
  expect(reachOf('http://cam.lan:443/x')).toEqual(['cam.lan:443']);
  expect(reachOf('https://cam.lan/x')).toEqual(['cam.lan:443']);
  expect(reachOf('rtmp://cam.lan/x')).toEqual(['cam.lan:1935']);
  expect(reachOf('https://1.1.1.1/x', 'http://proxy.lan/')).toEqual(['proxy.lan:80']);

  const rules = addressRules(reachOf('http://cam.lan/x') ?? []);
  const permits = (host: string, port: number) =>
    rules.permits({ host, address: '10.0.0.5', port });
  expect(permits('cam.lan', 443)).toBe(true);
  expect([permits('cam.lan', 8443), permits('other.lan', 443)]).toEqual([false, false]);
});

test('what programs are told is taken over', () => {
  const request = {
    recorder: 'yt-dlp',
    format: 'bv*[height<=720]+ba',
    audioOnly: true,
    cookies: '.a.test\tTRUE\t/\tTRUE\t0\tsid\tabc\n',
    bytesPerSecondMax: 2_500_000,
    watch: { firstMediaMs: 30_000 },
  };
  expect(spec(request)).toMatchObject(request);
});

test('an end by the time of day is a date of this age', () => {
  const endAt = Date.UTC(2026, 10, 21, 20, 15);
  expect(jobSpec({ url: 'http://a/b.m3u8', endAt })).toMatchObject({ endAt });
  for (const wrong of [endAt / 1_000, 3_600_000, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => jobSpec({ url: 'http://a/b.m3u8', endAt: wrong })).toThrow(/The end is a date/);
});
