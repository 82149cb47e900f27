/** What the origin process is started with: one JSON object as its only argument. */
export interface OriginOrder {
  /** Holds the segments. */
  readonly directory: string;
  readonly streams: number;
  readonly tls: boolean;
}

/** What it prints as its first line. */
export interface OriginAddress {
  readonly port: number;
}

/** What one recorder has fetched so far, as `GET /served` tells it, by the recorder's name. */
export interface Served {
  /** Of whole segments. */
  readonly bytes: number;
  readonly segments: number;
  /** Streams of which at least one segment was served whole. */
  readonly streams: number;
  /** Segments between the first and the last of each stream that were never served whole. */
  readonly missing: number;
  /** Segments that were served more than once. */
  readonly again: number;
}

/** Segments in a playlist. */
export const WINDOW = 6;
/** How much longer than its playlist a segment can be fetched, in segments; then it is 404. */
export const KEPT_BEHIND = 6;
