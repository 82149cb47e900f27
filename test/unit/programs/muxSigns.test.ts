import { expect, it } from 'vitest';
import { type MuxLook, muxSign } from '../../../src/programs/muxSigns.ts';

const look = (seen: Partial<MuxLook>) =>
  muxSign({ files: [], filesBefore: [], commandLines: [], saysMuxing: false, ...seen });

it('sees nothing in what a download looks like', () => {
  const files = [
    'a.mp4.part',
    'a.mp4.ytdl',
    'a.mp4.part-Frag12',
    'a.mp4.part-Frag12.part',
    'cookies.txt',
  ];
  const fetching = [
    '/usr/bin/ffmpeg',
    '-y',
    '-i',
    'https://host/live.m3u8',
    '-f',
    'mpegts',
    'file:a.mp4.part',
  ];
  expect(
    look({ files, filesBefore: files, commandLines: [fetching, ['yt-dlp', '-i', 'file:x']] }),
  ).toBe(undefined);
});

it('hears a program that says it', () => {
  expect(look({ saysMuxing: true })).toEqual({ sign: 'said', file: '' });
});

it('knows an ffmpeg that reads a local file', () => {
  const muxing = [
    '/opt/ffmpeg-7/bin/ffmpeg',
    '-y',
    '-i',
    'file:a.mp4',
    '-c',
    'copy',
    'file:a.temp.mp4',
  ];
  expect(look({ commandLines: [['yt-dlp'], muxing] })).toEqual({ sign: 'process', file: 'a.mp4' });
});

it('knows a file that is being muxed by its name', () => {
  expect(look({ files: ['a.mp4', 'a.temp.mp4'] })).toEqual({ sign: 'temp', file: 'a.temp.mp4' });
});

it('knows two formats of one name that will be merged, finished or not', () => {
  const files = ['My.talk.f137.mp4.part', 'My.talk.f140.m4a'];
  expect(look({ files })).toEqual({ sign: 'formats', file: 'My.talk.f140.m4a' });
  expect(look({ files: ['a.f137.mp4.part', 'b.f140.m4a', 'a.f137.mp4.ytdl'] })).toBe(undefined);
});

it('knows sound that was taken out of a picture beside it', () => {
  expect(look({ files: ['a.mp4', 'a.mp3'] })).toEqual({ sign: 'extracted', file: 'a.mp3' });
  expect(look({ files: ['a.mp3'] })).toBe(undefined);
});

it('knows a download that was given its last name', () => {
  const seen = { filesBefore: ['a.ts.part'], files: ['a.ts'] };
  expect(look(seen)).toEqual({ sign: 'part.vanished', file: 'a.ts' });
  expect(look({ filesBefore: ['a.ts.part-Frag3'], files: ['a.ts.part'] })).toBe(undefined);
});
