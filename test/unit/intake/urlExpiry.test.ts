import { describe, expect, it } from 'vitest';
import { renewalAt, urlExpiry } from '../../../src/intake/urlExpiry.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const later = now + 3_600_000;
const seconds = later / 1_000;
const expiryOf = (reference: string, headers: Record<string, string> = {}) =>
  urlExpiry(new URL(reference, 'https://cdn.example/live/a/index.m3u8'), { now, headers });
const jsonWebToken = (claims: unknown) =>
  ['{"alg":"HS256"}', JSON.stringify(claims), 'signature-of-it']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const cloudFront = (policy: unknown) =>
  Buffer.from(JSON.stringify(policy))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('=', '_')
    .replaceAll('/', '~');

describe('when an address expires', () => {
  const policy = {
    Statement: [{ Condition: { DateLessThan: { 'AWS:EpochTime': seconds } } }],
  };
  it.each([
    ['a parameter in seconds', `?exp=${seconds}`],
    ['a parameter in milliseconds', `?expires=${later}`],
    ['Amazon and CloudFront, the old way', `?Expires=${seconds}&Signature=x&Key-Pair-Id=y`],
    ['nginx secure links', `?md5=abc&e=${seconds}`],
    ['Akamai', `?hdnts=st=1~exp=${seconds}~acl=/*~hmac=0a`],
    ['Akamai, encoded', `?hdnea=${encodeURIComponent(`exp=${seconds}~acl=/*~hmac=0a`)}`],
    ['Akamai, in the path', `/exp=${seconds}~acl=%2f*~hmac=0a/index.m3u8`],
    ['Amazon, signature version 4', '?X-Amz-Date=20261121T120000Z&X-Amz-Expires=3600'],
    ['Google, signature version 4', '?X-Goog-Date=20261121T120000Z&X-Goog-Expires=3600'],
    ['Azure', '?se=2026-11-21T13%3A00%3A00Z&sig=x'],
    ['Wowza', `?wowzatokenendtime=${seconds}&wowzatokenhash=x`],
    ['a JSON Web Token', `?token=${jsonWebToken({ sub: 'me', exp: seconds })}`],
    ['a JSON object', `?token=${encodeURIComponent(`{"channel":"a","expires":${seconds}}`)}`],
    ['a pair in the path', `/hls/expire/${seconds}/itag/95/index.m3u8`],
    ['a CloudFront policy', `?Policy=${cloudFront(policy)}&Signature=x`],
  ])('is read from %s', (_name, reference) => {
    expect(expiryOf(reference)).toBe(later);
  });

  it('is that of the cookie which came with it, when that runs out first', () => {
    const headers = { 'set-cookie': `hdntl=exp=${seconds}~acl=/*~hmac=0a; path=/` };
    expect(expiryOf(`?exp=${seconds + 60}`, headers)).toBe(later);
  });

  it.each([
    ['nothing tells it', '?a=1'],
    ['the number is no time', '?e=5&exp=soon&expires='],
    ['the time is over', `?exp=${now / 1_000 - 1}`],
    ['the time is too far away to be one', '?exp=4102444800'],
    ['the token is no token', '?token=aaaaaaaaa.bbbbbbbbb.ccccccccc&Policy=%%%'],
  ])('is not known when %s', (_name, reference) => {
    expect(expiryOf(reference)).toBeUndefined();
  });
});

describe('the time of renewal', () => {
  it('is half a minute before the end of a long life', () => {
    expect(renewalAt(now + 3_600_000, now)).toBe(now + 3_570_000);
  });

  it('is after four fifths of a short one', () => {
    expect(renewalAt(now + 60_000, now)).toBe(now + 48_000);
  });
});
