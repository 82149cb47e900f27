import type { JobSpec } from '../../machines/vocabulary.ts';
import type { LinkFormat, ResolvedLink } from '../intake/link.ts';
import type { ProgramOrder, ProgramSource } from './recorderPlugin.ts';

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
