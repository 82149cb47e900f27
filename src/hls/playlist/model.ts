import type { MarkKind } from '../../ledger/record.ts';

/** Part of a resource: `length` bytes from `offset` on. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** An initialisation section (EXT-X-MAP). */
export interface InitSection {
  readonly url: URL;
  readonly range?: ByteRange;
  /** It is encrypted as well (an EXT-X-KEY stands before it). Then the key names its IV. */
  readonly key?: SegmentEncryption;
}

/** How a segment is encrypted (EXT-X-KEY, method AES-128; everything else is refused while parsing). */
export interface SegmentEncryption {
  readonly method: 'AES-128';
  readonly url: URL;
  /** 32 hex digits. Absent: it follows from the media sequence number (RFC 8216 §5.2). */
  readonly iv?: string;
}

/** One whole media segment of a playlist. Low-latency parts never become segments. */
export interface PlaylistSegment {
  /** Media sequence number. */
  readonly msn: number;
  readonly url: URL;
  /**
   * What stays the same when the origin lists the same media again: the path and the byte range, without host and query
   * (tokens rotate). With the query where the paths of one playlist are not distinct.
   */
  readonly identity: string;
  /** EXTINF, milliseconds; the target duration where the line was missing or unreadable. */
  readonly durationMs: number;
  /** Discontinuity sequence number; a change between neighbours is a break in the timeline. */
  readonly discontinuity: number;
  readonly init?: InitSection;
  /** Start of the segment by EXT-X-PROGRAM-DATE-TIME, carried on from its predecessors; milliseconds since the epoch. */
  readonly wallClock?: number;
  /** The origin says that this segment does not exist (EXT-X-GAP), or its address cannot be one. */
  readonly gap: boolean;
  readonly range?: ByteRange;
  readonly key?: SegmentEncryption;
  /** Marks that stand before it, in order. */
  readonly marks?: readonly PlaylistMark[];
}

/** See `MarkSeen` of the ledger. */
export interface PlaylistMark {
  readonly kind: MarkKind;
  /** Without `#`. */
  readonly tag: string;
  readonly value: string;
  /** ID of a date range. */
  readonly id?: string;
  /** START-DATE of a date range, milliseconds since the epoch. */
  readonly startsAt?: number;
  readonly durationMs?: number;
}

/** What a low-latency origin offers (EXT-X-SERVER-CONTROL). */
export interface ServerControl {
  /** The origin holds an answer back until the segment that `_HLS_msn` names is whole. */
  readonly canBlockReload: boolean;
  /** Delta updates (`_HLS_skip=YES`) may leave out what is older than this, milliseconds; absent: it makes none. */
  readonly canSkipUntilMs?: number;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  readonly targetDurationMs: number;
  /** Number of the first segment in the playlist, also when `segments` begins later because the head was cut off. */
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly endList: boolean;
  /** Duration of everything listed, the part that was cut off included, milliseconds. */
  readonly windowMs: number;
  /** Without holes, in order of `msn`. */
  readonly segments: readonly PlaylistSegment[];
  readonly serverControl?: ServerControl;
}

/** One way to watch: a media playlist with what the master playlist says about it. */
export interface Variant {
  readonly url: URL;
  /** Bits per second; 0 where the playlist does not say. */
  readonly bandwidth: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly codecs?: string;
  /** NAME of the stream, or the name of its video rendition. */
  readonly name?: string;
  /** Known to carry no video. */
  readonly audioOnly: boolean;
  /** Separate renditions that belong to it, in the order of the playlist; those without an address of their own are left out. */
  readonly renditions: readonly Rendition[];
  /** One of its audio renditions has no address: its sound is in the variant's own segments. */
  readonly hasOwnAudio?: boolean;
  /** Addresses of the same variant elsewhere (redundant streams, pathways), in the order of the playlist, `url` not among them. */
  readonly mirrors: readonly URL[];
}

/** Sound or subtitles in a playlist of their own (EXT-X-MEDIA with a URI). */
export interface Rendition {
  readonly kind: 'audio' | 'subtitles';
  readonly url: URL;
  readonly name: string;
  readonly language?: string;
  /** DEFAULT=YES: what a player takes when nobody chooses. */
  readonly isDefault: boolean;
  readonly isForced: boolean;
  readonly channels?: string;
}

export interface MasterPlaylist {
  readonly kind: 'master';
  readonly variants: readonly Variant[];
  /** EXT-X-DEFINE: what its media playlists may import. */
  readonly variables: Variables;
}

/** EXT-X-DEFINE, by name. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Where a long playlist may be cut: everything before `fromMsn` is settled. It is cut only when the segment numbered
 * `anchor.msn` still has the identity it had: otherwise the numbers mean something else now and all of it is read.
 */
export interface PlaylistCut {
  readonly fromMsn: number;
  readonly anchor: { readonly msn: number; readonly identity: string };
}
