import { expect, test } from 'vitest';
import { isKennelError } from '../../../src/core/errors.ts';
import type { LinkKind } from '../../../src/intake/link.ts';
import { isAtLeast } from '../../../src/programs/plugins/versionOrder.ts';
import { choosePlugin, pluginNamed } from '../../../src/programs/plugins.ts';
import type { FoundTool, ProgramSource } from '../../../src/programs/recorderPlugin.ts';

const tool = (version: string): FoundTool => ({ path: '/usr/bin/tool', version });
const NEW: ReadonlyMap<string, FoundTool> = new Map([
  ['ffmpeg', tool('7.1')],
  ['yt-dlp', tool('2025.12.01')],
  ['streamlink', tool('6.5.0')],
]);
const source = (kind: LinkKind, link = 'https://a.example.com/x'): ProgramSource => ({
  kind,
  url: new URL(link),
});

/** The code and the words of what was thrown. */
function refusal(act: () => unknown): { code: string; message: string } {
  try {
    act();
  } catch (error) {
    if (isKennelError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

test('each kind of source has its best recorder', () => {
  const chosen = (given: ProgramSource) => choosePlugin(given, NEW).plugin.name;
  expect(chosen(source('dash'))).toBe('streamlink');
  expect(chosen({ ...source('dash'), videoCodec: 'vp9' })).toBe('ffmpeg');
  expect(chosen({ ...source('dash'), isLive: false })).toBe('ffmpeg');
  expect(chosen(source('rtmp', 'rtmp://h/app/play'))).toBe('ffmpeg');
  expect(chosen(source('rtsp', 'rtsp://h/x'))).toBe('ffmpeg');
  expect(chosen(source('srt', 'srt://h:9000'))).toBe('ffmpeg');
  expect(chosen(source('file'))).toBe('ffmpeg');
  expect(chosen(source('page'))).toBe('yt-dlp');
  expect(chosen(source('hls'))).toBe('streamlink');
});

test('what is not there is not chosen, and the next best is', () => {
  const only = new Map([['yt-dlp', tool('2025.12.01')]]);
  const { plugin, tool: found } = choosePlugin(source('dash'), only);
  expect(plugin.name).toBe('yt-dlp');
  expect(found.version).toBe('2025.12.01');
});

test('a wish is law', () => {
  expect(choosePlugin(source('dash'), NEW, 'yt-dlp').plugin.name).toBe('yt-dlp');
  expect(refusal(() => choosePlugin(source('page'), NEW, 'ffmpeg'))).toMatchObject({
    code: 'source.unsupported',
    message: expect.stringContaining('Leave --recorder out'),
  });
  expect(refusal(() => pluginNamed('vlc'))).toMatchObject({
    code: 'usage.invalid',
    message: expect.stringContaining('ffmpeg, yt-dlp, streamlink'),
  });
});

test('without any tool for it the refusal says which would do, and how to get it', () => {
  const { code, message } = refusal(() => choosePlugin(source('srt', 'srt://h:9000'), new Map()));
  expect(code).toBe('tool.missing');
  expect(message).toContain('ffmpeg (Debian: apt-get install ffmpeg');
});

test('with only old ones it says what is too old, and why', () => {
  const old = new Map([['ffmpeg', tool('4.4.2-0ubuntu0.22.04.1')]]);
  const { code, message } = refusal(() => choosePlugin(source('srt', 'srt://h:9000'), old));
  expect(code).toBe('tool.outdated');
  expect(message).toMatch(/ffmpeg 4\.4\.2\S* is too old .* 5\.0: older ones/);
});

test('codecs that fit nowhere are nobody’s', () => {
  const { code } = refusal(() => choosePlugin({ ...source('file'), videoCodec: 'vp8' }, new Map()));
  expect(code).toBe('tool.missing');
  const onlyFfmpeg = { ...source('srt', 'srt://h:1'), videoCodec: 'vp8' };
  expect(refusal(() => choosePlugin(onlyFfmpeg, NEW)).code).toBe('source.unsupported');
});

test.each([
  ['5.1.9-0+deb12u1', '5.0', true],
  ['4.4.2', '5.0', false],
  ['n7.0-7-gd38bf5e08e', '5.0', true],
  ['N-113000-gabcdef', '5.0', true],
  ['2023.03.04', '2023.03.04', true],
  ['2023.03.04', '2023.06', false],
  ['2025.11.12.233001', '2025.11.12', true],
  ['5', '5.0.1', false],
  ['10.0', '9.9', true],
])('%s is as new as %s: %s', (version, wanted, expected) => {
  expect(isAtLeast(version, wanted)).toBe(expected);
});
