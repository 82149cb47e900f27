import { describe, expect, it, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import type { ResolvedLink, ResolveOptions } from '../../../src/intake/link.ts';
import { ytDlpAnswer } from '../../../src/intake/ytDlpAnswer.ts';

const NOW = 1_700_000_000_000;
const link = new URL('https://page.test/watch?v=1');
type Wishes = Partial<Pick<ResolveOptions, 'quality' | 'format' | 'audioOnly'>>;
const answer = (info: unknown, wishes: Wishes = {}) => {
  const text = typeof info === 'string' ? info : JSON.stringify(info);
  const options = {
    link,
    resolver: 'yt-dlp 1',
    now: NOW,
    wishes: { quality: ['best'], ...wishes },
  };
  return ytDlpAnswer(text, options);
};
const found = (info: unknown, wishes: Wishes = {}): ResolvedLink => {
  const one = answer(info, wishes);
  if ('onward' in one) throw new Error('it leads on');
  return one;
};
const codeOf = (info: unknown, wishes: Wishes = {}) => {
  try {
    answer(info, wishes);
  } catch (error) {
    return isKennelError(error) ? error.code : error;
  }
  return 'nothing';
};

const hls = (id: string, more: object = {}) => ({
  format_id: id,
  url: `https://cdn.test/${id}.m3u8?expire=1700003600`,
  manifest_url: 'https://cdn.test/master.m3u8?expire=1700007200',
  protocol: 'm3u8_native',
  height: 720,
  width: 1280,
  vcodec: 'avc1',
  acodec: 'mp4a',
  ...more,
});
const web = (id: string, more: object = {}) => ({
  format_id: id,
  url: `https://cdn.test/${id}.mp4`,
  protocol: 'https',
  height: 1080,
  width: 1920,
  vcodec: 'avc1',
  acodec: 'mp4a',
  ...more,
});

describe('what is recorded', () => {
  it('is the master playlist, good until it says itself', () => {
    const { kind, url, expiresAt } = found(hls('a'));
    expect([kind, url.pathname, expiresAt]).toEqual(['hls', '/master.m3u8', 1_700_007_200_000]);
  });

  it('is the playlist of one format where just that was asked for, or nothing but its sound', () => {
    expect(found(hls('a'), { format: 'a' }).url.pathname).toBe('/a.m3u8');
    const sound = hls('s', { vcodec: 'none' });
    expect(found(sound, { audioOnly: true }).url.pathname).toBe('/s.m3u8');
    expect(found(sound).url.pathname).toBe('/master.m3u8');
  });

  it('is the master of picture and sound that are apart', () => {
    const parts = [hls('v', { acodec: 'none' }), hls('s', { vcodec: 'none' })];
    expect(found({ requested_formats: parts }).url.pathname).toBe('/master.m3u8');
  });

  it('is left to yt-dlp where just this picture and this sound were asked for, or have no master', () => {
    const parts = [hls('v', { acodec: 'none' }), hls('s', { vcodec: 'none' })];
    const named = found({ requested_formats: parts }, { format: 'v+s' });
    expect([named.kind, named.url.href, named.audioUrl]).toEqual(['page', link.href, undefined]);
    const apart = parts.map((part) => ({ ...part, manifest_url: null }));
    expect(found({ requested_formats: apart }).kind).toBe('page');
  });

  it('is no playlist that is not of the web', () => {
    expect(codeOf(hls('a', { url: 'file:///etc/x.m3u8' }))).toBe('source.unsupported');
  });

  it('is HLS wherever a live broadcast has it, and what was chosen where it is a film', () => {
    const both = { ...web('best'), formats: [hls('a'), web('best')] };
    expect(found({ ...both, is_live: true })).toMatchObject({ kind: 'hls', isLive: true });
    expect(found({ ...both, is_live: false, duration: 9.5 })).toMatchObject({
      kind: 'file',
      isLive: false,
      durationMs: 9_500,
    });
    expect(found({ ...both, is_live: true }, { format: 'best' }).kind).toBe('file');
  });

  it('is a file with its sound beside it', () => {
    const parts = [web('v', { acodec: 'none' }), web('s', { vcodec: 'none' })];
    const { kind, url, audioUrl } = found({ requested_formats: parts });
    expect([kind, url.pathname, audioUrl?.pathname]).toEqual(['file', '/v.mp4', '/s.mp4']);
  });

  it.each([
    [
      'a DASH manifest',
      { protocol: 'http_dash_segments', manifest_url: 'https://cdn.test/a.mpd' },
      'dash',
      '/a.mpd',
    ],
    [
      'DASH that only yt-dlp can put together',
      { protocol: 'http_dash_segments' },
      'page',
      '/watch',
    ],
    ['RTMP', { protocol: 'rtmp', url: 'rtmp://cdn.test/app/x' }, 'rtmp', '/app/x'],
    [
      'RTMP with a path of its own',
      { protocol: 'rtmp', url: 'rtmp://cdn.test/app', play_path: 'x' },
      'page',
      '/watch',
    ],
    [
      'a protocol of a site',
      { protocol: 'websocket_frag', url: 'wss://cdn.test/x' },
      'page',
      '/watch',
    ],
    ['a file of this machine', { protocol: 'https', url: 'file:///etc/passwd' }, 'page', '/watch'],
  ])('is %s', (_name, format, ...told) => {
    const resolved = found({ ...web('x'), ...format });
    expect([resolved.kind, resolved.url.pathname]).toEqual(told);
  });
});

test('headers that are nobody else’s to set are taken over', () => {
  const http_headers = {
    Referer: 'https://page.test/',
    Cookie: 'a=b',
    Host: 'x',
    Range: 'y',
    'Bad\r\n': 'z',
    Evil: 'a\r\nb',
  };
  expect(found({ ...hls('a'), http_headers }).headers).toEqual({ Referer: 'https://page.test/' });
});

test('titles are made fit to be printed', () => {
  const { title } = found({ ...hls('a'), title: `a\u001b[31m\n${'x'.repeat(999)}`, uploader: 7 });
  expect(title).toMatch(/^a \[31m x+$/);
  expect(title?.length).toBe(300);
  const odd = found({ ...hls('a'), title: `\0../../etc/\ud800 ${'😀'.repeat(200)}` });
  expect(odd.title).toMatch(/^\.\.\/\.\.\/etc\/\ufffd 😀/);
  expect(odd.title?.isWellFormed()).toBe(true);
});

describe('a refusal', () => {
  it.each([
    ['of what is no JSON', 'oops', 'tool.failed'],
    ['of null', 'null', 'tool.failed'],
    ['of what has no media', {}, 'source.unsupported'],
    ['of an empty list', { _type: 'playlist', entries: [] }, 'source.unsupported'],
    ['of a list', { _type: 'playlist', entries: [hls('a'), hls('b')] }, 'source.list'],
    [
      'of a list that was cut',
      { _type: 'playlist', playlist_count: 9, entries: [hls('a')] },
      'source.list',
    ],
    ['of what has not begun', { ...hls('a'), live_status: 'is_upcoming' }, 'source.notLive'],
    ['of DRM', { ...hls('a'), formats: [hls('a', { has_drm: true })] }, 'source.encrypted'],
    ['of what leads to a file', { _type: 'url', url: 'file:///etc/passwd' }, 'source.unsupported'],
  ])('%s', (_name, info, code) => {
    expect(codeOf(info)).toBe(code);
  });

  it('of a quality that is not there, unless the native engine chooses', () => {
    const wishes = { quality: ['720p'] };
    const film = { ...web('x'), formats: [web('x')] };
    expect(codeOf(film, wishes)).toBe('quality.notFound');
    expect(codeOf(film, { quality: ['720p', 'best'] })).toBe('nothing');
    expect(codeOf(film, { quality: ['1080p'] })).toBe('nothing');
    expect(codeOf(hls('a', { height: 360 }), wishes)).toBe('nothing');
  });
});

test('a list of one is that one, and a page that leads to another is asked there', () => {
  const one = found({ _type: 'playlist', title: 'All', entries: [{ ...hls('a'), title: 'Only' }] });
  expect(one).toMatchObject({ kind: 'hls', title: 'Only' });
  expect(
    answer({ _type: 'playlist', entries: [{ _type: 'url', url: 'https://b.test/x' }] }),
  ).toEqual({
    onward: new URL('https://b.test/x'),
  });
});
