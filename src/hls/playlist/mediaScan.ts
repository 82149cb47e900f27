import { ByteRanges } from './byteRanges.ts';
import { deltaRefused, type Skipped, skippedSegments } from './deltaUpdate.ts';
import { DATE_TAG, HeadDate } from './headDate.ts';
import { InitLine } from './initLine.ts';
import { KeySet } from './keySet.ts';
import { markKind } from './marks.ts';
import type {
  ByteRange,
  InitSection,
  MediaPlaylist,
  PlaylistCut,
  SegmentEncryption,
  Variables,
} from './model.ts';
import { DURATION_TAG, passPlainHead } from './plainHead.ts';
import { PlaylistHeader } from './playlistHeader.ts';
import { durationMs, durationMsAt, instant } from './playlistNumbers.ts';
import { httpUrl, segmentIdentity } from './segmentIdentity.ts';
import { type TagLine, tagLine } from './tagLine.ts';
import { VariableScope } from './variableScope.ts';

const HASH = 35;
const SPACE = 32;
const ASCII_LAST = 127;

export interface MediaScanOptions {
  /** The playlist's own address. */
  readonly url: URL;
  readonly cut?: PlaylistCut | undefined;
  readonly variables?: Variables | undefined;
  readonly previous?: MediaPlaylist | undefined;
}

/** A segment as its lines say it. What only the whole playlist can tell is not decided yet. */
export interface SegmentDraft {
  readonly msn: number;
  /** As it is written, variables resolved. */
  readonly reference: string;
  /** Undefined: it is no address that can be asked for. */
  readonly url: URL | undefined;
  readonly durationMs: number | undefined;
  readonly discontinuity: number;
  readonly gap: boolean;
  readonly init: InitSection | undefined;
  readonly key: SegmentEncryption | undefined;
  /** `unknown`: it has one that cannot be read. */
  readonly range: ByteRange | 'unknown' | undefined;
  /** Of its own EXT-X-PROGRAM-DATE-TIME, or handed on by a head that was cut off. */
  readonly date: number | undefined;
  readonly marks: readonly TagLine[];
}

/** What one pass over the lines of a media playlist finds. */
export interface MediaFacts {
  readonly header: PlaylistHeader;
  readonly endList: boolean;
  readonly skipped: Skipped | undefined;
  /** Of the segments that have a duration, the skipped and those cut off included. */
  readonly windowMs: number;
  /** Listed segments that have none. */
  readonly withoutDuration: number;
  readonly drafts: readonly SegmentDraft[];
  /** Marks that no segment follows. */
  readonly trailing: readonly TagLine[];
  /** The segment that anchors the cut is known by its path and query. */
  readonly isFull: boolean;
}

/**
 * Reads a media playlist line by line. Lines of segments before `cut.fromMsn` are only counted: a long playlist costs as much as
 * finding its line ends. A line that cannot be read costs that line: unknown tags are passed over, an address without EXTINF
 * keeps its number (the origin counts it, and so must we), and tags that no address follows (low-latency parts, a cut-off
 * end) are dropped, marks excepted.
 */
export class MediaScan {
  readonly #text: string;
  readonly #base: URL;
  readonly #options: MediaScanOptions;
  readonly #variables: VariableScope;
  readonly #ranges = new ByteRanges();
  readonly #drafts: SegmentDraft[] = [];

  /** Counts up to the first segment, where RFC 8216 wants it to end. */
  readonly #header = new PlaylistHeader();
  #hasBegun = false;
  #endList = false;
  #skipped: Skipped | undefined;

  /** Number of the next segment, and what it takes over from those before it. */
  #next = 0;
  #discontinuity = 0;
  #keys: KeySet;
  #init: InitLine | { readonly section: InitSection } | undefined;
  #windowMs = 0;
  #withoutDuration = 0;
  readonly #headDate: HeadDate;
  #skippedDate: number | undefined;

  /** Byte ranges of one resource follow each other, and reading its address is what costs most. */
  #lastReference: string | undefined;
  #lastUrl: URL | undefined;

  /** What stands before the next segment. */
  #durationMs: number | undefined;
  #date: readonly [number, number] | undefined;
  #hasBreak = false;
  #gap = false;
  #range: string | undefined;
  #marks: TagLine[] = [];

  /** Segments before this number are only counted. 0: all are kept. */
  #keepFrom = 0;
  #anchor: 'unseen' | 'moved' | 'path' | 'full' = 'unseen';

  constructor(text: string, options: MediaScanOptions) {
    const { url, variables } = options;
    this.#text = text;
    this.#base = url;
    this.#options = options;
    this.#variables = new VariableScope({ url, imports: variables });
    this.#keys = KeySet.none(url);
    this.#headDate = new HeadDate(text);
  }

  /**
   * Undefined when the playlist cannot be cut where `cut` says: it is to be read without. Throws `playlist.invalid` (with
   * `details.delta` for a delta update that does not fit `previous`), `source.encrypted`.
   */
  facts(): MediaFacts | undefined {
    const text = this.#text;
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf('\n', start);
      const end = found === -1 ? text.length : found;
      const isAddress = this.#line(start, end);
      if (this.#anchor === 'moved') return undefined;
      start = isAddress ? this.#passHead(end + 1) : end + 1;
    }
    const isCut = this.#keepFrom > 0;
    if (isCut && (this.#anchor === 'unseen' || this.#drafts.length === 0)) return undefined;
    return {
      header: this.#header,
      endList: this.#endList,
      skipped: this.#skipped,
      windowMs: this.#windowMs,
      withoutDuration: this.#withoutDuration,
      drafts: this.#drafts,
      trailing: this.#marks,
      isFull: this.#anchor === 'full',
    };
  }

  /** Whether it was the address of a segment, so that nothing is pending any more. */
  #line(lineStart: number, end: number): boolean {
    const text = this.#text;
    let start = lineStart;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    if (start === end) return false;
    if (text.charCodeAt(start) !== HASH) {
      this.#address(start, end);
      return true;
    }
    if (text.startsWith(DURATION_TAG, start)) {
      this.#durationMs = durationMsAt(text, start + DURATION_TAG.length, end);
    } else if (text.startsWith(DATE_TAG, start)) this.#date = [start + DATE_TAG.length, end];
    else if (text.startsWith('#EXT', start)) {
      const tag = tagLine(text.slice(start, end));
      if (!isDate(tag)) this.#tag(tag);
      // Blanks stand before its colon.
      else if (tag.value !== '') this.#date = [text.indexOf(':', start) + 1, end];
    }
    return false;
  }

  /** Passes over what need not be read of the head, and says where reading goes on. */
  #passHead(from: number): number {
    const anchorMsn = this.#options.cut?.anchor.msn ?? 0;
    const upTo = this.#next <= anchorMsn ? Math.min(this.#keepFrom, anchorMsn) : this.#keepFrom;
    if (this.#next >= upTo) return from;
    const passed = passPlainHead(this.#text, {
      from,
      segmentsMax: upTo - this.#next,
      date: this.#headDate,
      targetDurationMs: this.#header.targetDurationMs ?? 0,
    });
    this.#next += passed.segments;
    this.#windowMs += passed.durationMs;
    this.#withoutDuration += passed.withoutDuration;
    return passed.end;
  }

  #tag(tag: TagLine): void {
    const { name, value } = tag;
    switch (name) {
      case 'EXTINF':
        this.#durationMs = durationMs(value);
        return;
      case 'EXT-X-BYTERANGE':
        this.#range = value;
        return;
      case 'EXT-X-DISCONTINUITY':
        this.#discontinuity++;
        this.#hasBreak = true;
        return;
      case 'EXT-X-GAP':
        this.#gap = true;
        return;
      case 'EXT-X-KEY':
        this.#keys = this.#keys.with(this.#variables.attributes(value));
        return;
      case 'EXT-X-MAP':
        this.#init = new InitLine(this.#variables.attributes(value), {
          base: this.#base,
          keys: this.#keys,
          ranges: this.#ranges,
        });
        return;
      case 'EXT-X-DEFINE':
        this.#variables.define(value);
        return;
      case 'EXT-X-SKIP':
        this.#skip(value);
        return;
      case 'EXT-X-ENDLIST':
        this.#endList = true;
        return;
      default:
        if (markKind(name) !== undefined) this.#mark(tag);
        else if (!this.#hasBegun) {
          this.#header.read(tag, () => this.#variables.attributes(value));
        }
    }
  }

  /** Marks of segments that are cut off were read when those were new. Date ranges may stand anywhere, new ones too. */
  #mark(tag: TagLine): void {
    if (this.#next >= this.#keepFrom || isDateRange(tag)) this.#marks.push(tag);
  }

  #begin(cut: PlaylistCut | undefined): void {
    this.#hasBegun = true;
    this.#next = this.#header.mediaSequence;
    if (cut === undefined || this.#header.targetDurationMs === undefined) return;
    if (cut.fromMsn <= this.#next) return;
    this.#keepFrom = cut.fromMsn;
    this.#marks = this.#marks.filter(isDateRange);
  }

  #skip(value: string): void {
    if (this.#hasBegun) throw deltaRefused('it skips segments after others');
    // What is skipped need not be cut off.
    this.#begin(undefined);
    const skipped = skippedSegments({
      count: this.#variables.attributes(value).get('SKIPPED-SEGMENTS'),
      mediaSequence: this.#next,
      previous: this.#options.previous,
    });
    const { last, segments } = skipped;
    this.#skipped = skipped;
    this.#next += skipped.count;
    this.#windowMs += skipped.durationMs;
    this.#discontinuity = last.discontinuity - this.#header.discontinuitySequence;
    this.#keys = KeySet.resumed(this.#base, last.key);
    this.#init = last.init && { section: last.init };
    this.#skippedDate = last.wallClock === undefined ? undefined : last.wallClock + last.durationMs;
    for (const { url, range } of segments) if (range) this.#ranges.ended(url.href, range);
  }

  #address(start: number, end: number): void {
    if (!this.#hasBegun) this.#begin(this.#options.cut);
    const msn = this.#next++;
    if (this.#durationMs === undefined) this.#withoutDuration++;
    else this.#windowMs += this.#durationMs;
    const isKept = msn >= this.#keepFrom;
    const isAnchor = this.#keepFrom > 0 && msn === this.#options.cut?.anchor.msn;
    if (isKept || isAnchor || this.#range !== undefined) {
      const reference = this.#variables.resolve(this.#text.slice(start, end).trim());
      const place = this.#place(reference);
      if (isAnchor) this.#anchor = this.#anchored(place);
      if (isKept) this.#keep(msn, { reference, ...place });
    }
    if (!isKept) this.#handOnDate();
    this.#durationMs = undefined;
    this.#date = undefined;
    this.#hasBreak = false;
    this.#gap = false;
    this.#range = undefined;
  }

  #place(reference: string): Pick<SegmentDraft, 'url' | 'range'> {
    if (reference !== this.#lastReference) {
      this.#lastReference = reference;
      this.#lastUrl = httpUrl(reference, this.#base);
    }
    const url = this.#lastUrl;
    if (this.#range === undefined) return { url, range: undefined };
    return { url, range: this.#ranges.ofSegment(this.#range, url?.href ?? reference) ?? 'unknown' };
  }

  /** Whether the segment that anchors the cut is still the one under its number, and how it is known. */
  #anchored({ url, range }: Pick<SegmentDraft, 'url' | 'range'>): 'moved' | 'path' | 'full' {
    const identity = this.#options.cut?.anchor.identity;
    if (url === undefined || range === 'unknown') return 'moved';
    if (segmentIdentity(url, range) === identity) return 'path';
    return segmentIdentity(url, range, true) === identity ? 'full' : 'moved';
  }

  #keep(msn: number, place: Pick<SegmentDraft, 'reference' | 'url' | 'range'>): void {
    this.#drafts.push({
      msn,
      reference: place.reference,
      url: place.url,
      durationMs: this.#durationMs,
      discontinuity: this.#header.discontinuitySequence + this.#discontinuity,
      gap: this.#gap,
      init: this.#init?.section,
      key: this.#keys.encryption,
      range: place.range,
      date: this.#ownDate() ?? (this.#drafts.length === 0 ? this.#handedOnDate() : undefined),
      marks: this.#marks,
    });
    this.#marks = [];
  }

  #ownDate(): number | undefined {
    return this.#date && instant(this.#text.slice(...this.#date));
  }

  #handOnDate(): void {
    if (this.#date !== undefined) this.#headDate.begin(...this.#date);
    else if (this.#hasBreak) this.#headDate.forget();
    this.#headDate.pass(this.#durationMs ?? this.#header.targetDurationMs ?? 0);
  }

  /** What the first segment that is kept takes over from what was cut off or skipped. */
  #handedOnDate(): number | undefined {
    if (this.#hasBreak) return undefined;
    const at = this.#headDate.handedOn;
    if (at !== 'unreadable') return at ?? this.#skippedDate;
    // Then a line before it counts: too rare to remember all of them.
    this.#anchor = 'moved';
    return undefined;
  }
}

const isBlank = (code: number): boolean =>
  code <= SPACE || (code > ASCII_LAST && String.fromCharCode(code).trim() === '');

const isDate = ({ name }: TagLine): boolean => DATE_TAG === `#${name}:`;

const isDateRange = ({ name }: TagLine): boolean => markKind(name) === 'daterange';
