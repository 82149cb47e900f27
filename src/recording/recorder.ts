import type { Progress, RecorderExit } from '../../machines/ports.ts';
import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { EndCause } from '../ledger/record.ts';
import type { JournalWriter } from './journalWriter.ts';

export interface RecorderOptions {
  readonly job: { readonly id: string; readonly attempt: number; readonly spec: JobSpec };
  /** The recording's directory; it holds the journal and the media. Made when missing. */
  readonly directory: string;
  readonly clock: Clock;
  random(): number;
  /** Called once, when the first media of the whole recording is accepted (or was, in an earlier attempt). */
  onStarted(at: number): void;
  /** A fixed sentence and fields, for the log. */
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** One attempt at recording a job, whatever records it. */
export interface Recorder {
  /** Never rejects. Resolves when nothing of it runs any more and the journal is closed. */
  readonly exited: Promise<RecorderExit>;
  /** Finish well: no more polls, what was advertised is fetched for a few seconds more, the rest is named as gaps. */
  stop(why: string): void;
  /** Let go of everything in flight, close the journal. */
  kill(why: string): void;
  progress(): Progress;
}

/** Starts to record at once; what an earlier attempt stored in the directory is continued. */
export type StartRecorder = (options: RecorderOptions) => Recorder;

/** How a recording came to its end. */
export interface RecordingEnd {
  readonly why: EndCause;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What records between the opening of the journal and its last line: the native engine, or a program. */
export interface Recording {
  readonly progress: Progress;
  /** Rejects with what `abort` was told, with a KennelError that says why nothing could be recorded, with a `ProgramExit`, or with a bug. */
  run(): Promise<RecordingEnd>;
  stop(why: 'duration' | 'stopped'): void;
  /** Lets go of everything; `run` rejects with the reason once nothing is left. */
  abort(reason: unknown): void;
}

/** What a recording is given. */
export interface RecordingOptions extends RecorderOptions {
  /** What earlier attempts have stored; it grows with what is written. */
  readonly ledger: Ledger;
  readonly writer: JournalWriter;
}

/** Makes the recording of one attempt. Throws a KennelError when it cannot begin. */
export type MakeRecording = (options: RecordingOptions) => Recording;
