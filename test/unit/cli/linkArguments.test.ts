import { expect, test } from 'vitest';
import { linkArguments } from '../../../src/cli/linkArguments.ts';

const link = 'https://x.example/live.m3u8';

test.each([
  [
    ['record', '--audio', link],
    ['record', link, '--audio'],
  ],
  [
    ['record', '--wait', link, '720p', '-q'],
    ['record', link, '720p', '-q', '--wait'],
  ],
  [
    ['record', '--wait', '--audio', 'RTMP://x.example/a', '--', 'best'],
    ['record', '--wait', 'RTMP://x.example/a', '--audio', '--', 'best'],
  ],
])('a link is not taken for the value of an option that stands before it: %j', (given, meant) => {
  expect(linkArguments(given)).toEqual(meant);
});

test.each([
  [['record', link, '--audio', 'en,de']],
  [['record', '--audio', 'en', link]],
  [['record', '--wait', '5m', link]],
  [['record', '--fallback', link, link]],
  [['record', '--audio', '--', link]],
  [['record', '--', '--audio', link]],
  [[]],
])('other arguments stay as they are: %j', (given) => {
  expect(linkArguments(given)).toEqual(given);
});
