import type { Probed } from '../jobs/probe.ts';
import { bitRateText } from './bytes.ts';
import { clockText } from './duration.ts';

type Link = NonNullable<Probed['link']>;

/** What was found out about a link or a file, for a person. */
export function probeLines(probed: Probed): string[] {
  const { link } = probed;
  return [
    ...(link ? linkLines(link) : []),
    ...contentLines(probed),
    ...(link ? formatLines(link) : []),
  ];
}

const LABEL_WIDTH = 12;
const line = (label: string, text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : [label.padEnd(LABEL_WIDTH) + text];

function linkLines(link: Link): string[] {
  const { isLive, durationMs, recorderProblem } = link;
  return [
    ...line('kind', link.kind),
    ...line('recorder', link.recorder),
    ...line(
      'recorder',
      recorderProblem && `none: ${recorderProblem.message} [${recorderProblem.code}]`,
    ),
    ...line('resolver', link.resolver),
    ...line('title', link.title),
    ...line('uploader', link.uploader),
    ...line('live', isLive === undefined ? undefined : isLive ? 'yes' : 'no'),
    ...line('length', durationMs === undefined ? undefined : clockText(durationMs)),
    ...line('media', link.url),
    ...line('sound', link.audioUrl),
    ...line('expires', link.expiresAt),
  ];
}

function contentLines(probed: Probed): string[] {
  switch (probed.kind) {
    case 'master':
      return probed.variants.flatMap(({ width, height, frameRate, bandwidth, codecs, name }) =>
        line(
          'variant',
          words([name, size(width, height, frameRate), bitRateText(bandwidth), codecs]),
        ),
      );
    case 'media':
      return line(
        'playlist',
        `${probed.segments.length} segments of ${probed.targetDurationMs / 1_000} s, ${probed.endList ? 'ended' : 'goes on'}`,
      );
    case 'file':
      return [
        ...line('format', probed.format),
        ...probed.tracks.flatMap((track) =>
          line(
            track.kind,
            words([
              track.codecString ?? track.codec ?? undefined,
              track.kind === 'video' ? size(track.width, track.height) : undefined,
              track.kind === 'audio' ? `${track.sampleRate} Hz` : undefined,
            ]),
          ),
        ),
      ];
    case 'stream': {
      const { media, mediaProblem } = probed;
      return [
        ...line('problem', mediaProblem && `${mediaProblem.message} [${mediaProblem.code}]`),
        ...line('format', media?.format),
        ...(media?.streams ?? []).flatMap((stream) =>
          line(
            stream.kind,
            words([
              stream.codec,
              size(stream.width, stream.height, stream.framesPerSecond),
              stream.sampleRate === undefined ? undefined : `${stream.sampleRate} Hz`,
              stream.bitsPerSecond === undefined ? undefined : bitRateText(stream.bitsPerSecond),
              stream.language,
            ]),
          ),
        ),
      ];
    }
  }
}

/** A table: one format a line, the best last, as whoever resolved it lists them. */
function formatLines({ formats }: Link): string[] {
  return formats.flatMap((format) =>
    line(
      'format',
      words([
        format.id,
        format.protocol,
        format.container,
        size(format.width, format.height, format.framesPerSecond),
        format.bitsPerSecond === undefined ? undefined : bitRateText(format.bitsPerSecond),
        codecWord(format.videoCodec),
        codecWord(format.audioCodec),
        format.language,
      ]),
    ),
  );
}

const codecWord = (codec: string | undefined) => (codec === 'none' ? undefined : codec);

function size(width?: number, height?: number, framesPerSecond?: number): string | undefined {
  if (height === undefined) return undefined;
  const rate = framesPerSecond === undefined ? '' : ` ${Math.round(framesPerSecond)} fps`;
  return `${width ?? '?'}×${height}${rate}`;
}

const words = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('  ');
