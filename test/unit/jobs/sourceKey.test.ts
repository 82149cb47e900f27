import { expect, test } from 'vitest';
import { costKey } from '../../../src/jobs/costKey.ts';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import { sourceKey } from '../../../src/jobs/sourceKey.ts';

const LINK = 'https://cdn.example.org/live.m3u8';
const keyOf = (request: Partial<Parameters<typeof jobSpec>[0]>) =>
  sourceKey(jobSpec({ url: LINK, ...request }));

test('the same link and wishes are the same source, whatever the way to it and wherever the file goes', () => {
  const key = keyOf({});
  expect(keyOf({ url: 'HTTPS://cdn.example.org:443/live.m3u8' })).toBe(key);
  expect(keyOf({ output: '/elsewhere/', headers: { A: 'b' }, durationMs: 5 })).toBe(key);
  expect(keyOf({ fallbacks: ['https://other.example.org/live.m3u8'] })).toBe(key);
});

test.each([
  { url: 'https://cdn.example.org/other.m3u8' },
  { quality: '720p' },
  { audio: 'de' },
  { audioOnly: true },
  { recorder: 'ffmpeg' },
])('%o makes another source', (other) => {
  expect(keyOf(other)).not.toBe(keyOf({}));
});

test.each([
  [{}, 'hls|cdn.example.org|best'],
  [{ quality: '720p,best' }, 'hls|cdn.example.org|720p'],
  [{ audioOnly: true }, 'hls|cdn.example.org|sound'],
  [{ recorder: 'ffmpeg' }, 'ffmpeg|cdn.example.org|best'],
  [{ url: 'https://example.org/watch?v=1' }, 'page|example.org|best'],
  [{ url: 'rtmp://example.org/app/key' }, 'rtmp|example.org|best'],
])('the cost of %o is learnt as %s', (request, key) => {
  expect(costKey(jobSpec({ url: LINK, ...request }))).toBe(key);
});
