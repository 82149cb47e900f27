import { expect, it, test } from 'vitest';
import { takeCookies } from '../../../src/hls/source/jobCookies.ts';
import { CookieJar } from '../../../src/hls/transport/cookieJar.ts';
import {
  asSetCookies,
  COOKIE_FILE_BYTES_MAX,
  netscapeCookies,
} from '../../../src/intake/netscapeCookies.ts';

const FILE = `# Netscape HTTP Cookie File
# a comment

.a.test\tTRUE\t/\tTRUE\t4102444800\tsid\tone two
#HttpOnly_b.test\tFALSE\t/x\tFALSE\t0\ttoken\t
c.test\tFALSE\t/\tFALSE\t1\tover\tyes\r
`;

test('a file of a browser is read, comments and flags as they are meant', () => {
  expect(netscapeCookies(FILE)).toEqual([
    {
      domain: 'a.test',
      withSubdomains: true,
      path: '/',
      secure: true,
      expires: 4102444800,
      name: 'sid',
      value: 'one two',
    },
    {
      domain: 'b.test',
      withSubdomains: false,
      path: '/x',
      secure: false,
      expires: 0,
      name: 'token',
      value: '',
    },
    {
      domain: 'c.test',
      withSubdomains: false,
      path: '/',
      secure: false,
      expires: 1,
      name: 'over',
      value: 'yes',
    },
  ]);
  expect(netscapeCookies('')).toEqual([]);
});

test('cookies go where their lines say, and those that are over go nowhere', async () => {
  const jar = new CookieJar();
  await takeCookies(jar, FILE, { links: [], now: 1_700_000_000_000 });
  const sent = (url: string) => jar.cookiesFor(new URL(url));
  expect(sent('https://www.a.test/live')).toBe('sid=one two');
  expect(sent('http://www.a.test/live')).toBe('');
  expect(sent('http://b.test/x/y')).toBe('token=');
  expect(sent('http://www.b.test/x/y')).toBe('');
  expect(sent('http://c.test/')).toBe('');
});

test('of more cookies than a jar keeps those of the links stay', async () => {
  const near = '.a.test\tTRUE\t/\tFALSE\t0\tsid\t1\n';
  const others = Array.from({ length: 400 }, (_, n) => `o${n}.test\tFALSE\t/\tFALSE\t0\tx\t1\n`);
  const jar = new CookieJar();
  const links = [new URL('https://www.a.test/watch')];
  await takeCookies(jar, near + others.join(''), { links, now: 0 });
  expect(jar.cookiesFor(new URL('https://www.a.test/'))).toBe('sid=1');
});

it.each([
  ['[{"domain":"a.test"}]', 'JSON'],
  ['# x\na.test TRUE / TRUE 0 a b\n', 'Line 2'],
  ['a.test\tTRUE\t/\tMAYBE\t0\ta\tb', 'Line 1'],
  ['\tTRUE\t/\tTRUE\t0\ta\tb', 'no domain'],
  ['a.test\tTRUE\tx\tTRUE\t0\ta\tb', 'no path'],
  ['a.test\tTRUE\t/\tTRUE\tsoon\ta\tb', 'no time'],
  ['a.test\tTRUE\t/\tTRUE\t0\ta\tb\u0000', 'control'],
  ['#'.repeat(COOKIE_FILE_BYTES_MAX + 1), 'larger'],
])('%j is refused', (text, told) => {
  expect(() => netscapeCookies(text.slice(0, COOKIE_FILE_BYTES_MAX + 1))).toThrow(told);
});

test('a refusal does not tell what is in the line', () => {
  expect(() => netscapeCookies('a.test hush')).not.toThrow(/hush/);
  expect(asSetCookies([], 0)).toEqual([]);
});
