import { KennelError } from '../../core/errors.ts';
import type { LinkKind } from '../../intake/link.ts';
import type { ProgramOrder, ProgramSource, RecorderPlugin } from '../recorderPlugin.ts';
import { type ExitMeaning, explainWith } from './exitMeanings.ts';
import { ffmpegInput, isReadable } from './ffmpegInput.ts';
import { ffmpegProgress, PROGRESS_ARGUMENTS } from './ffmpegProgress.ts';
import { jumps, timing } from './ffmpegTiming.ts';
import { mediaContainer, muxerArguments } from './mediaContainer.ts';

/**
 * HLS is the native engine's. DASH is for what is not live: at the
 * edge of a live window ffmpeg (5.1 and 7.0 were tried) asks for segments that are not there yet, and then reads the window again.
 */
const FITNESS: Readonly<Record<LinkKind, number>> = {
  dash: 4,
  rtmp: 9,
  rtsp: 9,
  srt: 9,
  file: 8,
  hls: 5,
  page: 0,
};

const FITNESS_ENDED_DASH = 9;

/** Of ffmpeg's own (`libavutil/error.c`, `libavformat/avio.c`, `fftools/ffmpeg_opt.c`). */
const MEANINGS: readonly ExitMeaning[] = [
  {
    pattern:
      /Unrecognized option|Option (?:not found|\S+ not found)|Error splitting the argument list|Missing argument for option/i,
    code: 'tool.failed',
    retry: false,
    sentence:
      'it does not know an option that Kennel gave it. This version is not one that Kennel was tried with; install another, and please report it',
  },
  {
    pattern: /not on whitelist|Protocol not found|is not in allowed_(?:segment_)?extensions/i,
    code: 'source.unsupported',
    retry: false,
    sentence:
      'the source leads to addresses that recorders may not use, such as files. Look at what its playlist says',
  },
  {
    pattern: /Encrypted stream|decryption key|Cannot (?:find|get) decryption|cenc_/i,
    code: 'source.encrypted',
    retry: false,
    sentence: 'the stream is protected, and Kennel records no such streams',
  },
  {
    pattern: /method \w+ failed: 401|RTMP_.*auth|Authentication failed|authmod=/i,
    code: 'source.login',
    retry: false,
    sentence:
      'the source wants a name and a password. Give them in the link (rtsp://name:password@host/…) or as a header',
  },
  {
    pattern:
      /method \w+ failed: 4(?:04|53|54)|NetStream\.Play\.StreamNotFound|StreamNotFound|No such stream|Server error: |Connection to .*rejected/i,
    code: 'source.notFound',
    retry: true,
    sentence:
      'the server has no such stream now. Look whether the link is right, or wait for it with --wait',
  },
  {
    pattern:
      /Invalid data found when processing input|moov atom not found|could not find codec parameters|Output file.*does not contain any stream|matches no streams|Failed to read (?:RTMP|header)/i,
    code: 'source.unsupported',
    retry: true,
    sentence:
      'what it was served is no media that it can read, for example a page. Open the link in a browser to see what it is',
  },
  {
    pattern:
      /codec not currently supported in container|Could not write header|Error initializing the muxer/i,
    code: 'source.unsupported',
    retry: false,
    sentence:
      'the source’s codecs fit into neither MPEG-TS nor MP4. Choose another format of it (kennel probe lists them)',
  },
];

/** ffmpeg as a recorder: everything that is no page, and whose codecs one of the two containers holds. */
export const ffmpeg: RecorderPlugin = {
  name: 'ffmpeg',
  tool: {
    command: 'ffmpeg',
    versionArguments: ['-hide_banner', '-version'],
    parseVersion: (output) => /^ffmpeg version (\S+)/m.exec(output)?.[1],
    minimum: {
      version: '5.0',
      because:
        'older ones cannot read headers and passwords from a file, and wait for callers where newer ones time out (RTSP)',
    },
    advice: 'Debian: apt-get install ffmpeg; or set KENNEL_FFMPEG.',
  },
  fitness: ({ kind, url, ...source }: ProgramSource) => {
    if (!isReadable(kind, url) || mediaContainer(source, false) === undefined) return 0;
    return kind === 'dash' && source.isLive === false ? FITNESS_ENDED_DASH : FITNESS[kind];
  },
  command: (order: ProgramOrder) => {
    const { source, audioOnly } = order;
    const container = mediaContainer(source, audioOnly);
    if (container === undefined) {
      throw new KennelError(
        'source.unsupported',
        'The picture is VP8, which fits into neither MPEG-TS nor MP4. Choose another format (kennel probe lists them).',
      );
    }
    const { audioUrl } = source;
    const sound =
      audioUrl === undefined ? [] : [{ ...order, source: { ...source, url: audioUrl } }];
    const wanted = audioOnly && sound.length > 0 ? sound : [order, ...sound];
    const inputs = wanted.map((one, index) => ffmpegInput(one, `input${index}.ffconcat`));
    const files = inputs.flatMap(({ file }) => file ?? []);
    return {
      arguments: [
        ...['-nostdin', '-hide_banner', '-loglevel', 'warning', ...PROGRESS_ARGUMENTS],
        ...timing(source.kind, container),
        ...inputs.flatMap((input) => input.arguments),
        ...mapping(order, inputs.length),
        ...['-c', 'copy', ...jumps(source.kind, container)],
        ...[...muxerArguments(container, source), '--', 'pipe:1'],
      ],
      // The only way to tell ffmpeg a proxy for https too (`libavformat/tls.c`). An empty one overrides what a proxy should not carry.
      environment: { http_proxy: order.proxyUrl, no_proxy: '' },
      ...(files.length > 0 && { files }),
    };
  },
  parseLine: ffmpegProgress,
  explainExit: (exit) =>
    explainWith(
      {
        tool: 'ffmpeg',
        meanings: MEANINGS,
        codes: {},
        isNoise: (line) => ffmpegProgress(line) !== undefined,
      },
      exit,
    ),
};

/** Of HLS and DASH, which list the same picture in many sizes, ffmpeg takes the largest by itself; of anything else, all there is. */
function mapping({ source, audioOnly }: ProgramOrder, inputs: number): string[] {
  if (inputs > 1) return ['-map', '0:V:0?', '-map', '1:a?'];
  if (source.kind === 'hls' || source.kind === 'dash')
    return [...(audioOnly ? ['-vn'] : []), '-sn', '-dn'];
  return audioOnly ? ['-map', '0:a?'] : ['-map', '0:V?', '-map', '0:a?'];
}
