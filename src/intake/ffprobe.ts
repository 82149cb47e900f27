import { z } from 'zod';
import { KennelError } from '../core/errors.ts';
import { askCaged, type QuestionParts, type QuestionPlace } from './cagedQuestion.ts';
import { printable } from './controlCharacters.ts';
import type { LinkKind, ResolvedLink, ResolveOptions } from './link.ts';
import type { MediaFacts, MediaStream } from './mediaFacts.ts';
import { refusedByGate } from './refusedByGate.ts';
import { relayTarget } from './relayTarget.ts';

export interface FfprobeOptions extends QuestionParts {
  readonly tool: { readonly path: string; readonly version: string };
}

/** A live source sends its tables and a key frame within some seconds; the rest is for a slow connection. Milliseconds. */
const PROBE_MS = 20_000;
const ANSWER_CHARACTERS_MAX = 1024 * 1024;
/** How much of a stream is looked at: as much as ffmpeg looks at before it records, bytes and microseconds. */
const PROBE_BYTES = 5_000_000;
const ANALYZE_US = 5_000_000;
const WORD_CHARACTERS_MAX = 64;

/** What a source of each kind needs, and nothing that reads files; absent: it is not asked about. */
const PROTOCOLS: Partial<Record<LinkKind, string>> = {
  dash: 'http,https,tcp,tls,crypto,httpproxy',
  file: 'http,https,tcp,tls,crypto,httpproxy',
  rtmp: 'rtmp,tcp',
  rtsp: 'rtsp,rtp,tcp',
  srt: 'srt,udp',
};

/** Its schemes are those that a relay carries as they are; TLS would be told another name than the one that it was made for. */
const RELAYED: ReadonlySet<string> = new Set(['rtmp:', 'rtsp:', 'srt:']);

/**
 * What a source consists of, by ffprobe in the cage, through the gate; undefined for what it is not asked about: pages, playlists,
 * what wants headers or cookies (its arguments are for everybody to see), and RTMP and RTSP over TLS. Rejects with
 * `source.unavailable`, `address.refused`, `tool.failed`, and with the signal's reason.
 */
export async function ffprobe(
  link: ResolvedLink,
  wishes: Pick<ResolveOptions, 'signal' | 'proxy' | 'reach' | 'headers'>,
  options: FfprobeOptions,
): Promise<MediaFacts | undefined> {
  const protocols = PROTOCOLS[link.kind];
  const isWeb = link.url.protocol === 'http:' || link.url.protocol === 'https:';
  const needsSecrets = Object.keys(wishes.headers ?? {}).length > 0 || link.cookies !== undefined;
  if (protocols === undefined || !(isWeb || RELAYED.has(link.url.protocol))) return undefined;
  if (needsSecrets || link.url.password !== '') return undefined;
  const answer = await askCaged(options, {
    command: async (place) => ({
      file: options.tool.path,
      arguments: argumentsFor(await addressFor(link, place), protocols, link.kind),
      environment: isWeb
        ? { http_proxy: place.pass.proxyUrl, https_proxy: place.pass.proxyUrl }
        : {},
      files: [],
      readable: [options.tool.path],
    }),
    reach: wishes.reach ?? [],
    proxy: wishes.proxy,
    signal: wishes.signal,
    timeoutMs: PROBE_MS,
    answerCharactersMax: ANSWER_CHARACTERS_MAX,
  });
  const { result, refused, cut, stdout } = answer;
  if (cut === undefined && result.exitCode === 0) return factsOf(stdout);
  const { host } = link.url;
  if (refused.length > 0) {
    throw refusedByGate(refused, `${refused.join(', ')} is not public.`);
  }
  if (result.startError !== undefined) {
    throw new KennelError('tool.failed', `ffprobe could not be started: ${result.startError}.`);
  }
  throw new KennelError(
    'source.unavailable',
    cut === 'timeout'
      ? `${host} sent no media within ${PROBE_MS / 1_000} s.`
      : `${host} sends nothing that ffprobe understands.`,
    { retryable: true },
  );
}

/** The link itself, or the relay to it. */
async function addressFor(link: ResolvedLink, { pass }: QuestionPlace): Promise<URL> {
  const target = relayTarget(link);
  if (target === undefined) return link.url;
  const relay = await pass.relay(target);
  const address = new URL(link.url);
  address.hostname = relay.host;
  address.port = String(relay.port);
  return address;
}

const argumentsFor = ({ href }: URL, protocols: string, kind: LinkKind): string[] => [
  '-hide_banner',
  ...['-v', 'error'],
  ...['-print_format', 'json'],
  '-show_format',
  '-show_streams',
  ...['-probesize', String(PROBE_BYTES)],
  ...['-analyzeduration', String(ANALYZE_US)],
  ...['-protocol_whitelist', protocols],
  ...(kind === 'rtsp' ? ['-rtsp_transport', 'tcp'] : []),
  ...['-i', href],
];

const count = z.coerce.number().finite().nonnegative().nullish().catch(undefined);
const word = z.string().nullish().catch(undefined);
const schema = z.looseObject({
  format: z
    .looseObject({ format_name: word, duration: count, bit_rate: count })
    .nullish()
    .catch(undefined),
  streams: z
    .array(
      z.looseObject({
        codec_type: word,
        codec_name: word,
        width: count,
        height: count,
        avg_frame_rate: word,
        sample_rate: count,
        channels: count,
        bit_rate: count,
        tags: z.looseObject({ language: word }).nullish().catch(undefined),
      }),
    )
    .nullish()
    .catch(undefined),
});

/** What ffprobe says, read without trust. Throws `tool.failed`. */
export function factsOf(json: string): MediaFacts {
  const { data } = schema.safeParse(parsed(json));
  if (data === undefined)
    throw new KennelError('tool.failed', 'ffprobe said nothing that can be understood.');
  const { format, streams } = data;
  const name = plain(format?.format_name);
  return {
    ...(name && { format: name }),
    ...(format?.duration && { durationMs: Math.round(format.duration * 1_000) }),
    ...(format?.bit_rate && { bitsPerSecond: format.bit_rate }),
    streams: (streams ?? []).map((stream): MediaStream => {
      const framesPerSecond = rateOf(stream.avg_frame_rate);
      const language = plain(stream.tags?.language);
      return {
        kind: plain(stream.codec_type) ?? '?',
        codec: plain(stream.codec_name) ?? '?',
        ...(stream.width && { width: stream.width }),
        ...(stream.height && { height: stream.height }),
        ...(framesPerSecond && { framesPerSecond }),
        ...(stream.sample_rate && { sampleRate: stream.sample_rate }),
        ...(stream.channels && { channels: stream.channels }),
        ...(stream.bit_rate && { bitsPerSecond: stream.bit_rate }),
        ...(language && language !== 'und' && { language }),
      };
    }),
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const plain = (text: string | null | undefined): string | undefined =>
  text ? printable(text, WORD_CHARACTERS_MAX) : undefined;

/** `30000/1001` */
function rateOf(text: string | null | undefined): number | undefined {
  const [, over, under] = /^(\d+)\/(\d+)$/.exec(text ?? '') ?? [];
  const rate = Number(over) / Number(under);
  return Number.isFinite(rate) && rate > 0 ? Math.round(rate * 1_000) / 1_000 : undefined;
}
