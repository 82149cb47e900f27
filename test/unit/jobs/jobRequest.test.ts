import { describe, expect, it, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
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
