import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isKennelError } from '../../src/core/errors.ts';
import type { LinkKind } from '../../src/intake/link.ts';
import type {
  ProgramCommand,
  ProgramExit,
  ProgramOrder,
  ProgramSource,
  RecorderPlugin,
} from '../../src/programs/recorderPlugin.ts';

const LINKS: Readonly<Record<LinkKind, string>> = {
  hls: 'https://media.example.com/live/index.m3u8',
  dash: 'https://media.example.com/live/show.mpd',
  rtmp: 'rtmp://media.example.com/live/show',
  rtsp: 'rtsp://media.example.com/show',
  srt: 'srt://media.example.com:9000',
  file: 'https://media.example.com/show.mp4',
  page: 'https://media.example.com/watch/show',
};
// The keys are all kinds, by its type.
const KINDS = Object.keys(LINKS) as LinkKind[];
const RELAYED: readonly LinkKind[] = ['rtmp', 'rtsp', 'srt'];

const PROXY = 'http://pass:PROXYSECRET@127.0.0.1:3128';

/** What would do harm if it were an option, a line, a template, a file's name or a protocol. */
export const HOSTILE: readonly string[] = [
  '--exec=touch /tmp/canary',
  '-i /etc/passwd',
  '--config-locations=/etc/passwd',
  '@/etc/passwd',
  'x\n--exec touch /tmp/canary',
  'x\nhttp-proxy=http://evil.example.com',
  "x'\noption protocol_whitelist file",
  'x\r\nX-Injected: yes',
  'x\u2028player=evil',
  'x\u0085player=evil',
  'x\u000cplayer=evil',
  'x\0y',
  `it's`,
  `'; --exec evil; '`,
  `"quoted" \\ and 'more'`,
  '$(touch /tmp/canary)',
  '`touch /tmp/canary`',
  '%(title)s',
  '%(id.__class__)s',
  'file:///etc/passwd',
  'concat:/etc/passwd|/etc/shadow',
  'subfile,,start,0,end,0,,:/etc/passwd',
  'two words',
  '# a comment',
  'späß 日本 🎥',
  '..\\..\\/../etc/passwd',
];

export function orderFor(
  kind: LinkKind,
  changes: Partial<ProgramOrder> & { readonly link?: string } = {},
): ProgramOrder {
  const { link = LINKS[kind], ...rest } = changes;
  return {
    source: { kind, url: new URL(link) },
    quality: ['best'],
    audioOnly: false,
    headers: {},
    proxyUrl: PROXY,
    ...(RELAYED.includes(kind) && { relay: { host: '127.0.0.1', port: 40_123 } }),
    workDirectory: '/var/lib/kennel/work/1-1',
    tool: { path: '/usr/bin/tool', version: '9999.0' },
    ffmpeg: { path: '/usr/bin/ffmpeg', version: '7.0' },
    nodePath: '/usr/bin/node',
    ...rest,
  };
}

/** Lines as the most liberal of readers splits them (Python's `str.splitlines`). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what ends a line.
const LINE_END = /\r\n|[\n\r\u000b\u000c\u001c\u001d\u001e\u0085\u2028\u2029]/;

/** What a command is made of, without the values: its options, and the keys of each line of its files. */
function shapeOf({ arguments: given, environment, files = [] }: ProgramCommand): unknown {
  return {
    count: given.length,
    options: given.filter((argument) => argument.startsWith('-')),
    environment: Object.keys(environment ?? {}),
    files: files.map(({ name, content }) => ({
      name,
      lines: content
        .split(name === 'cookies.txt' ? /\r\n|[\n\r]/ : LINE_END)
        .map((line) => /^(?:option \w+|[^\s=]+)/.exec(line)?.[0] ?? '')
        // Of cookies, each line is one; the words are the site's.
        .map((word) => (name === 'cookies.txt' ? word.slice(0, 4) : word)),
    })),
  };
}

/** The command, or undefined when it is refused as it should be: with a KennelError that can be read. */
function commandOf(plugin: RecorderPlugin, order: ProgramOrder): ProgramCommand | undefined {
  try {
    return plugin.command(order);
  } catch (error) {
    if (!isKennelError(error)) throw error;
    expect(error.message).not.toContain('SECRET');
    return undefined;
  }
}

const cookieFile = (value: string) =>
  `# Netscape HTTP Cookie File\nmedia.example.com\tFALSE\t/\tFALSE\t0\tsession\t${value}\n`;

const PLACES: Readonly<Record<string, (text: string) => Partial<ProgramOrder>>> = {
  'the value of a header': (text) => ({ headers: { 'X-Key': text } }),
  'the user agent': (text) => ({ headers: { 'User-Agent': text } }),
  'the name of a header': (text) => ({ headers: { [text]: 'value' } }),
  'a Cookie header': (text) => ({ headers: { Cookie: `session=${text.replaceAll(';', '')}` } }),
  'a cookie of a file': (text) => ({ cookies: cookieFile(text) }),
  'the quality': (text) => ({ quality: [text] }),
  'the format': (text) => ({ format: text }),
};

/** Every plugin has to pass all of these. */
export function obeysTheLaws(plugin: RecorderPlugin): void {
  const kinds = KINDS.filter((kind) => plugin.fitness({ kind, url: new URL(LINKS[kind]) }) > 0);

  test('it is fit for something, and says how fit between 0 and 10', () => {
    const codecs = [undefined, 'avc1.64001f', 'vp9', 'vp8', 'av01.0', 'mp4a.40.2', 'opus', 'flac'];
    const odd = ['file:///etc/passwd', 'data:text/plain,x', 'ftp://h/x', 'concat:x', 'rtmpe://h/x'];
    expect(kinds).not.toEqual([]);
    for (const kind of KINDS) {
      for (const codec of codecs) {
        for (const link of [LINKS[kind], ...odd]) {
          const source: ProgramSource = {
            kind,
            url: new URL(link),
            ...(codec !== undefined && { videoCodec: codec, audioCodec: codec }),
          };
          const fitness = plugin.fitness(source);
          expect(fitness).toBeGreaterThanOrEqual(0);
          expect(fitness).toBeLessThanOrEqual(10);
          if (odd.includes(link)) expect({ link, fitness }).toEqual({ link, fitness: 0 });
        }
      }
    }
  });

  test('the same order gives the same command, and is left as it was', () => {
    for (const kind of kinds) {
      const order = orderFor(kind, { headers: { 'X-Key': 'a' } });
      const before = structuredClone({ ...order, source: { ...order.source, url: '' } });
      expect(plugin.command(order)).toEqual(plugin.command(order));
      expect(structuredClone({ ...order, source: { ...order.source, url: '' } })).toEqual(before);
    }
  });

  test('the link stands behind a mark that ends options, or behind -i', () => {
    for (const kind of kinds) {
      const { arguments: given } = plugin.command(orderFor(kind));
      const links = given.flatMap((argument, index) =>
        /^\w+:\/\//.test(argument) && given[index - 1] !== '-rtmp_tcurl' ? [index] : [],
      );
      for (const index of links) expect(['--', '-i']).toContain(given[index - 1]);
    }
  });

  test('secrets are in files only; the way out may be in the environment', () => {
    for (const kind of kinds) {
      const link = LINKS[kind].replace('://', '://name:LINKSECRET@');
      const options: Partial<ProgramOrder>[] = [
        {},
        { headers: { Authorization: 'Bearer HEADERSECRET', 'User-Agent': 'AGENTSECRET' } },
        { headers: { Cookie: 'a=COOKIESECRET; b=OTHERSECRET' } },
        { cookies: cookieFile('FILESECRET') },
      ];
      for (const secret of options) {
        const command = commandOf(plugin, orderFor(kind, { link, ...secret }));
        const { arguments: given = [], environment = {}, files = [] } = command ?? {};
        expect(given.join('\n')).not.toContain('SECRET');
        for (const value of Object.values(environment)) {
          expect(value.replace(PROXY, '')).not.toContain('SECRET');
        }
        for (const { name } of files) expect(name).toMatch(/^[\w.-]+$/);
      }
    }
  });

  test('it tells a program its way out', () => {
    for (const kind of kinds) {
      const { arguments: given, environment = {}, files = [] } = plugin.command(orderFor(kind));
      const told = JSON.stringify([environment, files]);
      if (RELAYED.includes(kind)) {
        const all = JSON.stringify([given, files]);
        expect(all).toContain('127.0.0.1:40123');
      } else expect(told).toContain(PROXY);
    }
  });

  test.each(Object.keys(PLACES))('nothing in %s becomes an option or a line', (place) => {
    const put = PLACES[place];
    if (put === undefined) throw new Error('there is no such place');
    for (const kind of kinds) {
      const usual = commandOf(plugin, orderFor(kind, put('usual')));
      for (const text of HOSTILE) {
        const command = commandOf(plugin, orderFor(kind, put(text)));
        if (command === undefined) continue;
        const about = { kind, text };
        // A name that HTTP allows is one more header, as the usual one is.
        expect({ ...about, shape: shapeOf(command) }).toEqual({
          ...about,
          shape: shapeOf(usual ?? command),
        });
        expect(command.arguments).not.toContain(text);
      }
    }
  });

  test('nothing in a link becomes an option or a line', () => {
    for (const kind of kinds) {
      const usual = shapeOf(plugin.command(orderFor(kind, { link: `${LINKS[kind]}?usual` })));
      for (const text of HOSTILE) {
        for (const link of [`${LINKS[kind]}/${text}`, `${LINKS[kind]}?${text}`, text]) {
          if (!URL.canParse(link)) continue;
          const command = commandOf(plugin, orderFor(kind, { link }));
          if (command === undefined) continue;
          expect({ link, shape: shapeOf(command) }).toEqual({ link, shape: usual });
        }
      }
    }
  });

  test('what is no address of its kind is refused, whoever asks', () => {
    const odd = [
      'file:///etc/passwd',
      'concat:/etc/passwd',
      'data:,x',
      'gopher://h/x',
      'ftp://h/x',
    ];
    for (const kind of kinds) {
      for (const link of odd) {
        expect({ link, command: commandOf(plugin, orderFor(kind, { link })) }).toEqual({ link });
      }
    }
  });

  test('every exit has an explanation, and only a good one has no fault', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.constantFrom(
        'HTTP Error 404: Not Found',
        'Server returned 403 Forbidden (access denied)',
        'Connection refused',
        'ERROR: [generic] Unable to download webpage: timed out',
        'out_time_us=1000000',
        '',
      ),
    );
    const exits: fc.Arbitrary<ProgramExit> = fc.record(
      {
        exitCode: fc.integer({ min: 0, max: 255 }),
        signal: fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGPIPE', 'SIGRTMIN', 'odd\n'),
        startError: fc.constantFrom('spawn ENOENT', 'spawn EAGAIN', 'odd'),
        stderrTail: texts,
        hadMedia: fc.boolean(),
        asked: fc.constantFrom('stop', 'kill'),
        refused: fc.array(fc.constant('10.0.0.1:80'), { maxLength: 2 }),
        isLive: fc.boolean(),
      },
      { requiredKeys: ['stderrTail', 'hadMedia', 'refused'] },
    );
    fc.assert(
      fc.property(exits, (exit) => {
        const { fault, why, sentence } = plugin.explainExit(exit);
        const isGood = exit.exitCode === 0 && exit.signal === undefined;
        if (!isGood || exit.startError !== undefined) expect(fault).not.toBe('none');
        expect(why).toMatch(/^[a-z]+\.[A-Za-z0-9-]+$/);
        expect(sentence).toMatch(/^\S.{10,}[.!?]$/s);
        expect(plugin.explainExit(exit)).toEqual(plugin.explainExit(exit));
      }),
      { numRuns: 1_000 },
    );
  });

  test('any line can be read', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (line) => {
        const { mediaMs = 0, targetMs = 0 } = plugin.parseLine(line) ?? {};
        expect(mediaMs).toBeGreaterThanOrEqual(0);
        expect(targetMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('what it needs is said for people', () => {
    const { tool } = plugin;
    expect(tool.command).toMatch(/^[\w-]+$/);
    expect(tool.parseVersion('no version at all')).toBeUndefined();
    expect(tool.minimum.because).not.toBe('');
    expect(tool.advice).not.toBe('');
  });
}
