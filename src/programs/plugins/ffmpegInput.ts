import { KennelError } from '../../core/errors.ts';
import type { LinkKind } from '../../intake/link.ts';
import type { ProgramOrder } from '../recorderPlugin.ts';
import { oneLine, secretInputs } from './secretInputs.ts';

/** Silence on a connection after which it is given up, microseconds: longer than any live source pauses, shorter than Kennel waits. */
const SILENCE_US = 15_000_000;
/** A live HLS stream is begun so many segments before its end, so that a restart overlaps with what was there before. */
const LIVE_START_SEGMENTS = 6;
/** How ffmpeg's reader of HLS is told so; no other reader knows the option. */
export const LIVE_START_INDEX = String(-LIVE_START_SEGMENTS);
/** Between two tries to get a file's connection back, seconds. */
const RECONNECT_DELAY_S = 5;

/** Schemes of each kind that ffmpeg reads through the gate, and the protocols that it may use for them, whatever a playlist says. */
const PROTOCOLS: Readonly<Record<LinkKind, Readonly<Record<string, string>>>> = {
  hls: {
    'http:': 'http,https,tcp,tls,crypto,httpproxy',
    'https:': 'http,https,tcp,tls,crypto,httpproxy',
  },
  dash: { 'http:': 'http,https,tcp,tls,httpproxy', 'https:': 'http,https,tcp,tls,httpproxy' },
  file: { 'http:': 'http,https,tcp,tls,httpproxy', 'https:': 'http,https,tcp,tls,httpproxy' },
  rtmp: { 'rtmp:': 'rtmp,tcp', 'rtmps:': 'rtmps,tcp,tls' },
  rtsp: { 'rtsp:': 'rtsp,tcp,rtp', 'rtsps:': 'rtsps,tcp,tls,rtp' },
  srt: { 'srt:': 'srt' },
  page: {},
};

/** Every client sends its own of these, and ffmpeg does too. */
const OWN_HEADERS =
  /^(?:accept|accept-encoding|accept-charset|accept-language|sec-.*|connection|host|range|icy-metadata)$/i;
/** Headers that ffmpeg has an option for. */
const HEADER_OPTIONS: Readonly<Record<string, string>> = {
  'user-agent': 'user_agent',
  referer: 'referer',
};

/** What ffmpeg is told of one input. */
export interface FfmpegInput {
  readonly arguments: readonly string[];
  readonly file?: { readonly name: string; readonly content: string };
}

/** Whether ffmpeg can read such an address. */
export const isReadable = (kind: LinkKind, url: URL): boolean =>
  Object.hasOwn(PROTOCOLS[kind], url.protocol) && !isListener(kind, url);

/**
 * One input of ffmpeg. What is secret goes into a list for its concat demuxer, whose `option` lines (since ffmpeg 5.0) are the only way to
 * tell it an input's options from a file: `-/option FILE` of 7.0 is for its own options, not for those of protocols. Timestamps of a
 * list begin at zero.
 *
 * @throws KennelError `source.unsupported` when it cannot be told so, `usage.invalid`
 */
export function ffmpegInput(order: ProgramOrder, name: string): FfmpegInput {
  const { kind } = order.source;
  const inputs = secretInputs(order);
  const url = targetOf(order, inputs.url);
  const whitelist = PROTOCOLS[kind][order.source.url.protocol];
  if (whitelist === undefined || isListener(kind, inputs.url)) throw unreadable(inputs.url);
  const options = { ...kindOptions(order, inputs.url), protocol_whitelist: whitelist };
  const secrets = headerOptions(inputs);
  const isSecret = Object.keys(secrets).length > 0 || holdsSecret(kind, url);
  if (!isSecret) {
    const given = Object.entries(options).flatMap(([option, value]) => [`-${option}`, value]);
    return { arguments: [...given, '-i', url.href] };
  }
  const content = [
    'ffconcat version 1.0',
    `file ${quoted(url.href)}`,
    ...Object.entries({ ...options, ...secrets }).map(
      ([option, value]) => `option ${option} ${quoted(value)}`,
    ),
  ];
  const path = `${order.workDirectory}/${name}`;
  return {
    // The list is a file; what it names may use its own list of protocols only.
    arguments: [
      '-protocol_whitelist',
      `file,${whitelist}`,
      '-safe',
      '0',
      '-f',
      'concat',
      '-i',
      path,
    ],
    file: { name, content: `${content.join('\n')}\n` },
  };
}

function kindOptions(order: ProgramOrder, url: URL): Record<string, string> {
  const { kind } = order.source;
  if (kind === 'rtsp') return { rtsp_transport: 'tcp', timeout: String(SILENCE_US) };
  const silence = { rw_timeout: String(SILENCE_US) };
  if (kind === 'hls') return { ...silence, live_start_index: LIVE_START_INDEX };
  if (kind === 'file') {
    return {
      ...silence,
      fflags: '+genpts',
      reconnect: '1',
      reconnect_delay_max: String(RECONNECT_DELAY_S),
    };
  }
  if (kind !== 'rtmp') return silence;
  return { ...silence, rtmp_live: 'live', rtmp_tcurl: applicationOf(url) };
}

/** What the source's server is to think that it was called: its own address, up to the application (`libavformat/rtmpproto.c`). */
function applicationOf(url: URL): string {
  const [first = '', second, ...rest] = url.pathname.split('/').slice(1);
  const isLong = rest.length > 0 && second !== undefined && !second.includes(':');
  return `${url.protocol}//${url.host}/${isLong ? `${first}/${second}` : first}`;
}

/** Over a relay it is the relay that is called. */
function targetOf({ source, relay }: ProgramOrder, url: URL): URL {
  const target = new URL(url);
  if (relay === undefined || source.url.protocol.startsWith('http')) return target;
  target.hostname = relay.host.includes(':') ? `[${relay.host}]` : relay.host;
  target.port = String(relay.port);
  return target;
}

type Inputs = ReturnType<typeof secretInputs>;

function headerOptions({ headers, cookie, url }: Inputs): Record<string, string> {
  const options: Record<string, string> = {};
  const lines: string[] = [];
  for (const [name, value] of headers) {
    const option = HEADER_OPTIONS[name.toLowerCase()];
    if (option !== undefined) options[option] = value;
    else if (!OWN_HEADERS.test(name)) lines.push(`${name}: ${value}`);
  }
  if (cookie !== '') {
    // One cookie has an option of its own; more of them are a header. It is for this address already, and before an HTTP proxy ffmpeg
    // compares a path with the whole address (`get_cookies` in `libavformat/http.c`), so none is given.
    if (lines.length > 0 && !cookie.includes(';')) {
      options['cookies'] = `${cookie}; path=; domain=${url.host}`;
    } else lines.push(`Cookie: ${cookie}`);
  }
  const [line, another] = lines;
  if (another !== undefined) {
    throw new KennelError(
      'source.unsupported',
      `ffmpeg can be told one header from a file besides User-Agent and Referer, and this job has ${lines.length}. Record it with --recorder streamlink or yt-dlp, or give fewer headers.`,
    );
  }
  return line === undefined ? options : { ...options, headers: line };
}

/** Credentials in an address, and the passphrase of SRT. */
const holdsSecret = (kind: LinkKind, url: URL): boolean =>
  url.username !== '' ||
  url.password !== '' ||
  (kind === 'srt' && url.searchParams.has('passphrase'));

/** SRT can be asked to wait for a caller instead of being one. */
const isListener = (kind: LinkKind, url: URL): boolean =>
  kind === 'srt' && (url.searchParams.get('mode') ?? 'caller') !== 'caller';

/** As `av_get_token` reads it: nothing is special between quotes but the quote. */
const quoted = (value: string): string =>
  `'${oneLine('A value for ffmpeg', value).replaceAll("'", `'\\''`)}'`;

const unreadable = ({ protocol }: URL): KennelError =>
  new KennelError(
    'source.unsupported',
    `ffmpeg does not read ${protocol}… addresses of this kind here. Give a link that begins with http, https, rtmp, rtmps, rtsp, rtsps or srt.`,
  );
