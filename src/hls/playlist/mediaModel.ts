import { MARKS_MAX, markKind, markOf } from './marks.ts';
import {
  type MediaFacts,
  MediaScan,
  type MediaScanOptions,
  type SegmentDraft,
} from './mediaScan.ts';
import type { MediaPlaylist, PlaylistCut, PlaylistSegment } from './model.ts';
import { segmentIdentity } from './segmentIdentity.ts';
import type { TagLine } from './tagLine.ts';

/** Apple's recommended segment duration; used where a playlist tells neither a target nor any EXTINF. Milliseconds. */
const TARGET_DURATION_DEFAULT_MS = 6_000;
/** Where it tells no target, the longest of so many of its last segments stands for it. */
const TARGET_SAMPLE_SEGMENTS = 100;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a media playlist. Throws `playlist.invalid` and `source.encrypted`. */
export function mediaModel(text: string, options: MediaScanOptions): MediaPlaylist {
  const facts =
    new MediaScan(text, options).facts() ??
    new MediaScan(text, { ...options, cut: undefined }).facts();
  // Without a cut nothing can have moved.
  if (facts === undefined) throw new Error('a playlist that was not cut was cut');
  const { header } = facts;
  const targetDurationMs = header.targetDurationMs ?? guessedTargetMs(facts.drafts);
  const segments = facts.drafts.map((draft) =>
    segmentModel(draft, { targetDurationMs, base: options.url }),
  );
  setDates(segments, facts.drafts);
  setMarks(segments, facts);
  const listed = withDistinctIdentities([...(facts.skipped?.segments ?? []), ...segments], facts);
  return {
    kind: 'media',
    targetDurationMs,
    mediaSequence: header.mediaSequence,
    discontinuitySequence: header.discontinuitySequence,
    endList: facts.endList,
    windowMs: facts.windowMs + facts.withoutDuration * targetDurationMs,
    segments: facts.skipped === undefined ? listed : cutHead(listed, options.cut),
    ...(header.serverControl && { serverControl: header.serverControl }),
  };
}

function guessedTargetMs(drafts: readonly SegmentDraft[]): number {
  const sample = drafts.slice(-TARGET_SAMPLE_SEGMENTS).map(({ durationMs }) => durationMs ?? 0);
  return Math.ceil(Math.max(0, ...sample) / 1000) * 1000 || TARGET_DURATION_DEFAULT_MS;
}

function segmentModel(
  draft: SegmentDraft,
  { targetDurationMs, base }: { targetDurationMs: number; base: URL },
): Mutable<PlaylistSegment> {
  const { msn, url, range, init, key } = draft;
  const segment: Mutable<PlaylistSegment> = {
    msn,
    // A gap is never asked for, but has to stand somewhere.
    url: url ?? base,
    identity: identityOf(draft),
    durationMs: draft.durationMs ?? targetDurationMs,
    discontinuity: draft.discontinuity,
    gap: draft.gap || url === undefined || range === 'unknown',
  };
  if (init !== undefined) segment.init = init;
  if (range !== undefined && range !== 'unknown') segment.range = range;
  if (key !== undefined) segment.key = key;
  return segment;
}

function identityOf({ url, range, reference, msn }: SegmentDraft): string {
  if (url === undefined) return reference;
  // Nothing but its number tells it from others in the same resource.
  return range === 'unknown' ? `${url.pathname}@#${msn}` : segmentIdentity(url, range);
}

/**
 * Carries each date on to the segments after it, up to the next date or discontinuity, and back from the first date of a
 * timeline to the segments before it (RFC 8216 §6.3.3).
 */
function setDates(
  segments: readonly Mutable<PlaylistSegment>[],
  drafts: readonly SegmentDraft[],
): void {
  let before: PlaylistSegment | undefined;
  for (const [index, segment] of segments.entries()) {
    const continues = before?.discontinuity === segment.discontinuity;
    const date = drafts[index]?.date;
    const carried =
      continues && before?.wallClock !== undefined
        ? before.wallClock + before.durationMs
        : undefined;
    const wallClock = date ?? carried;
    if (wallClock !== undefined) {
      segment.wallClock = wallClock;
      if (carried === undefined) dateBackwards(segments, index);
    }
    before = segment;
  }
}

function dateBackwards(segments: readonly Mutable<PlaylistSegment>[], from: number): void {
  let after = segments[from];
  for (let index = from - 1; index >= 0; index--) {
    const segment = segments[index];
    if (after?.wallClock === undefined || segment === undefined) return;
    if (segment.discontinuity !== after.discontinuity || segment.wallClock !== undefined) return;
    segment.wallClock = after.wallClock - segment.durationMs;
    after = segment;
  }
}

/**
 * Gives each segment the marks that stand before it. Date ranges after the last one are its own, as they may describe anything;
 * other marks there wait for the segment that they announce, unless none will come. A delta update that lists no segment of its
 * own leaves its marks to the next one, which lists them again.
 */
function setMarks(segments: readonly Mutable<PlaylistSegment>[], facts: MediaFacts): void {
  let free = MARKS_MAX;
  const trailing = facts.endList
    ? facts.trailing
    : facts.trailing.filter(({ name }) => markKind(name) === 'daterange');
  for (let index = segments.length - 1; index >= 0 && free > 0; index--) {
    const segment = segments[index];
    const before = facts.drafts[index]?.marks ?? [];
    const tags = index === segments.length - 1 ? [...before, ...trailing] : before;
    if (segment === undefined || tags.length === 0) continue;
    segment.marks = marksOf(tags.slice(-free));
    free -= segment.marks.length;
  }
}

const marksOf = (tags: readonly TagLine[]) =>
  tags.flatMap((tag) => {
    const kind = markKind(tag.name);
    return kind === undefined ? [] : [markOf(kind, tag)];
  });

/**
 * Some origins tell segments apart by the query alone (`chunk?n=7`): there the query belongs to the identity. So it does in a
 * tail, or after skipped segments, whose neighbours before are known that way.
 */
function withDistinctIdentities(
  segments: readonly PlaylistSegment[],
  { isFull, skipped }: MediaFacts,
): readonly PlaylistSegment[] {
  const wasFull = skipped !== undefined && isKnownByQuery(skipped.last);
  const paths = new Set(segments.map(({ identity }) => identity));
  if (!isFull && !wasFull && paths.size === segments.length) return segments;
  return segments.map((segment) =>
    isPlaced(segment)
      ? { ...segment, identity: segmentIdentity(segment.url, segment.range, true) }
      : segment,
  );
}

const isPlaced = ({ url, range, identity }: PlaylistSegment): boolean =>
  identity === segmentIdentity(url, range);

const isKnownByQuery = ({ url, range, identity }: PlaylistSegment): boolean =>
  identity !== segmentIdentity(url, range) && identity === segmentIdentity(url, range, true);

/** What was skipped would pile up otherwise: a delta update hands on what the one before it had. */
function cutHead(
  segments: readonly PlaylistSegment[],
  cut: PlaylistCut | undefined,
): readonly PlaylistSegment[] {
  const anchor = segments.find(({ msn }) => msn === cut?.anchor.msn);
  if (cut === undefined || anchor?.identity !== cut.anchor.identity) return segments;
  return segments.filter(({ msn }) => msn >= cut.fromMsn);
}
