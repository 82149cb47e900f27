import { invalidPlaylist } from './invalidPlaylist.ts';
import type { PlaylistCut } from './model.ts';
import { httpUrl, segmentIdentity } from './segmentIdentity.ts';

/** Apple's recommended segment duration; used where a playlist tells neither a target nor any EXTINF. Seconds. */
const TARGET_DURATION_DEFAULT_S = 6;
/** No player waits longer than this for one segment; larger numbers are typing errors. Seconds. */
const DURATION_MAX_S = 3600;

/** Tags that the model is made of. Every other line is left out, so that it cannot hurt. */
const HEADER_TAGS = new Set(['EXT-X-VERSION', 'EXT-X-ENDLIST', 'EXT-X-PLAYLIST-TYPE']);
const SEGMENT_TAGS = new Set([
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-KEY',
  'EXT-X-MAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
]);

/** One segment's tag lines (EXTINF apart) and its address. */
export interface SegmentLines {
  readonly tags: readonly string[];
  readonly durationS: number;
  readonly uri: string;
}

/** A media playlist's lines, cleaned and grouped, before the parser sees them. */
export interface MediaLines {
  readonly header: readonly string[];
  readonly targetDurationS: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly segments: readonly SegmentLines[];
}

export const tagName = (line: string): string => {
  const colon = line.indexOf(':');
  return (colon === -1 ? line.slice(1) : line.slice(1, colon)).trim();
};

export const tagValue = (line: string): string => {
  const colon = line.indexOf(':');
  return colon === -1 ? '' : line.slice(colon + 1).trim();
};

/** A sequence number. Unreadable counts as missing, which is 0 (RFC 8216 §4.3.3.2); one that cannot be true is refused. */
function sequenceNumber(line: string): number {
  const value = Number.parseFloat(tagValue(line));
  if (Number.isNaN(value)) return 0;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalidPlaylist(`${tagName(line)} is not a sequence number`, tagValue(line));
  }
  return value;
}

const seconds = (text: string): number | undefined => {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) && value >= 0 ? Math.min(value, DURATION_MAX_S) : undefined;
};

/**
 * Groups the lines of a media playlist. A line that cannot be read costs that line: unknown tags are left out, an address
 * without EXTINF keeps its number (the origin counts it, and so must we) and gets the target duration, and tags that no
 * address follows (a cut-off end, low-latency parts) are dropped.
 */
export function mediaLines(lines: readonly string[]): MediaLines {
  const header: string[] = [];
  const drafts: { tags: string[]; durationS: number | undefined; uri: string }[] = [];
  let target: number | undefined;
  let mediaSequence: number | undefined;
  let discontinuitySequence: number | undefined;
  let tags: string[] = [];
  let durationS: number | undefined;
  for (const line of lines) {
    if (!line.startsWith('#')) {
      drafts.push({ tags, durationS, uri: line });
      tags = [];
      durationS = undefined;
      continue;
    }
    const name = tagName(line);
    if (name === 'EXTINF') durationS = seconds(tagValue(line));
    else if (SEGMENT_TAGS.has(name)) tags.push(line);
    else if (name === 'EXT-X-TARGETDURATION') target ??= seconds(tagValue(line)) || undefined;
    else if (name === 'EXT-X-MEDIA-SEQUENCE') mediaSequence ??= sequenceNumber(line);
    else if (name === 'EXT-X-DISCONTINUITY-SEQUENCE')
      discontinuitySequence ??= sequenceNumber(line);
    else if (HEADER_TAGS.has(name)) header.push(line);
    else if (name === 'EXT-X-SKIP') throw invalidPlaylist('it is a delta update nobody asked for');
  }
  const longest = Math.max(0, ...drafts.slice(-100).map((draft) => draft.durationS ?? 0));
  const targetDurationS = target ?? (Math.ceil(longest) || TARGET_DURATION_DEFAULT_S);
  return {
    header,
    targetDurationS,
    mediaSequence: mediaSequence ?? 0,
    discontinuitySequence: discontinuitySequence ?? 0,
    segments: drafts.map((draft) => ({ ...draft, durationS: draft.durationS ?? targetDurationS })),
  };
}

/** Whether the segment that anchors the cut is still the one under its number. */
function anchored(media: MediaLines, cut: PlaylistCut, base: URL): boolean {
  const anchor = media.segments[cut.anchor.msn - media.mediaSequence];
  const url = anchor && httpUrl(anchor.uri, base);
  if (url === undefined) return false;
  return [false, true].some(
    (full) => segmentIdentity(url, undefined, full) === cut.anchor.identity,
  );
}

/** The date of the segment at `index`, carried on from the last EXT-X-PROGRAM-DATE-TIME before it. */
function carriedDate(media: MediaLines, index: number): string | undefined {
  let at: number | undefined;
  for (const { tags, durationS } of media.segments.slice(0, index)) {
    const tag = tags.find((line) => tagName(line) === 'EXT-X-PROGRAM-DATE-TIME');
    if (tag !== undefined) at = Date.parse(tagValue(tag));
    else if (tags.some((line) => tagName(line) === 'EXT-X-DISCONTINUITY')) at = undefined;
    if (at !== undefined) at += durationS * 1000;
  }
  if (at === undefined || Number.isNaN(at)) return undefined;
  return `#EXT-X-PROGRAM-DATE-TIME:${new Date(at).toISOString()}`;
}

/**
 * The same playlist without the segments before `cut.fromMsn`, with what they hand on: key, initialisation section,
 * discontinuity count and date. Whole when it cannot be cut safely: the anchor moved, or byte ranges build on each other.
 */
export function cutHead(media: MediaLines, cut: PlaylistCut, base: URL): MediaLines {
  const index = cut.fromMsn - media.mediaSequence;
  const next = media.segments[index];
  if (next === undefined || index <= 0 || !anchored(media, cut, base)) return media;
  const head = media.segments.slice(0, index);
  const has = (tag: string) => (segment: SegmentLines) =>
    segment.tags.some((line) => tagName(line) === tag);
  if (media.segments.some(has('EXT-X-BYTERANGE'))) return media;
  const last = (tag: string) =>
    head.findLast(has(tag))?.tags.filter((line) => tagName(line) === tag) ?? [];
  const date = carriedDate(media, index);
  const restarts = has('EXT-X-DISCONTINUITY')(next) || has('EXT-X-PROGRAM-DATE-TIME')(next);
  const inherited = [
    ...last('EXT-X-KEY'),
    ...last('EXT-X-MAP'),
    ...(date === undefined || restarts ? [] : [date]),
  ];
  return {
    ...media,
    mediaSequence: cut.fromMsn,
    discontinuitySequence:
      media.discontinuitySequence + head.filter(has('EXT-X-DISCONTINUITY')).length,
    segments: [{ ...next, tags: [...inherited, ...next.tags] }, ...media.segments.slice(index + 1)],
  };
}

/** The cleaned playlist as text for the parser. EXTINF titles are left out: the parser throws on some of them. */
export function mediaText(media: MediaLines): string {
  const lines = [
    '#EXTM3U',
    ...media.header,
    `#EXT-X-TARGETDURATION:${media.targetDurationS}`,
    `#EXT-X-MEDIA-SEQUENCE:${media.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${media.discontinuitySequence}`,
  ];
  for (const { tags, durationS, uri } of media.segments) {
    lines.push(...tags, `#EXTINF:${durationS},`, uri);
  }
  return lines.join('\n');
}
