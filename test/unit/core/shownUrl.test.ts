import { expect, test } from 'vitest';
import { shownUrl } from '../../../src/core/shownUrl.ts';

test('what tells one video from another stays', () => {
  expect(shownUrl('https://example.org/watch?v=dQw4w9WgXcQ&t=10')).toBe(
    'https://example.org/watch?v=dQw4w9WgXcQ&t=10',
  );
});

test.each([
  ['https://user:pass@example.org/live.m3u8', 'https://example.org/live.m3u8'],
  ['https://example.org/a.m3u8?token=abc&q=1', 'https://example.org/a.m3u8?token=***&q=1'],
  [
    'https://example.org/a.m3u8?X-Amz-Signature=abc',
    'https://example.org/a.m3u8?X-Amz-Signature=***',
  ],
  [`https://example.org/a?x=${'0123456789'.repeat(5)}`, 'https://example.org/a?x=***'],
  ['https://example.org/a#access=1', 'https://example.org/a'],
  ['rtmp://user:pass@example.org/app/stream', 'rtmp://example.org/app/stream'],
  ['not a link with a secret', '***'],
])('%s is shown as %s', (given, shown) => {
  expect(shownUrl(given)).toBe(shown);
});
