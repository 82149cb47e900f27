import { expect, it, test } from 'vitest';
import { linkKind } from '../../../src/intake/linkKind.ts';

it.each([
  ['https://a.test/live.m3u8', 'hls'],
  ['https://a.test/live.M3U8?token=a.mpd', 'hls'],
  ['https://a.test/live.m3u', 'hls'],
  ['https://a.test/chan.isml/manifest(format=m3u8-aapl)', 'hls'],
  ['https://a.test/chan.isml/Manifest(format=m3u8-cmaf,filter=x)', 'hls'],
  ['https://a.test/chan.isml/manifest%28format%3Dm3u8-aapl%29', 'hls'],
  ['https://a.test/manifest?format=m3u8-aapl&x=1', 'hls'],
  ['https://a.test/live.mpd?x', 'dash'],
  ['https://a.test/chan.isml/manifest(format=mpd-time-csf)', 'dash'],
  ['rtmp://a.test/app/key', 'rtmp'],
  ['rtmps://a.test/app/key', 'rtmp'],
  ['rtmpt://a.test/app/key', 'rtmp'],
  ['rtsp://a.test/cam', 'rtsp'],
  ['rtsps://a.test/cam', 'rtsp'],
  ['srt://a.test:9000?streamid=x', 'srt'],
  ['http://a.test/live.ts', 'file'],
  ['http://a.test/radio.mp3', 'file'],
  ['https://a.test/v.mp4?x=live.m3u8', 'file'],
  ['https://a.test/watch?v=live.mp4', 'page'],
  ['https://a.test/watch?u=https://b.test/x.m3u8', 'page'],
  ['https://a.test/what-is.m3u8/', 'page'],
  ['https://a.test/how-to-play-m3u8', 'page'],
  ['https://a.test/name%3f.m3u8', 'hls'],
  ['https://a.test/%E0%A4%A.m3u8', 'hls'],
  ['https://a.test/', 'page'],
] as const)('%s is taken for %s', (link, kind) => {
  expect(linkKind(new URL(link))).toBe(kind);
});

test('a link that nothing records is refused with those that are', () => {
  for (const link of ['file:///etc/passwd', 'ftp://a.test/x', 'javascript:alert(1)', 'ytsearch:a'])
    expect(() => linkKind(new URL(link))).toThrow(/http, https, rtmp, rtsp or srt/);
});
