/**
 * The lines of a recording's journal. A journal only grows; it is the truth about what was recorded, and everything else
 * (the database's rows, the manifest, the proof) can be rebuilt from it.
 */
export type LedgerRecord =
  | RecordingOpened
  | AttemptBegan
  | RecordingStarted
  | EpochOpened
  | InitStored
  | SegmentStored
  | SegmentLost
  | RecordingEnded;

/** First line of every journal. */
export interface RecordingOpened {
  readonly t: 'recording';
  /** Version of this format. */
  readonly v: 1;
  readonly jobId: string;
  /** Milliseconds since the epoch, as every `at`. */
  readonly at: number;
}

/** A recorder took over this journal. */
export interface AttemptBegan {
  readonly t: 'attempt';
  readonly attempt: number;
  readonly at: number;
  readonly recorder: string;
  readonly pid: number;
}

/** The first playlist was accepted: from here the requested duration counts. Once per journal. */
export interface RecordingStarted {
  readonly t: 'started';
  readonly at: number;
  /** What was chosen: variant, resolution, bit rate; for people and the manifest. */
  readonly source: Readonly<Record<string, unknown>>;
}

/**
 * Sequence numbers that belong together. `first`: the recording's start. `reset`: numbers went backwards (the encoder
 * restarted). `relabelled`: the same segments came back under other numbers. `jump`: so far ahead that it cannot be a gap.
 */
export type EpochCause = 'first' | 'reset' | 'relabelled' | 'jump' | 'variant';

export interface EpochOpened {
  readonly t: 'epoch';
  readonly epoch: number;
  readonly track: string;
  readonly at: number;
  readonly why: EpochCause;
  /** Media sequence number of the first segment that was advertised in it. Absent in journals that did not say it yet. */
  readonly first?: number;
}

/** An initialisation section (`EXT-X-MAP`), stored once for each distinct content. */
export interface InitStored {
  readonly t: 'init';
  /** Names it within the recording; segments refer to it. */
  readonly init: number;
  readonly track: string;
  /** Path below the recording's directory. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly checksum: string;
}

/** Where one segment stands. `track` is `main` unless a job records several renditions. */
export interface SegmentKey {
  readonly track: string;
  readonly epoch: number;
  /** Media sequence number. */
  readonly msn: number;
}

export interface SegmentStored extends SegmentKey {
  readonly t: 'segment';
  readonly at: number;
  /** As the playlist says it (EXTINF), milliseconds. */
  readonly durationMs: number;
  readonly bytes: number;
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
  /** Path below the recording's directory. */
  readonly file: string;
  readonly container: 'ts' | 'fmp4' | 'packed';
  /** Discontinuity sequence number; a change between neighbours is a break in the timeline. */
  readonly discontinuity: number;
  readonly init?: number;
  /** EXT-X-PROGRAM-DATE-TIME of its start, milliseconds since the epoch. */
  readonly wallClock?: number;
}

/**
 * Why an advertised segment is not stored. `window.slid`: it left the playlist before it was seen. `http.<status>`,
 * `timeout`, `network`, `invalid`: the last answer when its time was over. `stopped`: the recording was ended first.
 */
export type GapCause =
  | 'window.slid'
  | `http.${number}`
  | 'timeout'
  | 'network'
  | 'invalid'
  | 'truncated'
  | 'marked'
  | 'disk'
  | 'stopped';

/** `count` segments from `msn` on are not in the recording, and why. */
export interface SegmentLost extends SegmentKey {
  readonly t: 'gap';
  readonly at: number;
  readonly count: number;
  readonly cause: GapCause;
  /** For people: the last error, the number of tries. */
  readonly detail: string;
  /** What is missing, milliseconds; an estimate where the playlist never told. */
  readonly durationMs: number;
}

/**
 * The recorder saw an end and will not go on. `endlist`: the origin said so. `duration`, `stopped`: we were asked.
 * `source.vanished`, `source.idle`: the origin was gone, or offered nothing new, for the whole patience window.
 */
export type EndCause = 'endlist' | 'duration' | 'stopped' | 'source.vanished' | 'source.idle';

export interface RecordingEnded {
  readonly t: 'ended';
  readonly at: number;
  readonly why: EndCause;
  readonly evidence: Readonly<Record<string, unknown>>;
}
