import type { Progress, RecorderExit } from '../../machines/ports.ts';
import { KennelError } from '../core/errors.ts';
import { type Journal, openJournal, readJournal } from '../ledger/journal.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { checksumsOf } from './checksumsOf.ts';
import { mediaFiles, removeUnnamed } from './files/mediaFiles.ts';
import { JournalWriter } from './journalWriter.ts';
import { letGo } from './letGo.ts';
import type {
  MakeRecording,
  Recorder,
  RecorderOptions,
  Recording,
  RecordingEnd,
  StartRecorder,
} from './recorder.ts';
import { endedExit, failedExit, killedExit } from './recorderExit.ts';

/** Segments of each track that the ledger keeps in memory: what a recorder that goes on compares with. */
export const TAIL_SEGMENTS = 256;

/** How long the last lines may take to be written once the recording is over, milliseconds. */
const LAST_LINES_MS = 3_000;

export interface SessionOptions extends RecorderOptions {
  /** Who records, for the journal: `native`, `yt-dlp`, … */
  readonly name: string;
  readonly makeRecording: MakeRecording;
}

/** One run of a recorder, from opening the journal to closing it. */
class RecorderSession {
  readonly #options: SessionOptions;
  #recording: Recording | undefined;
  #journal: Journal | undefined;
  #writer: JournalWriter | undefined;
  #stopping: 'duration' | 'stopped' | undefined;
  #killed: string | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #diskError: KennelError | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async run(): Promise<RecorderExit> {
    try {
      return await this.#live();
    } catch (error) {
      return this.#killed === undefined ? failedExit(error) : killedExit(this.#killed);
    }
  }

  stop(why: string): void {
    this.#stopping ??= why === 'over' ? 'duration' : 'stopped';
    this.#recording?.stop(this.#stopping);
  }

  kill(why: string): void {
    this.#killed ??= why;
    this.#abort(letGo);
    void this.#writer?.abandon();
  }

  progress(): Progress {
    const { advertised = 0 } = this.#journal?.ledger ?? {};
    return this.#recording?.progress ?? { beats: 0, bytes: 0, advertised, settled: advertised };
  }

  #abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#recording?.abort(reason);
  }

  async #live(): Promise<RecorderExit> {
    const { directory, clock } = this.#options;
    const journal = await openJournal(directory, {
      clock,
      ledger: { segmentsKept: TAIL_SEGMENTS },
    });
    this.#journal = journal;
    try {
      const { ended, startedAt } = journal.ledger;
      if (startedAt !== undefined) this.#options.onStarted(startedAt);
      if (ended !== undefined) return { ...endedExit(ended), kind: 'ended' };
      return await this.#write(journal);
    } finally {
      await journal.close();
    }
  }

  async #write(journal: Journal): Promise<RecorderExit> {
    const { clock, job, name, log } = this.#options;
    const writer = new JournalWriter({
      journal,
      clock,
      troubled: (error) => {
        this.#diskError = error;
        log('The journal cannot be written.', { code: error.code, message: error.message });
      },
      healed: () => log('The journal is written again.', {}),
      broken: (error) => this.#abort(error),
    });
    this.#writer = writer;
    try {
      const at = clock.now();
      if (journal.ledger.jobId === undefined) {
        const checksums = checksumsOf(journal.ledger);
        void writer.write({ t: 'recording', v: 1, checksums, jobId: job.id, at });
      }
      const { attempt } = job;
      void writer.write({ t: 'attempt', attempt, at, recorder: name, pid: process.pid });
      await this.#clear();
      const end = await this.#record(journal, writer);
      return await this.#finish(writer, end);
    } finally {
      await writer.abandon();
    }
  }

  async #record({ ledger }: Journal, writer: JournalWriter): Promise<RecordingEnd> {
    const recording = this.#options.makeRecording({ ...this.#options, ledger, writer });
    this.#recording = recording;
    if (this.#broken !== undefined) throw this.#broken.reason;
    if (this.#stopping !== undefined) recording.stop(this.#stopping);
    return await recording.run();
  }

  /** Removes what an earlier attempt left half-written. */
  async #clear(): Promise<void> {
    const { directory, log } = this.#options;
    if ((await mediaFiles(directory)).length === 0) return;
    const { records } = await readJournal(directory);
    const named = new Set(records.flatMap((record) => fileOf(record) ?? []));
    const removed = await removeUnnamed(directory, named);
    if (removed.length > 0) log('Half-written files are removed.', { files: removed.length });
  }

  async #finish(writer: JournalWriter, end: RecordingEnd): Promise<RecorderExit> {
    const { clock, log } = this.#options;
    const written = writer.write({ t: 'ended', at: clock.now(), ...end });
    // Whoever was told to let go meanwhile has flushed nothing.
    if ((await writer.flush(LAST_LINES_MS)) && (await written)) {
      log('The recording is over.', { ...end });
      return endedExit(end);
    }
    if (this.#broken !== undefined) throw this.#broken.reason;
    // Without its last line the recording is not over: another attempt has to write it.
    throw this.#diskError ?? new KennelError('disk.failed', 'The journal could not be written.');
  }
}

const fileOf = (record: LedgerRecord): string | undefined =>
  record.t === 'segment' || record.t === 'init' ? record.file : undefined;

/** Recorders that write their journal here and record as `makeRecording` does. `nameOf` says who records, for the journal. */
export const recorderOf =
  (makeRecording: MakeRecording, nameOf: (options: RecorderOptions) => string): StartRecorder =>
  (options): Recorder => {
    const session = new RecorderSession({ ...options, name: nameOf(options), makeRecording });
    return {
      exited: session.run(),
      stop: (why) => session.stop(why),
      kill: (why) => session.kill(why),
      progress: () => session.progress(),
    };
  };
