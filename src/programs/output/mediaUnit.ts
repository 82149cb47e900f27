export type StreamKind = 'video' | 'sound' | 'data';

/** One picture, or one frame of sound, as far as it must be told apart from others. */
export interface MediaFrame {
  /** When it is decoded, milliseconds on the program's clock (wraps of MPEG-TS undone). */
  readonly startMs: number;
  /** Where the format says it, milliseconds. */
  readonly durationMs?: number;
  /** Of its content, without its timestamps. */
  readonly hash: number;
}

/** Frames of one elementary stream. */
export interface StreamFrames {
  /** `video:0`, `sound:1`: its kind, and which of that kind it is. The same from run to run. */
  readonly key: string;
  /** Empty when the unit has no timestamp: then it belongs to the one before it. */
  readonly frames: readonly MediaFrame[];
}

/** What a program says about its streams before it sends them. */
export interface MediaLayout {
  readonly container: 'ts' | 'fmp4';
  /** The stream whose timestamps are the account: the first video, or the first sound where there is none. */
  readonly primary: string | undefined;
  /** Differs when decoders have to begin anew. */
  readonly signature: string;
  /** MPEG-TS: packets with its tables, for the front of every piece. MP4: the initialisation section. */
  readonly head: Buffer;
}

/** The least that is stored or dropped as a whole: a PES packet (with all its packets), or a fragment (moof and mdat). */
export interface MediaUnit {
  readonly layout: MediaLayout;
  readonly streams: readonly StreamFrames[];
  /** A decoder can begin here. */
  readonly isKey: boolean;
  /** Valid only during the call that it is handed over by, unless it was kept. */
  readonly bytes: Buffer;
  /** The unit without so many of the first frames of its streams, by their keys; itself where it cannot be divided. */
  without(drops: ReadonlyMap<string, number>): MediaUnit;
}

/** Takes what a reader finds. */
export interface UnitSink {
  unit(unit: MediaUnit): void;
  /** Bytes were lost or broken here. `what`: for people. */
  damaged(what: string): void;
}

/** Reads what a program puts out. */
export interface UnitReader {
  /** Takes bytes in pieces of any size; they may change as soon as it returns. Throws `segment.invalid`. */
  write(bytes: Buffer): void;
  /** Nothing follows: what is whole is handed over. `isWhole`: nothing was cut off, so that the last picture is whole too. */
  end(isWhole?: boolean): void;
}

/** The unit with bytes of its own, for later. */
export function kept(unit: MediaUnit): MediaUnit {
  const { layout, streams, isKey, bytes, without } = unit;
  const copy = Buffer.from(bytes);
  return { layout, streams, isKey, bytes: copy, without };
}
