import type { BootMoment } from '../core/bootMoment.ts';

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
  | MarkSeen
  | RecordingEnded;

/** BLAKE3 (256 bits), or SHA-256: both are written as 64 hex digits. */
export type ChecksumAlgorithm = 'blake3' | 'sha256';

/** First line of every journal. */
export interface RecordingOpened {
  readonly t: 'recording';
  /** Version of this format. */
  readonly v: 1;
  /** How the files of this recording are hashed. Absent in journals from before it was said: `sha256`. */
  readonly checksums?: ChecksumAlgorithm;
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
  /** The same moment for whoever goes on after the wall clock was set, until the next boot. Absent where it cannot be told. */
  readonly boot?: BootMoment;
  /** What was chosen: variant, resolution, bit rate; for people and the manifest. */
  readonly source: Readonly<Record<string, unknown>>;
}

/**
 * Sequence numbers that belong together. `first`: the recording's start. `reset`: numbers went backwards (the encoder
 * restarted). `relabelled`: the same segments came back under other numbers. `jump`: so far ahead that it cannot be a gap.
 * `source`: another source took over whose numbers cannot be joined to the earlier ones. `program`: the output of a program whose
 * timestamps do not continue what was recorded before; the numbers are Kennel's own.
 */
export type EpochCause =
  | 'first'
  | 'reset'
  | 'relabelled'
  | 'jump'
  | 'variant'
  | 'source'
  | 'program';

export interface EpochOpened {
  readonly t: 'epoch';
  readonly epoch: number;
  readonly track: string;
  readonly at: number;
  readonly why: EpochCause;
  /** Media sequence number of the first segment that was advertised in it. Absent in journals that did not say it yet. */
  readonly first?: number;
  /** Which of the job's links the numbers are those of, when that was not the first (0). */
  readonly source?: number;
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
  /** Of the file, hex; see `RecordingOpened.checksums`. */
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
  /** Of the file, hex; see `RecordingOpened.checksums`. */
  readonly checksum: string;
  /** Path below the recording's directory. */
  readonly file: string;
  readonly container: 'ts' | 'fmp4' | 'packed' | 'webvtt';
  /** Discontinuity sequence number; a change between neighbours is a break in the timeline. */
  readonly discontinuity: number;
  readonly init?: number;
  /** EXT-X-PROGRAM-DATE-TIME of its start, milliseconds since the epoch. */
  readonly wallClock?: number;
  /** Which of the job's links it came from, when that was not the first (0). */
  readonly source?: number;
}

/**
 * Why an advertised segment is not stored. `window.slid`: it left the playlist before it was seen. `http.<status>`,
 * `timeout`, `network`, `invalid`: the last answer when its time was over. `stopped`: the recording was ended first.
 * Of programs, which tell of no segments, the timestamps of their output do: `recorder.down`: between the end of one program and
 * the first media of the next; `skipped`: a hole in the output of one program.
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
  | 'recorder.down'
  | 'skipped'
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
  /** `durationMs` could not be read off timestamps: it is what the clock on the wall makes likely. Of programs only. */
  readonly estimated?: true;
}

/**
 * What the playlist says about the media and is no media itself: `daterange` (EXT-X-DATERANGE, SCTE-35 and interstitials in it
 * included), `cue` (EXT-X-CUE-OUT, EXT-X-CUE-OUT-CONT, EXT-X-CUE-IN, EXT-X-CUE), `scte35` (EXT-X-SCTE35, EXT-OATCLS-SCTE35, EXT-X-SPLICEPOINT-SCTE35).
 */
export type MarkKind = 'daterange' | 'cue' | 'scte35';

/** Ads and other marks are recorded with the media and named here, so that they can be found, and cut, later. */
export interface MarkSeen extends SegmentKey {
  readonly t: 'mark';
  readonly at: number;
  readonly kind: MarkKind;
  /** The tag without its `#`, such as `EXT-X-CUE-OUT`. */
  readonly tag: string;
  /** The rest of its line, as it was sent. */
  readonly value: string;
  /** ID of a date range: a later line of the same ID replaces an earlier one. */
  readonly id?: string;
  /** START-DATE of a date range, or the start of the segment it stands before; milliseconds since the epoch. */
  readonly startsAt?: number;
  /** Milliseconds, where the tag says it. */
  readonly durationMs?: number;
}

/**
 * The recorder saw an end and will not go on. `endlist`: the origin said so. `duration`, `stopped`: we were asked.
 * `source.vanished`, `source.idle`: the origin was gone, or offered nothing new, for the whole patience window. `source.ended`: its
 * page says that the broadcast is over, or a file was read to the end that it was said to have.
 */
export type EndCause =
  | 'endlist'
  | 'duration'
  | 'stopped'
  | 'source.vanished'
  | 'source.idle'
  | 'source.ended';

export interface RecordingEnded {
  readonly t: 'ended';
  readonly at: number;
  readonly why: EndCause;
  readonly evidence: Readonly<Record<string, unknown>>;
}
