import type { Clock } from '../../core/clock.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { JournalWriter } from '../../recording/journalWriter.ts';
import { StoredOutput } from './storedOutput.ts';

export interface ProgramOutputOptions {
  /** The recording's directory. */
  readonly directory: string;
  readonly attempt: number;
  /** What earlier attempts have stored. */
  readonly ledger: Ledger;
  readonly writer: JournalWriter;
  readonly clock: Clock;
  /** Whoever waits on the disk or the journal lets go when it is aborted. */
  readonly signal: AbortSignal;
  /** Awaited once, before the first line about media is written: the recording has begun. */
  begun(): Promise<void>;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The output of one program, from its first byte to its end. */
export interface OutputRun {
  /**
   * Takes the next bytes, copying them. A promise means: no more until it settles. Throws or rejects with `segment.invalid` when it is neither
   * MPEG-TS nor fragmented MP4, `disk.full`, `disk.failed`, or the signal's reason.
   */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /**
   * The program has ended: what is whole of the open piece is stored. Resolves once all of it is durable and named in the journal.
   * `isWhole`: the program ended by itself, with all that it had put out. Else a last picture that does not show where it ends counts as cut off.
   */
  end(isWhole?: boolean): Promise<void>;
  /** Media time of this run that was put out, what overlaps with earlier runs included, milliseconds. */
  readonly mediaMs: number;
  readonly hadMedia: boolean;
}

/** The media that programs put out, one after another, on its way into one recording. */
export interface ProgramOutput {
  /** Only one run at a time; the one before has ended. */
  run(): OutputRun;
  /** Pieces that this attempt came to know of, and how many of them are stored or named. */
  readonly advertised: number;
  readonly settled: number;
  /** Media time that the whole recording holds, milliseconds. */
  readonly recordedMs: number;
  /**
   * The recording ends, and no run will follow. `down`: the source went on without a program, so that the time since the last media is
   * named as a gap; `over`: nothing was missed. Resolves once that is durable; rejects with the signal's reason.
   */
  finish(why: 'down' | 'over'): Promise<void>;
}

/**
 * Takes over what programs put out: cuts it at key frames into pieces that stand alone, stores and names them, and accounts for all time
 * in between by the timestamps of the media. What a new run repeats is left out where its content proves that it is the same.
 */
export const programOutput = (options: ProgramOutputOptions): ProgramOutput =>
  new StoredOutput(options);
