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
  /** Lines without their `#` that stand before it. */
  readonly marks?: readonly string[];
  /** EXT-X-PART lines before it. */
  readonly parts?: readonly PartLine[];
}

export interface PartLine {
  readonly uri: string;
  readonly durationMs: number;
  readonly independent: boolean;
}

export interface LowLatencyLines {
  readonly partMs: number;
  readonly blocks: boolean;
  readonly skipUntilMs?: number | undefined;
  /** Parts of the segment that is not whole yet. */
  readonly open: readonly PartLine[];
  /** The part that comes next. */
  readonly hint?: string | undefined;
}

export interface MediaPlaylist {
  readonly lines: readonly Line[];
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly targetDurationMs: number;
  readonly type?: 'VOD' | undefined;
  readonly ended: boolean;
  /** Attributes of EXT-X-DEFINE. */
  readonly define?: string | undefined;
  readonly lowLatency?: LowLatencyLines | undefined;
  /** EXT-X-SKIP: the first so many of `lines` are left out. */
  readonly skipped?: number;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

export function renderMedia(playlist: MediaPlaylist): string {
  const { lowLatency, skipped = 0 } = playlist;
  const text = [
    '#EXTM3U',
    `#EXT-X-VERSION:${versionOf(playlist)}`,
    `#EXT-X-TARGETDURATION:${Math.ceil(playlist.targetDurationMs / 1_000)}`,
    ...(playlist.define === undefined ? [] : [`#EXT-X-DEFINE:${playlist.define}`]),
    ...(lowLatency === undefined ? [] : serverControl(lowLatency)),
    `#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`,
  ];
  if (playlist.discontinuitySequence > 0) {
    text.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  }
  if (playlist.type !== undefined) text.push(`#EXT-X-PLAYLIST-TYPE:${playlist.type}`);
  if (skipped > 0) text.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  // What is skipped counts as said: a key or section that was in force there is not said again.
  let before = playlist.lines[skipped - 1];
  for (const line of playlist.lines.slice(skipped)) {
    text.push(...renderLine(line, before));
    before = line;
  }
  if (lowLatency !== undefined) {
    text.push(...lowLatency.open.map(partLine));
    if (lowLatency.hint) text.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${lowLatency.hint}"`);
  }
  if (playlist.ended) text.push('#EXT-X-ENDLIST');
  return `${text.join('\n')}\n`;
}

function versionOf({ lines, lowLatency, define }: MediaPlaylist): number {
  if (lowLatency !== undefined) return 9;
  if (define !== undefined) return 8;
  if (lines.some(({ map }) => map !== undefined)) return 7;
  return lines.some(({ range }) => range !== undefined) ? 4 : 3;
}

function serverControl({ partMs, blocks, skipUntilMs }: LowLatencyLines): string[] {
  const attributes = [
    ...(blocks ? ['CAN-BLOCK-RELOAD=YES'] : []),
    `PART-HOLD-BACK=${seconds(3 * partMs)}`,
    ...(skipUntilMs === undefined ? [] : [`CAN-SKIP-UNTIL=${seconds(skipUntilMs)}`]),
  ];
  return [
    `#EXT-X-SERVER-CONTROL:${attributes.join(',')}`,
    `#EXT-X-PART-INF:PART-TARGET=${seconds(partMs)}`,
  ];
}

const partLine = ({ uri, durationMs, independent }: PartLine): string =>
  `#EXT-X-PART:DURATION=${seconds(durationMs)},URI="${uri}"${independent ? ',INDEPENDENT=YES' : ''}`;

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
  text.push(...(line.marks ?? []).map((mark) => `#${mark}`));
  text.push(...(line.parts ?? []).map(partLine));
  text.push(`#EXTINF:${seconds(line.durationMs)},`);
  if (line.range) text.push(`#EXT-X-BYTERANGE:${line.range.bytes}@${line.range.offset}`);
  if (line.gap) text.push('#EXT-X-GAP');
  text.push(line.uri);
  return text;
}
