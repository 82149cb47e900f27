/** One segment as the playlist names it. */
export interface Line {
  readonly uri: string;
  readonly durationMs: number;
  readonly discontinuity: boolean;
  /** EXT-X-MAP in force; written when it differs from the one before. */
  readonly map?: string | undefined;
  /** Attributes of the EXT-X-KEY in force; written when they differ from those before. */
  readonly key?: string | undefined;
  /** EXT-X-BYTERANGE: the part of the file at `uri` that is this segment. */
  readonly range?: { readonly offset: number; readonly bytes: number } | undefined;
  /** EXT-X-GAP: the origin itself has no such segment. */
  readonly gap?: boolean;
  /** Milliseconds since the epoch. */
  readonly programDateTime?: number | undefined;
}

export interface MediaPlaylist {
  readonly lines: readonly Line[];
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly targetDurationMs: number;
  readonly type?: 'VOD' | undefined;
  readonly ended: boolean;
}

export interface Variant {
  readonly uri: string;
  readonly bandwidth: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly codecs: string;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

export function renderMedia(playlist: MediaPlaylist): string {
  const hasMap = playlist.lines.some(({ map }) => map !== undefined);
  const hasRange = playlist.lines.some(({ range }) => range !== undefined);
  const text = [
    '#EXTM3U',
    `#EXT-X-VERSION:${hasMap ? 7 : hasRange ? 4 : 3}`,
    `#EXT-X-TARGETDURATION:${Math.ceil(playlist.targetDurationMs / 1_000)}`,
    `#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`,
  ];
  if (playlist.discontinuitySequence > 0) {
    text.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  }
  if (playlist.type !== undefined) text.push(`#EXT-X-PLAYLIST-TYPE:${playlist.type}`);
  let before: Line | undefined;
  for (const line of playlist.lines) {
    text.push(...renderLine(line, before));
    before = line;
  }
  if (playlist.ended) text.push('#EXT-X-ENDLIST');
  return `${text.join('\n')}\n`;
}

function renderLine(line: Line, before: Line | undefined): string[] {
  const text: string[] = [];
  if (line.discontinuity) text.push('#EXT-X-DISCONTINUITY');
  if (line.map !== undefined && line.map !== before?.map) {
    text.push(`#EXT-X-MAP:URI="${line.map}"`);
  }
  if (line.key !== undefined && line.key !== before?.key) text.push(`#EXT-X-KEY:${line.key}`);
  if (line.programDateTime !== undefined) {
    text.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(line.programDateTime).toISOString()}`);
  }
  text.push(`#EXTINF:${seconds(line.durationMs)},`);
  if (line.range) text.push(`#EXT-X-BYTERANGE:${line.range.bytes}@${line.range.offset}`);
  if (line.gap) text.push('#EXT-X-GAP');
  text.push(line.uri);
  return text;
}

export function renderMaster(variants: readonly Variant[]): string {
  const text = ['#EXTM3U', '#EXT-X-VERSION:3'];
  for (const { uri, bandwidth, width, height, frameRate, codecs } of variants) {
    const attributes = [
      `BANDWIDTH=${bandwidth}`,
      `RESOLUTION=${width}x${height}`,
      `FRAME-RATE=${frameRate.toFixed(3)}`,
      `CODECS="${codecs}"`,
    ];
    text.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri);
  }
  return `${text.join('\n')}\n`;
}
