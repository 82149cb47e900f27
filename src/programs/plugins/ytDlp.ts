import { KennelError } from '../../core/errors.ts';
import { formatFilter } from '../../intake/formatFilter.ts';
import type { LinkKind } from '../../intake/link.ts';
import { ytDlpMeaning } from '../../intake/ytDlpFailure.ts';
import type {
  ExitExplanation,
  ProgramExit,
  ProgramOrder,
  ProgramSource,
  RecorderPlugin,
} from '../recorderPlugin.ts';
import { type ExitMeaning, explainWith, faultOf, misunderstood } from './exitMeanings.ts';
import { LIVE_START_INDEX } from './ffmpegInput.ts';
import { ffmpegProgress, PROGRESS_ARGUMENTS } from './ffmpegProgress.ts';
import { jumps, timing } from './ffmpegTiming.ts';
import { mediaContainer, muxerArguments } from './mediaContainer.ts';
import { oneLine, type SecretInputs, secretInputs } from './secretInputs.ts';
import { isAtLeast } from './versionOrder.ts';

/** What yt-dlp does with everything but pages others do with less; of live DASH its ffmpeg reads parts twice (see `ffmpeg.ts`). */
const FITNESS: Readonly<Partial<Record<LinkKind, number>>> = { page: 8, hls: 4, file: 3, dash: 2 };

const CONFIG_FILE = 'yt-dlp.conf';
const COOKIES_FILE = 'cookies.txt';
/** Silence on a connection after which it is given up, seconds. */
const SOCKET_TIMEOUT_S = 15;
const RETRIES = 5;
/** From here on it takes `--js-runtimes` (release notes of yt-dlp 2025.11.12). */
const JS_RUNTIMES_SINCE = '2025.11.12';

/** What its ffmpeg may use, whatever a page or a playlist says: no files. */
const WEB_ONLY = ['-protocol_whitelist', 'http,https,tcp,tls,crypto,httpproxy'];

/** Formats of HLS, which yt-dlp fetches by itself. */
const HLS_ONLY = '[protocol^=m3u8]';

/** Of yt-dlp's own (`YoutubeDL.py`, `downloader/external.py`); its messages about sources are in `intake/ytDlpFailure.ts`. */
const MEANINGS: readonly ExitMeaning[] = [
  {
    pattern: /does not pass filter .*is_live/i,
    code: 'source.unsupported',
    retry: false,
    sentence:
      'it is live and the job has cookies or headers, which yt-dlp would show in the arguments of its ffmpeg. Record it with --recorder streamlink, or give the link of the stream itself',
  },
  {
    pattern: /yt-dlp: error: |no such option|Unable to parse "/i,
    ...misunderstood('yt-dlp'),
  },
  {
    pattern: /ffmpeg (?:could not be found|not found|is not installed)/i,
    code: 'tool.missing',
    retry: false,
    sentence: 'it needs ffmpeg for this source. Install ffmpeg (kennel doctor tells how)',
  },
  {
    pattern: /Invalid data found when processing input/i,
    code: 'source.unsupported',
    retry: true,
    sentence: 'what it was served is no media. Open the link in a browser to see what it is',
  },
];

/** yt-dlp as a recorder: pages whose media nothing else can fetch. It hands over to ffmpeg, which puts out what Kennel stores. */
export const ytDlp: RecorderPlugin = {
  name: 'yt-dlp',
  tool: {
    command: 'yt-dlp',
    versionArguments: ['--ignore-config', '--version'],
    parseVersion: (output) => /^(?:\w+@)?(\d{4}\.\d{2}\.\d{2}(?:\.\d+)?)\s*$/m.exec(output)?.[1],
    minimum: {
      version: '2023.03.04',
      because: 'older ones are not tried with Kennel, and read few of today’s sites',
    },
    advised: {
      version: JS_RUNTIMES_SINCE,
      because:
        'older ones cannot run YouTube’s scripts (yt-dlp#15012), and those before 2023.06 take a live HLS link for a finished one (yt-dlp#6775)',
    },
    advice:
      'Sites change, so take the newest: pipx install yt-dlp, or the binary of its project; Debian’s is old. Or set KENNEL_YTDLP.',
  },
  fitness: ({ kind, url, audioUrl }: ProgramSource) =>
    audioUrl === undefined && /^https?:$/.test(url.protocol) ? (FITNESS[kind] ?? 0) : 0,
  command: (order: ProgramOrder) => {
    const { workDirectory, source } = order;
    if (!/^https?:$/.test(source.url.protocol)) {
      throw new KennelError('source.unsupported', 'yt-dlp is given http and https links only.');
    }
    const inputs = secretInputs(order);
    const content = configuration(order, inputs).map(configLine).join('');
    const cookies = inputs.cookieFile;
    return {
      arguments: [
        ...['--ignore-config', '--config-locations', `${workDirectory}/${CONFIG_FILE}`],
        ...['--', inputs.url.href],
      ],
      // Plugins of whoever runs Kennel are code that nobody has looked at.
      environment: { YTDLP_NO_PLUGINS: '1' },
      files: [
        { name: CONFIG_FILE, content: `# coding: utf-8\n${content}` },
        ...(cookies === undefined ? [] : [{ name: COOKIES_FILE, content: cookies }]),
      ],
      ...(wantsRuntime(order) && { readable: [order.nodePath] }),
    };
  },
  parseLine: (line) => {
    const isMuxing =
      /^\[(?:Merger|Fixup\w*|ExtractAudio|Video(?:Remuxer|Convertor)|Metadata|EmbedSubtitle)\]/;
    if (isMuxing.test(line)) return { isMuxing: true };
    // Its own progress, many times a second.
    return /^\[download\]\s+[\d.]+% of /.test(line) ? {} : ffmpegProgress(line);
  },
  explainExit,
};

type ConfigEntry = readonly [option: string, value?: string];

function configuration(order: ProgramOrder, inputs: SecretInputs): ConfigEntry[] {
  const { proxyUrl, ffmpeg, nodePath, workDirectory } = order;
  const hasSecrets = inputs.headers.length > 0 || inputs.cookieFile !== undefined;
  return [
    ['--output', '-'],
    ['--no-playlist'],
    ['--playlist-items', '1'],
    ['--no-cache-dir'],
    ['--no-part'],
    ['--no-mtime'],
    ['--newline'],
    ['--no-colors'],
    ['--hls-use-mpegts'],
    ['--fixup', 'never'],
    ['--socket-timeout', String(SOCKET_TIMEOUT_S)],
    ['--retries', String(RETRIES)],
    ['--fragment-retries', String(RETRIES)],
    ['--abort-on-unavailable-fragments'],
    ['--proxy', proxyUrl],
    ...(ffmpeg === undefined ? [] : [['--ffmpeg-location', ffmpeg.path] as const]),
    ...(wantsRuntime(order) ? [['--js-runtimes', `node:${nodePath}`] as const] : []),
    ...inputs.headers.map(([name, value]) => ['--add-headers', `${name}:${value}`] as const),
    ...(inputs.cookieFile === undefined
      ? []
      : [['--cookies', `${workDirectory}/${COOKIES_FILE}`] as const]),
    ...(hasSecrets ? fetchedByItself(order) : fetchedByFfmpeg(order)),
  ];
}

/**
 * Everything is fetched by its ffmpeg: so live streams do not end after one window (2023.03.04 does that by itself, and exits 0), and
 * whatever the source's container is, Kennel gets one that it can cut.
 */
function fetchedByFfmpeg(order: ProgramOrder): ConfigEntry[] {
  const { source, audioOnly, quality, format } = order;
  const container = mediaContainer(source, audioOnly) ?? 'mpegts';
  const start = source.kind === 'hls' ? ['-live_start_index', LIVE_START_INDEX] : [];
  return [
    ['--format', format ?? formatFilter(quality, audioOnly)],
    ['--downloader', 'ffmpeg'],
    [
      '--downloader-args',
      `ffmpeg_i:${[...PROGRESS_ARGUMENTS, ...timing(source.kind, container), ...WEB_ONLY, ...start].join(' ')}`,
    ],
    [
      '--downloader-args',
      `ffmpeg_o:${[...(audioOnly ? ['-vn'] : []), ...jumps(source.kind, container), ...muxerArguments(container, source)].map(shellQuoted).join(' ')}`,
    ],
  ];
}

/**
 * yt-dlp tells its ffmpeg headers and cookies as arguments, which everybody on the machine can read. So with secrets it has to fetch
 * by itself, which it can do with HLS that is not live, and nothing is merged.
 */
function fetchedByItself({ audioOnly, quality, format }: ProgramOrder): ConfigEntry[] {
  const wanted =
    format === undefined ? withoutMerging(quality, audioOnly) : `(${format})${HLS_ONLY}`;
  return [
    ['--format', wanted],
    ['--downloader', 'native'],
    ['--compat-options', 'no-direct-merge'],
    ['--match-filters', '!is_live'],
  ];
}

/** The same wishes, of formats that have everything in one. */
const withoutMerging = (quality: readonly string[], audioOnly: boolean): string =>
  audioOnly
    ? `ba${HLS_ONLY}/b${HLS_ONLY}`
    : formatFilter(quality, false)
        .split('/')
        .filter((one) => !one.includes('+'))
        .map((one) => `${one}${HLS_ONLY}`)
        .join('/');

/** Read again by rules of a shell: within single quotes everything is itself but the quote. */
function configLine([option, value]: ConfigEntry): string {
  if (value === undefined) return `${option}\n`;
  return `${option}='${oneLine(`The value for ${option}`, value).replaceAll("'", `'"'"'`)}'\n`;
}

/** Arguments for another program are taken apart as a shell does it, after their line was. */
const shellQuoted = (argument: string): string =>
  /^[\w.,:+/-]*$/.test(argument) ? argument : `'${argument}'`;

const wantsRuntime = ({ tool }: ProgramOrder): boolean =>
  isAtLeast(tool.version, JS_RUNTIMES_SINCE);

/** Its messages about sources are read where links are resolved too; exit codes as in `yt_dlp/__init__.py`. */
function explainExit(exit: ProgramExit): ExitExplanation {
  const explained = explainWith(
    {
      tool: 'yt-dlp',
      meanings: MEANINGS,
      codes: {
        2: misunderstood('yt-dlp'),
        101: {
          code: 'tool.failed',
          retry: true,
          sentence:
            'it had reached a limit of downloads, which Kennel does not set. It is started again',
        },
      },
      isNoise: (line) => ffmpegProgress(line) !== undefined,
    },
    exit,
  );
  const isOpen = explained.why === `exit.${exit.exitCode ?? -1}` && explained.fault === 'tool';
  const isAboutSource = explained.fault === 'source' || explained.fault === 'caller';
  const found = exit.asked === undefined ? ytDlpMeaning(exit.stderrTail) : undefined;
  if (found === undefined || exit.exitCode === 0 || explained.why === 'address.refused')
    return explained;
  if (!isOpen && !(isAboutSource && exit.signal === undefined)) return explained;
  const { code, retryable, advice } = found.meaning;
  return {
    fault: faultOf(code),
    why: code,
    retry: retryable,
    sentence: `yt-dlp ended because the source says: ${found.words} ${advice}`,
  };
}
