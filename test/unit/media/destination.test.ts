import { expect, test } from 'vitest';
import { plainWithoutSecrets, withoutSecrets } from '../../../src/core/withoutSecrets.ts';
import { keyFor, nameForTry, placeOf } from '../../../src/media/destination.ts';
import { JOB_ID, STARTED_AT } from './recording.ts';

const job = { id: JOB_ID, startedAt: STARTED_AT };

test.each([
  ['/films/a.mp4', { root: '/films', name: 'a' }],
  ['/films/a.TS', { root: '/films', name: 'a' }],
  ['/films/a.b', { root: '/films', name: 'a.b' }],
  ['/films/', { root: '/films', name: '20260301T120000Z-0000cafe' }],
])('output %s goes to the right place', (output, place) => {
  expect(placeOf(output, job)).toMatchObject(place);
});

test('each file has a key that follows from the name alone', () => {
  const files = [
    'run-1.mp4',
    'run-2.mp4',
    'run-1.m4a',
    'poster.jpg',
    'sprite.jpg',
    'manifest.json',
  ];
  expect(files.map((file) => keyFor(nameForTry('a', 1), file))).toEqual([
    'a.mp4',
    'a-2.mp4',
    'a.m4a',
    'a.jpg',
    'a.sprite.jpg',
    'a.manifest.json',
  ]);
  expect(keyFor(nameForTry('a', 2), 'run-2.mp4')).toBe('a (2)-2.mp4');
});

test.each([
  ['https://u:p@h.example/a/b.m3u8?t=1#x', 'https://h.example/a/b.m3u8'],
  ['GET https://h/a?t=1 failed, then http://i:8/?u=2', 'GET https://h/a failed, then http://i:8/'],
  ['rtmp://user@h/live', 'rtmp://h/live'],
  ['no link? none', 'no link? none'],
])('secrets are taken out of %s', (text, clean) => {
  expect(withoutSecrets(text)).toBe(clean);
});

test('secrets are taken out of nested facts', () => {
  expect(plainWithoutSecrets({ a: ['http://h/?s', 1, null], b: { c: 'x' } })).toEqual({
    a: ['http://h/', 1, null],
    b: { c: 'x' },
  });
});
