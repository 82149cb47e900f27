/** Part of a resource: `length` bytes from `offset` on. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** An initialisation section (EXT-X-MAP). */
export interface InitSection {
  readonly url: URL;
  readonly range?: ByteRange;
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
  /** Its sound is in playlists of its own. */
  readonly separateAudio: boolean;
}

export interface MasterPlaylist {
  readonly kind: 'master';
  readonly variants: readonly Variant[];
}

/**
 * Where a long playlist may be cut: everything before `fromMsn` is settled. It is cut only when the segment numbered
 * `anchor.msn` still has the identity it had: otherwise the numbers mean something else now and all of it is read.
 */
export interface PlaylistCut {
  readonly fromMsn: number;
  readonly anchor: { readonly msn: number; readonly identity: string };
}
