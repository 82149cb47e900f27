import { describe, expect, it, test } from 'vitest';
import { ytDlpFailure } from '../../../src/intake/ytDlpFailure.ts';

const NOW = Date.UTC(2026, 10, 21);
const BUG =
  '; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue template. Confirm you are on the latest version using  yt-dlp -U';
const failure = (stderr: string, more: Partial<Parameters<typeof ytDlpFailure>[0]> = {}) =>
  ytDlpFailure({ stderr, version: '2026.11.01', now: NOW, refused: [], ...more });

/** What yt-dlp 2023.03.04 to 2026 print, most of it word for word from its extractors. */
describe('messages of yt-dlp mean', () => {
  it.each([
    ['ERROR: [twitch:stream] shroud: The channel is not currently live', 'source.notLive'],
    ['ERROR: [youtube] abc: This live event will begin in 2 days.', 'source.notLive'],
    ['ERROR: [youtube] abc: This live event will begin in a few moments.', 'source.notLive'],
    ['ERROR: [youtube] abc: Premieres in 6 hours', 'source.notLive'],
    ['ERROR: [youtube] abc: Premiere will begin shortly', 'source.notLive'],
    ['ERROR: [twitch:stream] abc is offline', 'source.notLive'],
    ['ERROR: [chaturbate] abc: Room is currently offline', 'source.notLive'],
    ['ERROR: [bilibili] 1: Streamer is not live', 'source.notLive'],
    ['ERROR: [huya] 1: This stream is not live', 'source.notLive'],
    ['ERROR: [peloton] 1: Ride has not started', 'source.notLive'],
    ['ERROR: [x] 1: This event has not started yet.', 'source.notLive'],
    ['ERROR: [twitter:spaces] 1: Twitter Space not started yet', 'source.notLive'],
    ['ERROR: [generic] x: MainStreaming said: Live event is OFFLINE', 'source.notLive'],
    [
      `ERROR: [rutube] f7: There is still time 2026-04-19T10:00:00 left before the broadcast starts${BUG}`,
      'source.notLive',
    ],
    [
      'ERROR: [generic] x: This video is only available for registered users. Use --username and --password or --netrc to provide account credentials',
      'source.login',
    ],
    [
      'ERROR: [youtube] abc: Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.',
      'source.login',
    ],
    [
      "ERROR: [youtube] abc: Private video. Sign in if you've been granted access to this video",
      'source.login',
    ],
    [
      'ERROR: [youtube] abc: Join this channel to get access to members-only content like this video',
      'source.login',
    ],
    ['ERROR: [vk] 1: This video is private', 'source.login'],
    [
      `ERROR: [generic] None: Unable to download webpage: HTTP Error 401: Unauthorized (caused by <HTTPError 401: 'Unauthorized'>)${BUG}`,
      'source.login',
    ],
    [
      'ERROR: [youtube] abc: The uploader has not made this video available in your country',
      'source.geo',
    ],
    [
      'ERROR: [rai] 1: This video is not available from your location due to geo restriction',
      'source.geo',
    ],
    ['ERROR: [x] 1: Geo-blocked outside PL', 'source.geo'],
    ['ERROR: [hulu] 1: This video is DRM protected', 'source.encrypted'],
    [
      'ERROR: [DRM] The requested site is known to use DRM protection. It will NOT be supported.',
      'source.encrypted',
    ],
    ['ERROR: Unsupported URL: http://a.test/is-offline', 'source.unsupported'],
    ['ERROR: [youtube] abc: No video formats found!', 'source.unsupported'],
    ['ERROR: [twitter] 1: No video could be found in this tweet', 'source.unsupported'],
    [
      `ERROR: [generic] None: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: 'Not Found'>)${BUG}`,
      'source.notFound',
    ],
    ['ERROR: [youtube] abc: Video unavailable', 'source.notFound'],
    ['ERROR: [youtube] abc: This live event has ended.', 'source.notFound'],
    [
      `ERROR: [generic] None: Unable to download webpage: HTTP Error 403: Forbidden (caused by <HTTPError 403: 'Forbidden'>)${BUG}`,
      'source.refused',
    ],
    [
      'ERROR: [generic] Got HTTP Error 403 caused by Cloudflare anti-bot challenge',
      'source.refused',
    ],
    [
      'ERROR: [generic] x: Requested format is not available. Use --list-formats for a list of available formats',
      'quality.notFound',
    ],
    [
      "ERROR: [generic] None: Unable to download webpage: <urlopen error [Errno -2] Name or service not known> (caused by URLError(gaierror(-2, 'Name or service not known')))",
      'source.unavailable',
    ],
    [
      "ERROR: [generic] Unable to download webpage: [Errno 111] Connection refused (caused by TransportError('...'))",
      'source.unavailable',
    ],
    [
      'ERROR: [generic] None: Unable to download webpage: The read operation timed out',
      'source.unavailable',
    ],
    [
      'ERROR: [generic] None: Unable to download webpage: HTTP Error 429: Too Many Requests',
      'source.unavailable',
    ],
    [
      'ERROR: [generic] None: Unable to download webpage: HTTP Error 502: Bad Gateway',
      'source.unavailable',
    ],
  ])('%s', (stderr, code) => {
    const error = failure(`WARNING: something\n${stderr}\n`);
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/please report|\(caused by|^ERROR|\[generic\]/);
  });
});

test.each([
  'ERROR: [x] 1: <urlopen error Tunnel connection failed: 403 Forbidden>',
  'ERROR: Unsupported URL: http://page.example/show',
  'ERROR: [x] 1: This video is only available for registered users. Use --cookies',
  'ERROR: [x] 1: This video is not available from your location due to geo restriction',
  'Killed',
])('what the gate refused comes before what yt-dlp makes of it: %s', (stderr) => {
  const found = failure(stderr, { refused: ['10.0.0.5:80', '[fd00::1]:443'] });
  expect(found).toMatchObject({ code: 'address.refused', retryable: false });
  expect(found.message).toContain('--allow 10.0.0.5:80 --allow [fd00::1]:443');
});

test('what steers a terminal is no part of its words', () => {
  const found = failure(
    'ERROR: [x] 1: \u001b[31mThis video\u001b[0m is offline\u0007 now \u0000\u001b[2J',
  );
  expect(found).toMatchObject({ code: 'source.notLive' });
  expect(found.message).toMatch(/^This video is offline now\. /);
});

test('an extractor that fails is out of date when it is old, and has failed when it is not', () => {
  const stderr = `ERROR: [youtube] abc: Unable to extract uploader id${BUG}`;
  const old = failure(stderr, { version: '2023.03.04' });
  expect(old).toMatchObject({ code: 'tool.outdated', retryable: false });
  expect(old.message).toMatch(/2023\.03\.04 is \d+ days old/);
  expect(failure(stderr)).toMatchObject({ code: 'tool.failed', retryable: true });
  expect(failure(stderr, { version: 'master' }).code).toBe('tool.failed');
});

test('a traceback, an end by a signal and silence are failures that may pass', () => {
  const traceback = 'Traceback (most recent call last):\n  File "x"\nKeyError: \'login\'\n';
  expect(failure(traceback)).toMatchObject({ code: 'tool.failed', retryable: true });
  expect(failure('', { broken: 'it was ended by SIGKILL' }).message).toContain('SIGKILL');
  expect(failure('').message).toContain('it said nothing');
});

test('what may be secret in links is not told', () => {
  const { message } = failure('ERROR: Unsupported URL: https://me:pw@a.test/x?token=hush');
  expect(message).toContain('https://a.test/x');
  expect(message).not.toMatch(/hush|pw@/);
});
