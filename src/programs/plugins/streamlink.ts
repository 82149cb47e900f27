import { KennelError } from '../../core/errors.ts';
import type { LinkKind } from '../../intake/link.ts';
import type { ProgramOrder, ProgramSource, RecorderPlugin } from '../recorderPlugin.ts';
import { type ExitMeaning, explainWith, misunderstood } from './exitMeanings.ts';
import { ffmpegProgress } from './ffmpegProgress.ts';
import { mediaContainer } from './mediaContainer.ts';
import { oneLine, secretInputs } from './secretInputs.ts';

/** It fetches HLS and DASH within its own process, headers and cookies included; of pages it knows some hundred live sites. */
const FITNESS: Readonly<Partial<Record<LinkKind, number>>> = { hls: 6, dash: 8, page: 3 };

const CONFIG_FILE = 'streamlink.conf';
/** A live stream is begun so many segments before its end, so that a restart overlaps with what was there before. */
const LIVE_EDGE_SEGMENTS = 6;
const SEGMENT_THREADS = 2;
const SEGMENT_ATTEMPTS = 5;
const RELOAD_ATTEMPTS = 5;
/** Silence after which a request, and the whole stream, is given up, seconds. */
const SEGMENT_TIMEOUT_S = 15;
const STREAM_TIMEOUT_S = 60;

/** What it puts out as MPEG-TS or fragmented MP4; files of plain HTTP it would put out as they are. */
const STREAM_TYPES = 'hls,hls-multi,dash,muxed-stream';

/** What streamlink and its plugins call a stream. */
const STREAM_NAME = /^[\w.+-]{1,40}$/;

/** Of streamlink's own (`streamlink_cli/main.py`, `stream/hls.py`, `plugin/api/validate`). */
const MEANINGS: readonly ExitMeaning[] = [
  {
    pattern: /No plugin can handle URL/,
    code: 'source.unsupported',
    retry: false,
    sentence:
      'it does not know this site. Give the link of the stream itself, or record it with --recorder yt-dlp',
  },
  {
    pattern:
      /No playable streams found|This (?:stream|channel|user) is (?:not (?:live|online)|offline)|is offline|not currently live/i,
    code: 'source.notLive',
    retry: true,
    sentence: 'there is no stream at this page now. Give --wait to wait for one',
  },
  {
    pattern: /The specified stream\(s\) '.*' could not be found/,
    code: 'quality.notFound',
    retry: false,
    sentence: 'the source has no stream of this quality. Leave --quality out to take the best',
  },
  {
    pattern:
      /Failed to parse (?:playlist|M3U8|XML|manifest)|Missing #EXTM3U|not well-formed|Unable to parse/i,
    code: 'source.unsupported',
    retry: true,
    sentence:
      'what it was served is no playlist, for example a page. Open the link in a browser to see what it is',
  },
  {
    pattern: /Could not find FFMPEG|FFmpeg was not found|No valid FFmpeg binary|cannot mux/i,
    code: 'tool.missing',
    retry: false,
    sentence:
      'it needs ffmpeg for a source whose picture and sound are apart. Install ffmpeg (kennel doctor tells how)',
  },
  {
    pattern: /streamlink: error: |unrecognized arguments|usage: streamlink/,
    ...misunderstood('streamlink'),
  },
];

/** streamlink as a recorder: live sites that yt-dlp does not know, and HLS and DASH that want secrets. */
export const streamlink: RecorderPlugin = {
  name: 'streamlink',
  tool: {
    command: 'streamlink',
    versionArguments: ['--version'],
    parseVersion: (output) => /^streamlink v?(\d+(?:\.\d+)+\S*)/m.exec(output)?.[1],
    minimum: {
      version: '5.0',
      because: 'older ones are not tried with Kennel, and read few of today’s sites',
    },
    advised: {
      version: '6.0',
      because: 'sites change, and the plugins of older ones fail on many of them',
    },
    advice:
      'Debian: apt-get install streamlink; newer: pipx install streamlink. Or set KENNEL_STREAMLINK.',
  },
  fitness: ({ kind, url, audioUrl, ...source }: ProgramSource) => {
    const isHttp = /^https?:$/.test(url.protocol) && audioUrl === undefined;
    // It tells its ffmpeg a container only, and MPEG-TS is the one of the two that needs no more.
    return isHttp && mediaContainer(source, false) === 'mpegts' ? (FITNESS[kind] ?? 0) : 0;
  },
  command: (order: ProgramOrder) => {
    const { workDirectory, source } = order;
    if (!/^https?:$/.test(source.url.protocol)) {
      throw new KennelError('source.unsupported', 'streamlink is given http and https links only.');
    }
    const inputs = secretInputs(order);
    const { headers, cookie, url } = inputs;
    const cookies = cookie.split(';').map((pair) => pair.trim());
    const lines: readonly (readonly [option: string, value?: string])[] = [
      ['stdout'],
      ['loglevel', 'info'],
      ['auto-version-check', 'no'],
      ['default-stream', wantedStreams(order)],
      ['stream-types', STREAM_TYPES],
      ['http-proxy', order.proxyUrl],
      ['hls-live-edge', String(LIVE_EDGE_SEGMENTS)],
      ['hls-playlist-reload-attempts', String(RELOAD_ATTEMPTS)],
      ['stream-segment-threads', String(SEGMENT_THREADS)],
      ['stream-segment-attempts', String(SEGMENT_ATTEMPTS)],
      ['stream-segment-timeout', String(SEGMENT_TIMEOUT_S)],
      ['stream-timeout', String(STREAM_TIMEOUT_S)],
      ['ffmpeg-fout', 'mpegts'],
      ['ffmpeg-copyts'],
      ...(order.ffmpeg === undefined ? [] : [['ffmpeg-ffmpeg', order.ffmpeg.path] as const]),
      ...headers.map(([name, value]) => ['http-header', `${name}=${value}`] as const),
      ...cookies.filter((pair) => pair.includes('=')).map((pair) => ['http-cookie', pair] as const),
    ];
    return {
      arguments: ['--config', `${workDirectory}/${CONFIG_FILE}`, '--', url.href],
      // Configuration and plugins of whoever runs Kennel are looked for below these; there are none. (`--http-ignore-env` ends 5.2.1 with
      // a KeyError; there is nothing in the environment that it would ignore.)
      environment: { XDG_CONFIG_HOME: workDirectory, XDG_DATA_HOME: workDirectory },
      files: [{ name: CONFIG_FILE, content: lines.map(configLine).join('') }],
    };
  },
  parseLine: (line) => ffmpegProgress(line),
  explainExit: (exit) =>
    explainWith(
      {
        tool: 'streamlink',
        meanings: MEANINGS,
        codes: {
          2: misunderstood('streamlink'),
          130: {
            code: 'tool.failed',
            retry: true,
            fault: 'machine',
            sentence:
              'it was interrupted, and not by Kennel: by a person or the system. It is started again',
          },
        },
        isNoise: (line) => ffmpegProgress(line) !== undefined || /\[(?:info|debug)\]/.test(line),
      },
      exit,
    ),
};

/** The wishes that can be names of streams, in their order, and the best after them. */
function wantedStreams({ quality, audioOnly }: ProgramOrder): string {
  if (audioOnly) return 'audio_only,audio';
  const names = quality.map((wish) => wish.trim()).filter((wish) => STREAM_NAME.test(wish));
  return [...new Set([...names, 'best'])].join(',');
}

/** Of a line streamlink takes what is before the first `=` for an option, and the rest as it is for its value. */
const configLine = ([option, value]: readonly [string, string?]): string =>
  value === undefined ? `${option}\n` : `${option}=${oneLine(`The value for ${option}`, value)}\n`;
