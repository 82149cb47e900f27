import type { types } from 'hls-parser';
import HLS from 'hls-parser';
import { KennelError } from '../../core/errors.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import { cutHead, mediaLines, mediaText, tagName } from './mediaLines.ts';
import type { ByteRange, MediaPlaylist, PlaylistCut, PlaylistSegment } from './model.ts';
import { httpUrl, segmentIdentity } from './segmentIdentity.ts';

// The parser writes every complaint to the console otherwise, and each copy of it has only this global switch.
HLS.setOptions({ silent: true });

/** Reads the cleaned lines of a media playlist. Throws `playlist.invalid` and `source.encrypted`. */
export function mediaModel(lines: readonly string[], url: URL, cut?: PlaylistCut): MediaPlaylist {
  const whole = mediaLines(lines);
  const media = cut === undefined ? whole : cutHead(whole, cut, url);
  const text = mediaText(media);
  const parsed = parse(text);
  const segments = withDates(parsed.segments.map((segment) => segmentModel(segment, url)));
  return {
    kind: 'media',
    targetDurationMs: media.targetDurationS * 1000,
    mediaSequence: whole.mediaSequence,
    discontinuitySequence: whole.discontinuitySequence,
    endList: parsed.endlist,
    windowMs: whole.segments.reduce((sum, { durationS }) => sum + durationS * 1000, 0),
    segments: withDistinctIdentities(segments),
  };
}

function parse(text: string): types.MediaPlaylist {
  try {
    const parsed = HLS.parse(text);
    if (!parsed.isMasterPlaylist) return parsed;
  } catch (error) {
    // Only keys, initialisation sections, byte ranges and dates are left that can be unreadable.
    const readable = text
      .split('\n')
      .filter((line) => !line.startsWith('#') || isReadable(line) || isVital(line));
    if (readable.length < text.split('\n').length) return parse(readable.join('\n'));
    throw invalidPlaylist('the parser gave up', text, error);
  }
  throw invalidPlaylist('it is a master playlist as well', text);
}

/** Without these lines the rest would be a lie: clear text that is encrypted, or half of a segment. */
const isVital = (line: string): boolean =>
  ['EXT-X-KEY', 'EXT-X-MAP', 'EXT-X-BYTERANGE'].includes(tagName(line));

function isReadable(line: string): boolean {
  try {
    HLS.parse(`#EXTM3U\n${line}`);
    return true;
  } catch {
    return false;
  }
}

function segmentModel(segment: types.Segment, base: URL): PlaylistSegment {
  const url = httpUrl(segment.uri, base);
  const range = segment.byterange as ByteRange | undefined | null;
  // A range may leave its beginning to the one before it; the parser says -1 when there is none before it.
  const addressable = url !== undefined && (range?.offset ?? 0) >= 0;
  const init = initModel(segment, base);
  const key = keyModel(segment.key, base);
  const at = segment.programDateTime?.getTime();
  return {
    msn: segment.mediaSequenceNumber,
    url: url ?? base,
    identity: url === undefined ? segment.uri : segmentIdentity(url, range ?? undefined),
    durationMs: Math.round(segment.duration * 1000),
    discontinuity: segment.discontinuitySequence,
    gap: segment.gap === true || !addressable,
    ...(init && { init }),
    ...(range && { range: { offset: range.offset, length: range.length } }),
    ...(key && { key }),
    ...(at !== undefined && !Number.isNaN(at) && { wallClock: at }),
  };
}

function initModel(segment: types.Segment, base: URL): PlaylistSegment['init'] {
  // The parser's type leaves out that there may be none.
  const map = segment.map as typeof segment.map | null | undefined;
  if (map === undefined || map === null) return undefined;
  // Nor does its type say that the address can be missing.
  const reference = map.uri as string | undefined;
  const url = reference === undefined ? undefined : httpUrl(reference, base);
  if (url === undefined) throw invalidPlaylist('an EXT-X-MAP has no usable address');
  const { byterange } = map;
  const range = byterange && { length: byterange.length, offset: Math.max(0, byterange.offset) };
  return { url, ...(range && { range }) };
}

function keyModel(key: types.Segment['key'] | null, base: URL): PlaylistSegment['key'] {
  if (key === undefined || key === null || key.method === 'NONE') return undefined;
  if (key.method !== 'AES-128' || (key.format ?? 'identity') !== 'identity') {
    throw new KennelError(
      'source.encrypted',
      `The stream is encrypted with ${key.method} (${key.format ?? 'identity'}); Kennel does not record protected streams.`,
      { details: { method: key.method, format: key.format ?? 'identity' } },
    );
  }
  const url = key.uri === undefined ? undefined : httpUrl(key.uri, base);
  if (url === undefined) throw invalidPlaylist('an EXT-X-KEY has no usable address');
  const iv = key.iv && Buffer.from(new Uint8Array(key.iv)).toString('hex');
  return { method: 'AES-128', url, ...(iv !== undefined && { iv }) };
}

/** Carries each EXT-X-PROGRAM-DATE-TIME on to the segments after it, up to the next date or discontinuity. */
function withDates(segments: readonly PlaylistSegment[]): PlaylistSegment[] {
  let next: number | undefined;
  let discontinuity = segments[0]?.discontinuity;
  return segments.map((segment) => {
    if (segment.discontinuity !== discontinuity) next = undefined;
    discontinuity = segment.discontinuity;
    const wallClock = segment.wallClock ?? next;
    next = wallClock === undefined ? undefined : wallClock + segment.durationMs;
    return wallClock === undefined ? segment : { ...segment, wallClock };
  });
}

/** Some origins tell segments apart by the query alone (`chunk?n=7`): there the query belongs to the identity. */
function withDistinctIdentities(segments: readonly PlaylistSegment[]): PlaylistSegment[] {
  const seen = new Set(segments.map(({ identity }) => identity));
  if (seen.size === segments.length) return [...segments];
  return segments.map((segment) => ({
    ...segment,
    identity: segmentIdentity(segment.url, segment.range, true),
  }));
}
