import { z } from 'zod';

/** What a master playlist offers, by the names of the origin's streams. Plain JSON. */
export const MasterOptions = z.object({
  /** Best first. Two with the same stream through different doors are redundant variants. */
  variants: z.array(
    z.object({
      stream: z.string(),
      /** Its address is an absolute one, through this door. */
      door: z.string().optional(),
      /** Groups of renditions. */
      audio: z.string().optional(),
      subtitles: z.string().optional(),
    }),
  ),
  renditions: z
    .array(
      z.object({
        kind: z.enum(['audio', 'subtitles']),
        group: z.string(),
        stream: z.string(),
        name: z.string(),
        language: z.string().optional(),
        default: z.boolean().default(false),
      }),
    )
    .default([]),
  /** EXT-X-DEFINE lines: values by name. */
  define: z.record(z.string(), z.string()).default({}),
});
export type MasterOptions = z.input<typeof MasterOptions>;
export type ResolvedMaster = z.output<typeof MasterOptions>;

/** What a stream says about itself in a master playlist. */
export interface Described {
  readonly uri: string;
  readonly bandwidth: number;
  /** 0 without video. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly codecs: string;
}

type Describe = (stream: string, door?: string) => Described;

/** Writes a master playlist. */
export function renderMaster(
  { variants, renditions, define }: ResolvedMaster,
  describe: Describe,
): string {
  const text = ['#EXTM3U', `#EXT-X-VERSION:${Object.keys(define).length > 0 ? 8 : 3}`];
  for (const [name, value] of Object.entries(define)) {
    text.push(`#EXT-X-DEFINE:NAME="${name}",VALUE="${value}"`);
  }
  for (const rendition of renditions) {
    const { kind, group, name, language } = rendition;
    const attributes = [
      `TYPE=${kind.toUpperCase()}`,
      `GROUP-ID="${group}"`,
      `NAME="${name}"`,
      ...(language === undefined ? [] : [`LANGUAGE="${language}"`]),
      `DEFAULT=${rendition.default ? 'YES' : 'NO'}`,
      'AUTOSELECT=YES',
      `URI="${describe(rendition.stream).uri}"`,
    ];
    text.push(`#EXT-X-MEDIA:${attributes.join(',')}`);
  }
  for (const { stream, door, audio, subtitles } of variants) {
    const sound = renditions.find(({ kind, group }) => kind === 'audio' && group === audio);
    const parts = [describe(stream, door), ...(sound ? [describe(sound.stream)] : [])];
    text.push(`#EXT-X-STREAM-INF:${variantAttributes(parts, { audio, subtitles }).join(',')}`);
    text.push(parts[0]?.uri ?? '');
  }
  return `${text.join('\n')}\n`;
}

function variantAttributes(
  parts: readonly Described[],
  groups: { readonly audio: string | undefined; readonly subtitles: string | undefined },
): string[] {
  const [video] = parts;
  const hasPicture = video !== undefined && video.width > 0;
  return [
    `BANDWIDTH=${parts.reduce((sum, { bandwidth }) => sum + bandwidth, 0)}`,
    ...(hasPicture ? [`RESOLUTION=${video.width}x${video.height}`] : []),
    ...(hasPicture ? [`FRAME-RATE=${video.frameRate.toFixed(3)}`] : []),
    `CODECS="${parts.map(({ codecs }) => codecs).join(',')}"`,
    ...(groups.audio === undefined ? [] : [`AUDIO="${groups.audio}"`]),
    ...(groups.subtitles === undefined ? [] : [`SUBTITLES="${groups.subtitles}"`]),
  ];
}
