import { expect, it, test } from 'vitest';
import type { QuestionPlace } from '../../../src/intake/cagedQuestion.ts';
import { formatFilter } from '../../../src/intake/formatFilter.ts';
import type { ResolveOptions } from '../../../src/intake/link.ts';
import { ytDlpCommand } from '../../../src/intake/ytDlpCommand.ts';

const place: QuestionPlace = {
  workDirectory: '/var/lib/kennel/ask-1',
  pass: {
    proxyUrl: 'http://me:hush@127.0.0.1:1',
    relay: async () => ({ host: '', port: 0 }),
    receivedBytes: 0,
    sentBytes: 0,
    refused: [],
    close: () => undefined,
  },
};
const command = (
  more: Partial<ResolveOptions> = {},
  version = '2026.01.01',
  link = 'https://a.test/x',
) =>
  ytDlpCommand(
    {
      link: new URL(link),
      options: { signal: new AbortController().signal, quality: ['best'], ...more },
      tool: { path: '/usr/bin/yt-dlp', version },
      nodePath: '/usr/bin/node',
    },
    place,
  );
const config = (...given: Parameters<typeof command>) => command(...given).files[0]?.content ?? '';

test('nothing that may be secret is among the arguments', () => {
  const asked = command(
    { headers: { Authorization: 'hush' }, cookies: 'a.test\tTRUE\t/\tTRUE\t0\ta\thush\n' },
    '2026.01.01',
    'https://me:hush@a.test/x?token=hush',
  );
  expect(asked.arguments.join(' ')).not.toContain('hush');
  expect(asked.arguments[0]).toBe('--ignore-config');
  expect(asked.files.map(({ content }) => content).join()).toContain('hush');
});

it.each(["it's", '"', '$(id)', '`id`', '\\', '#', '--exec=id', ' -x '])(
  'the value %j is one word',
  (value) => {
    const lines = config({ headers: { 'X-A': value } }).split('\n');
    const line = lines.find((one) => one.includes('X-A')) ?? '';
    // As Python's shlex does it: quotes are taken off, and nothing else happens.
    const word = line.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double);
    expect(word).toBe(`--add-headers=X-A:${value}`);
  },
);

it.each(['a\nb', 'a\rb', 'a\0b'])('the value %j is refused', (value) => {
  expect(() => config({ format: value })).toThrow(/control/);
});

test('a runtime for JavaScript is named to versions that know of one', () => {
  expect(config({}, '2025.11.12')).toContain("--js-runtimes='node:/usr/bin/node'");
  expect(config({}, '2025.10.22')).not.toContain('--js-runtimes');
  expect(config({}, '2026.1.3')).toContain('--js-runtimes');
});

test('links that are no web pages are refused', () => {
  expect(() => command({}, '1', 'file:///etc/passwd')).toThrow(/http/);
});

test('wishes become a filter that always ends with the best', () => {
  expect(formatFilter(['best'], false)).toBe('bv*+ba/b');
  expect(formatFilter(['720p60', 'worst'], false)).toMatch(
    /^bv\*\[height=720\]\[width>=720\]\[fps=60\]\+ba\/.*\/wv\*\+wa\/w\/bv\*\+ba\/b$/,
  );
  expect(formatFilter(['a]/b,c'], false)).toBe('bv*+ba/b');
  expect(formatFilter(['720p'], true)).toBe('ba/b');
});
