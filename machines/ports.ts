import type { RestartPolicy } from './supervision/backoff.ts';
import type { Decision, JobSpec, JobState, Outcome } from './vocabulary.ts';

/** The part of a job's row that its Big Dog works with. */
export interface Job {
  readonly id: string;
  readonly state: JobState;
  /** How many recorder runs there have been. */
  readonly attempt: number;
  readonly spec: JobSpec;
  /** When the recorder accepted the first playlist, milliseconds since the epoch. */
  readonly startedAt?: number;
  /** Why the recording came to its end, once it has: `over`, `stopped`, `endlist`, `source.vanished`, `recorder.spent`, … */
  readonly ending?: string;
  /** Set once the job is bound to end as `failed` although what was recorded is still being finished. */
  readonly verdict?: string;
}

/** How a recorder ended. */
export interface RecorderExit {
  /**
   * `ended`: it came to an end with evidence (ENDLIST, patience). `stopped`: it obeyed. `failed`: it gave up and says why.
   * `crashed`: it vanished (its host died or was killed).
   */
  readonly kind: 'ended' | 'stopped' | 'failed' | 'crashed';
  /** A fixed word: `endlist`, `source.vanished`, an error code, a signal name, … */
  readonly why: string;
  /** Whether another attempt could help. */
  readonly retryable: boolean;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export type RecorderNews =
  | { readonly type: 'recorder.started'; readonly at: number }
  | { readonly type: 'recorder.exited'; readonly exit: RecorderExit };

/** Signs of life of one recorder. Every number only grows while the recorder lives. */
export interface Progress {
  /** Anything the recorder did: a poll answered or failed, bytes read. Stands still only when the recorder hangs. */
  readonly beats: number;
  readonly bytes: number;
  /** Segments the origin has offered, and how many of them are stored or named as gaps. */
  readonly advertised: number;
  readonly settled: number;
  /** Of a recorder that is a program. */
  readonly program?: ProgramSigns;
}

/**
 * What is known of a recorder that is a program, besides what it says itself. The counters begin with each program that is
 * started; they only grow while it lives.
 */
export interface ProgramSigns {
  /** Told apart from its predecessors in the same attempt: counts from 1. */
  readonly run: number;
  /** How long it has lived, milliseconds. */
  readonly agedMs: number;
  /** Bytes that came to it through the egress gate. */
  readonly egressBytes: number;
  /** Bytes that it has put out. */
  readonly outputBytes: number;
  /** Media time that it has put out, milliseconds. */
  readonly mediaMs: number;
  /** Media time that the whole recording holds, with that of earlier programs and attempts, milliseconds. */
  readonly recordedMs: number;
  /** CPU time of it and all that it started, milliseconds. */
  readonly cpuMs: number;
  /** Every process of it is stopped (SIGSTOP, a debugger): nothing will come of waiting. */
  readonly isFrozen: boolean;
  /** How long pieces of media last at this source (HLS: its target duration), milliseconds, once that is known. */
  readonly targetMs?: number;
  /** Nothing is expected of it now: its source is away, and it is waited for (`JobSpec.waitMs`, `patienceMs`). */
  readonly isExcused: boolean;
  /** What looks as if it muxes by itself, or a temporary file that lingers. */
  readonly stray?: { readonly sign: string; readonly file: string };
}

/** One live recorder. Dropping the hold leaves it alone: only `stop` and `kill` end it. */
export interface RecorderHold {
  /** Asks it to finish well; it exits by itself. */
  stop(why: string): void;
  /** Ends it now. The exit is reported once nothing of it is left. */
  kill(why: string): void;
  release(): void;
}

/** The table of live recorders on this node: at most one for a job, whatever happens to the actors. */
export interface Leash {
  /**
   * Adopts the job's live recorder, or starts one. Later news go to `hear`, the newest holder; that an adopted recorder has
   * started is told again, since it may have happened while nobody listened. Throws nothing, calls `hear` later, never at once.
   */
  take(job: Job, hear: (news: RecorderNews) => void): RecorderHold;
  holds(jobId: string): boolean;
  /** Ends recorders of this job that this table does not hold, left by an earlier life of the node. */
  clear(jobId: string): Promise<void>;
  /** Ends whatever records this job, held or not, and resolves once nothing is left. */
  end(jobId: string, why: string): Promise<void>;
  progress(jobId: string): Progress;
  /** What looks as if the recorder muxes by itself, or a temporary file that lingers; undefined when all is well. */
  strayFiles(jobId: string): { readonly sign: string; readonly file: string } | undefined;
}

/** One durable move of a job. */
export interface Move {
  readonly from: JobState;
  readonly to: JobState;
  readonly cause: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  readonly startedAt?: number;
  readonly ending?: string;
  readonly verdict?: string;
  readonly outcome?: Outcome;
}

/** The right to write one job's history: a fencing token. */
export interface JobLog {
  /** Retries until the move is on disk. Rejects only when fenced (`FencedError`): another owner has taken the job. */
  commit(move: Move): Promise<void>;
}

export interface Store {
  /**
   * Takes ownership (token + 1), which fences every earlier owner, and reads the row. Retries through outages, but not after
   * the signal: whoever asked is gone, and a late success would fence its own successor. For the same reason the calls for
   * one job follow each other.
   */
  open(jobId: string, signal: AbortSignal): Promise<{ job: Job; log: JobLog }>;
  /** Appends a decision. Never waits, never throws: it is written behind, in order. */
  record(decision: Decision): void;
}

/** What the ledger of a recording says. */
export interface Footage {
  readonly segments: number;
  /** When the first playlist was accepted, milliseconds since the epoch. */
  readonly startedAt?: number;
  /** How long ago that was, milliseconds, where it can be told without the wall clock, which may have been set since. */
  readonly agoMs?: number;
}

/** Finishing: idempotent, repeatable after a crash at any point. The runs for one job follow each other. */
export interface Finish {
  footage(jobId: string): Promise<Footage>;
  mux(job: Job, signal: AbortSignal): Promise<void>;
  upload(job: Job, signal: AbortSignal): Promise<{ outcome: Outcome }>;
}

export interface Policy {
  readonly recorder: RestartPolicy;
  readonly finish: RestartPolicy;
  readonly bigDog: RestartPolicy;
  readonly bigDogDog: RestartPolicy;
  /** How long a recorder may take to finish well before it is killed, milliseconds. */
  readonly graceMs: number;
  readonly heartbeat: {
    readonly everyMs: number;
    /** Silent looks before the bark. */
    readonly patience: number;
  };
  /** How often tempFileDoggy looks, milliseconds. */
  readonly lookMs: number;
  /** How often each doggy looks at a recorder that is a program, milliseconds. */
  readonly programLookMs: number;
  /** Jobs at once on this node. */
  readonly capacity: number;
}

/** Everything machines ask of the world. Tests and the simulator swap these and the clock, nothing else. */
export interface Ports {
  /** Wall clock, milliseconds since the epoch. It may step: good for dates, never for durations. */
  now(): number;
  /** Monotonic milliseconds since an arbitrary start. */
  elapsed(): number;
  random(): number;
  readonly leash: Leash;
  readonly store: Store;
  readonly finish: Finish;
  readonly policy: Policy;
}

/** The job belongs to another owner now. Nothing is left to do here but to stop. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  readonly fenced = true;
}
