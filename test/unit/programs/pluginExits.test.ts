import { expect, test } from 'vitest';
import { pluginNamed } from '../../../src/programs/plugins.ts';
import type { ProgramExit } from '../../../src/programs/recorderPlugin.ts';

const exit = (changes: Partial<ProgramExit>): ProgramExit => ({
  exitCode: 1,
  stderrTail: '',
  hadMedia: false,
  refused: [],
  ...changes,
});

const PROGRESS = 'out_time_us=1200000\nspeed=1x\nprogress=continue\n';

test.each([
  ['ffmpeg', '[https @ 0x1] Server returned 403 Forbidden (access denied)', 'source.refused'],
  ['ffmpeg', 'x: Server returned 401 Unauthorized (authorization failed)', 'source.login'],
  ['ffmpeg', 'rtsp://h/x: Server returned 404 Not Found', 'source.notFound'],
  [
    'ffmpeg',
    '[rtmp @ 0x1] Server error: No such stream\nrtmp://h/live/x: Operation not permitted',
    'source.notFound',
  ],
  [
    'ffmpeg',
    'tcp://h:1: Failed to resolve hostname h: Name or service not known',
    'source.unavailable',
  ],
  ['ffmpeg', 'x: Connection timed out', 'timeout.exceeded'],
  ['ffmpeg', 'x: Invalid data found when processing input', 'source.unsupported'],
  ['ffmpeg', "[file @ 0x1] Protocol 'file' not on whitelist 'http'!", 'source.unsupported'],
  ['ffmpeg', "Unrecognized option 'foo'.", 'tool.failed'],
  ['ffmpeg', 'av_interleaved_write_frame(): No space left on device', 'disk.full'],
  ['ffmpeg', '[hls @ 0x1] SAMPLE-AES encryption is not supported yet', 'source.encrypted'],
  [
    'yt-dlp',
    'ERROR: [generic] x: Unable to download webpage: HTTP Error 404: Not Found',
    'source.notFound',
  ],
  ['yt-dlp', 'ERROR: [youtube] x: This live event will begin in 2 hours.', 'source.notLive'],
  ['yt-dlp', 'ERROR: Unsupported URL: http://h/x', 'source.unsupported'],
  [
    'yt-dlp',
    'ERROR: [x] y: The uploader has not made this video available in your country',
    'source.geo',
  ],
  [
    'yt-dlp',
    'ERROR: [x] y: Private video. Sign in if you have been granted access',
    'source.login',
  ],
  ['streamlink', 'error: No plugin can handle URL: http://h/x', 'source.unsupported'],
  ['streamlink', 'error: No playable streams found on this URL: http://h/x', 'source.notLive'],
  ['streamlink', "error: The specified stream(s) '720p' could not be found", 'quality.notFound'],
  [
    'streamlink',
    'error: Unable to open URL: http://h (410 Client Error: Gone for url: x)',
    'source.notFound',
  ],
])('%s: %s', (name, stderrTail, why) => {
  const given = exit({ stderrTail: `${stderrTail}\n${name === 'ffmpeg' ? PROGRESS : ''}` });
  expect(pluginNamed(name).explainExit(given).why).toBe(why);
});

test('yt-dlp that takes no live stream with secrets says what to do instead', () => {
  const stderrTail = '[download] x does not pass filter (!is_live), skipping ..';
  const explained = pluginNamed('yt-dlp').explainExit(exit({ exitCode: 0, stderrTail }));
  expect(explained).toMatchObject({ fault: 'source', why: 'source.unsupported', retry: false });
  expect(explained.sentence).toContain('--recorder streamlink');
});

test('a refusal of the gate is for whoever gave the link, unless there was media', () => {
  const plugin = pluginNamed('ffmpeg');
  const refused = ['10.0.0.1:80'];
  expect(plugin.explainExit(exit({ refused }))).toMatchObject({
    fault: 'caller',
    why: 'address.refused',
    retry: false,
    sentence: expect.stringContaining('10.0.0.1:80'),
  });
  expect(plugin.explainExit(exit({ refused, hadMedia: true })).why).not.toBe('address.refused');
});

test('an exit code of 0 with nothing to show for it is a source that is away', () => {
  const explained = pluginNamed('ffmpeg').explainExit(exit({ exitCode: 0 }));
  expect(explained).toMatchObject({ fault: 'source', why: 'source.unavailable', retry: true });
  const good = exit({ exitCode: 0, hadMedia: true, stderrTail: 'Connection refused' });
  expect(pluginNamed('ffmpeg').explainExit(good).fault).toBe('none');
});

test('signals are told apart, also where a wrapper has made an exit code of them', () => {
  const plugin = pluginNamed('streamlink');
  const by = (signal: string) =>
    plugin.explainExit({ stderrTail: '', hadMedia: true, refused: [], signal });
  expect(by('SIGKILL')).toMatchObject({ fault: 'machine', why: 'signal.SIGKILL' });
  expect(by('SIGSEGV')).toMatchObject({ fault: 'tool', why: 'signal.SIGSEGV' });
  expect(plugin.explainExit(exit({ exitCode: 137 }))).toMatchObject({
    fault: 'machine',
    why: 'exit.137',
  });
  expect(plugin.explainExit(exit({ exitCode: 2 }))).toMatchObject({ fault: 'tool', retry: false });
});

test('a program that cannot be started is missing, or the machine is full', () => {
  const plugin = pluginNamed('yt-dlp');
  expect(plugin.explainExit(exit({ startError: 'spawn yt-dlp ENOENT' })).why).toBe('tool.missing');
  expect(plugin.explainExit(exit({ startError: 'spawn EAGAIN' })).fault).toBe('machine');
});

test('progress is read, and what else there is of it is no message', () => {
  const { parseLine } = pluginNamed('ffmpeg');
  expect(parseLine('out_time_us=1500000')).toEqual({ mediaMs: 1_500 });
  expect(parseLine('out_time_us=N/A')).toEqual({});
  expect(parseLine('speed=1.01x')).toEqual({});
  expect(parseLine('frame= 1 size= 2kB time=01:02:03.50 bitrate= 1kbits/s')).toEqual({
    mediaMs: 3_723_500,
  });
  expect(parseLine('[hls @ 0x1] a warning')).toBeUndefined();
  expect(pluginNamed('yt-dlp').parseLine('[Merger] Merging formats')).toEqual({ isMuxing: true });
  const progress = '[download]  53.4% of ~ 204.71KiB at  320.10KiB/s ETA 00:00 (frag 5/10)';
  expect(pluginNamed('yt-dlp').parseLine(progress)).toEqual({});
  expect(pluginNamed('yt-dlp').parseLine('[download] Got error: timed out')).toBeUndefined();
});
