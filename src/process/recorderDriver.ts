import type { Progress, RecorderExit } from '../../machines/ports.ts';
import type { JobSpec } from '../../machines/vocabulary.ts';

/** What a recorder is told about its job. */
export interface RecorderJob {
  readonly id: string;
  readonly attempt: number;
  readonly spec: JobSpec;
}

/** One recorder that lives, is being started, or is on its way out. */
export interface LiveRecorder {
  readonly jobId: string;
  readonly attempt: number;
  /** When the first playlist of the recording was accepted, milliseconds since the epoch; absent until then. */
  readonly startedAt?: number | undefined;
  /** The last known numbers; once it has exited, the last ones for good. */
  readonly progress: Progress;
  /** Somebody has ended it with `kill`, in this life of the supervisor or an earlier one. */
  readonly killed: boolean;
}

/** The numbers of a recorder that has not told any yet. */
export const NO_PROGRESS: Progress = { beats: 0, bytes: 0, advertised: 0, settled: 0 };

export interface RecorderListener {
  started(recorder: LiveRecorder): void;
  /** Nothing of the recorder is left. Called once for each recorder, and only then may the job have another. */
  exited(recorder: LiveRecorder, exit: RecorderExit): void;
}

/**
 * A family of recorders: those in recorder hosts, programs such as yt-dlp, … The leash above it decides who may have a
 * recorder; the driver only starts, ends and reports them. Nothing here throws for what a recorder or a process may do.
 */
export interface RecorderDriver {
  /** Who hears of starts and exits: one listener, the newest. What was waiting to be heard is told at once. */
  subscribe(listener: RecorderListener): void;
  /**
   * Starts a recorder for a job that has none. It is living from this call on; when it cannot be started, that is told as
   * its exit (`failed` or `crashed`) soon after the call, never during it.
   */
  start(job: RecorderJob, directory: string): void;
  /** The job's recorder, adopted ones included, until its exit is reported (the listener finds it gone already). */
  living(jobId: string): LiveRecorder | undefined;
  /** Asks the job's recorder to finish well. Nothing happens when there is none. */
  stop(jobId: string, why: string): void;
  /** Ends the job's recorder now. Its exit follows in bounded time. Nothing happens when there is none. */
  kill(jobId: string, why: string): void;
  /** The exit of this attempt needs to be told no more: somebody has acted on it. */
  acknowledge(jobId: string, attempt: number): void;
  /** Ends what records this job and is not living in this driver: left by an earlier life, and not to be adopted. */
  clear(jobId: string): Promise<void>;
}
