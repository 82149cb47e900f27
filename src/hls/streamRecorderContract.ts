import type { Progress, RecorderExit } from '../../machines/ports.ts';
import type { JobSpec } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import type { Transport } from './transport/transport.ts';

export interface StreamRecorderOptions {
  readonly job: { readonly id: string; readonly attempt: number; readonly spec: JobSpec };
  /** The recording's directory; it holds the journal and the media. Made when missing. */
  readonly directory: string;
  readonly transport: Transport;
  readonly clock: Clock;
  random(): number;
  /** Called once, when the first playlist of the whole recording is accepted (or was, in an earlier attempt). */
  onStarted(at: number): void;
  /** A fixed sentence and fields, for the log. */
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** One live HLS recording: polls, plans, fetches and writes the journal until it ends. */
export interface StreamRecorder {
  /** Never rejects. Resolves when nothing of it runs any more and the journal is closed. */
  readonly exited: Promise<RecorderExit>;
  /** Finish well: no more polls, what was advertised is fetched for a few seconds more, the rest is named as gaps. */
  stop(why: string): void;
  /** Let go of everything in flight, close the journal. */
  kill(why: string): void;
  progress(): Progress;
}
