/** The words machines, database, API and command line share. Enums elsewhere derive from here. */

export const JOB_STATES = [
  'pending',
  'recording',
  'retrying',
  'muxing',
  'uploading',
  'done',
  'failed',
  'cancelled',
  'rejected',
  'expired',
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const TERMINAL_STATES = [
  'done',
  'failed',
  'cancelled',
  'rejected',
  'expired',
] as const satisfies JobState[];
export type TerminalState = (typeof TERMINAL_STATES)[number];

export const isTerminal = (state: JobState): state is TerminalState =>
  (TERMINAL_STATES as readonly JobState[]).includes(state);

export const isJobState = (name: unknown): name is JobState =>
  (JOB_STATES as readonly unknown[]).includes(name);

/**
 * How complete a finished recording is. `complete`: every advertised segment is stored and somebody vouched for the end
 * (ENDLIST, the requested duration, the operator). `gaps`: as `complete`, but with named gaps, or with a track that could
 * not be heard all the time. `truncated`: it ended before what was asked for (the source vanished, or the recorder gave up).
 */
export const OUTCOMES = ['complete', 'gaps', 'truncated'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What the operator asked for. Plain data: it is stored with the job and handed to the recorder. */
export interface JobSpec {
  /** The link to record. */
  readonly url: string;
  /** Other links to the same stream, in order of preference: taken when the first one fails, or recorded beside it. */
  readonly fallbacks?: readonly string[];
  /** Poll all links at once: what one source lacks is taken from another. Default: the next one only when one fails. */
  readonly dual?: boolean;
  /** Wishes in order of preference: `best`, `worst`, `720p`, `1080p60`, … The first that the source has is taken. */
  readonly quality: readonly string[];
  /** How long to record from the first accepted playlist, in milliseconds. Absent: until the stream ends. */
  readonly durationMs?: number;
  /** When to end at the latest, milliseconds since the epoch by the wall clock, whatever the duration says. */
  readonly endAt?: number;
  /** Extra request headers. They may be secret: never logged. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Proxy for everything that is fetched: `http://[user:password@]host:port`. It may be secret: never logged. */
  readonly proxy?: string;
  /**
   * Which separate audio renditions are recorded: `default` (the one that the source prefers), `all`, or languages and names.
   * Absent: `default`.
   */
  readonly audio?: readonly string[];
  /** Only the sound is kept. Default: false. */
  readonly audioOnly?: boolean;
  /**
   * Who records: `native` (Kennel's HLS engine), or the name of a program (`ffmpeg`, `yt-dlp`, `streamlink`, …). Absent: whoever
   * can do it best, the native engine wherever it is HLS.
   */
  readonly recorder?: string;
  /** For pages: which format is taken, in the words of yt-dlp's `-f`. Absent: `quality` decides. */
  readonly format?: string;
  /** Cookies for the links and what they lead to, as the text of a Netscape cookie file. Secret: never logged, never in an argv. */
  readonly cookies?: string;
  /**
   * What may be reached although it is not public: CIDR, IP address or host name, each with `:port` or without. Whoever
   * makes the job answers for it; the node's own list comes on top.
   */
  readonly reach?: readonly string[];
  /** How much the recording may fetch, bytes a second. Absent: as much as there is. Programs only. */
  readonly bytesPerSecondMax?: number;
  /** What heartbeatDoggy takes for silence of a program, milliseconds. Absent: by the source's target duration. */
  readonly watch?: WatchLimits;
  /** Which subtitle renditions are recorded: `all`, `none`, or languages and names. Absent: `all`. */
  readonly subtitles?: readonly string[];
  /** How long to wait for a stream that is not there yet, in milliseconds. 0: not at all. */
  readonly waitMs: number;
  /** How long a source may be silent before its end is assumed, in milliseconds. */
  readonly patienceMs: number;
  /** Where the finished file goes: a file path, or a directory with a trailing slash. */
  readonly output: string;
  /** Whether the segments stay on disk after the finished file was verified and stored. */
  readonly keepSegments: boolean;
}

/** When a recording ends by itself: what comes first counts, and what is absent does not. */
export type JobEnd = Pick<JobSpec, 'durationMs' | 'endAt'>;

/** How long a recorder that is a program may go without media, milliseconds. */
export interface WatchLimits {
  /** From its start to its first media. */
  readonly firstMediaMs?: number;
  /** From media to media. */
  readonly staleMs?: number;
}

/** Why something was decided, by whom, with the facts it was decided on. Stored and served. */
export interface Decision {
  readonly jobId: string;
  /** The actor that decided: `bigDog`, `heartbeatDoggy`, … */
  readonly dog: string;
  /** What was done: `recorder.kill`, `recorder.restart`, `bigDog.restart`, `job.abandon`, … */
  readonly decision: string;
  /** A fixed word for the reason: `silent`, `muxing`, `crashed`, … */
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}
