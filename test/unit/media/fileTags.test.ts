import { expect, test } from 'vitest';
import { fileTags } from '../../../src/media/fileTags.ts';
import { recordingAbout } from '../../../src/media/recordingAbout.ts';
import { jobIn } from './finishing.ts';

const job = jobIn('/w');

test('a file is named after its broadcast, and after itself where nobody said a title', () => {
  const about = { title: 'Übertragung', uploader: 'ARD', page: 'https://a.example/live' };
  expect(fileTags(about, 'film')).toEqual({
    title: 'Übertragung',
    artist: 'ARD',
    comment: 'https://a.example/live',
  });
  expect(fileTags({}, 'film')).toEqual({ title: 'film' });
});

test('tags hold no control characters, no turned writing, no halves of characters and no novels', () => {
  const { title = '' } = fileTags({ title: 'a\0b\n\u202Egpj.exe\u2069' }, 'film');
  expect(title).toBe('a b gpj.exe');
  const { title: long = '' } = fileTags({ title: `${'x'.repeat(299)}🎬 and on` }, 'film');
  expect(long).toBe('x'.repeat(299));
  expect(fileTags({ title: '\n\u0007' }, 'film')).toEqual({});
});

test('what is known of a recording is taken from what its recorder told, without secrets', () => {
  const source = {
    title: 'Live at https://u:p@b.example/x?token=secret',
    uploader: 7,
    recorder: 'ffmpeg',
    version: '5.1',
    resolver: 'yt-dlp',
    page: 'https://a.example/watch?token=secret',
  };
  expect(recordingAbout({ source }, job)).toEqual({
    title: 'Live at https://b.example/x',
    page: 'https://a.example/watch',
    resolver: 'yt-dlp',
    recorder: { name: 'ffmpeg', version: '5.1' },
  });
  expect(recordingAbout({ source: undefined }, job)).toEqual({});
});

test('where a resolver was asked and the recorder tells no page, the job tells it', () => {
  expect(recordingAbout({ source: { resolver: 'yt-dlp' } }, job).page).toBe(
    'https://live.example/a/index.m3u8',
  );
});
