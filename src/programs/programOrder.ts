import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';
import type { LinkFormat, LinkKind, ResolvedLink } from '../intake/link.ts';
import type { ProgramOrder, ProgramSource } from './recorderPlugin.ts';

/** Where protocols listen that no HTTP proxy carries, when the address does not say it (IANA; SRT has none). */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'rtmp:': 1935,
  'rtmpt:': 80,
  'rtmps:': 443,
  'rtmpe:': 1935,
  'rtsp:': 554,
  'rtsps:': 322,
};

/** How such a source is carried; absent: by the HTTP proxy. */
const RELAYED: Partial<Record<LinkKind, 'tcp' | 'udp'>> = { rtmp: 'tcp', rtsp: 'tcp', srt: 'udp' };

export interface RelayTarget {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** The target of the relay that a source needs; undefined when it is fetched over HTTP. Throws `url.invalid` when it says no port. */
export function relayTarget({ kind, url }: ResolvedLink): RelayTarget | undefined {
  const protocol = RELAYED[kind];
  if (protocol === undefined) return undefined;
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (port === undefined || host === '') {
    throw new KennelError(
      'url.invalid',
      `the link must say a host and a port: ${url.protocol}//HOST:PORT`,
    );
  }
  return { protocol, host, port };
}

/** What a plugin is told of a source. */
export function programSource(resolved: ResolvedLink): ProgramSource {
  const { kind, url, audioUrl, isLive, formats } = resolved;
  const videoCodec = onlyCodec(formats, ({ videoCodec }) => videoCodec);
  const audioCodec = onlyCodec(formats, ({ audioCodec }) => audioCodec);
  return {
    kind,
    url,
    ...(audioUrl !== undefined && { audioUrl }),
    ...(isLive !== undefined && { isLive }),
    ...(videoCodec !== undefined && { videoCodec }),
    ...(audioCodec !== undefined && { audioCodec }),
  };
}

/** What a job wants, as far as a plugin has to know it. */
export function wishes(
  spec: JobSpec,
  resolved: ResolvedLink,
): Pick<ProgramOrder, 'quality' | 'format' | 'audioOnly' | 'headers' | 'cookies'> {
  const cookies = resolved.cookies ?? spec.cookies;
  return {
    quality: spec.quality,
    ...(spec.format !== undefined && { format: spec.format }),
    audioOnly: spec.audioOnly ?? false,
    headers: { ...resolved.headers, ...spec.headers },
    ...(cookies !== undefined && { cookies }),
  };
}

/** The codec that all formats have; where they differ nobody can say which one will be taken. */
function onlyCodec(
  formats: readonly LinkFormat[],
  codecOf: (format: LinkFormat) => string | undefined,
): string | undefined {
  const codecs = new Map<string, string>();
  for (const format of formats) {
    const codec = codecOf(format);
    // `avc1.64001f` and `avc1.4d401f` are one codec.
    if (codec !== undefined && codec !== 'none') codecs.set(codec.split('.', 1)[0] ?? codec, codec);
  }
  const [only, another] = codecs.values();
  return another === undefined ? only : undefined;
}
