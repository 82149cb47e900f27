import type { Progress, RecorderExit } from '../../machines/ports.ts';
import { KennelError } from '../core/errors.ts';
import { CHECKSUMS_DEFAULT } from '../ledger/contentHash.ts';
import { type Journal, openJournal, readJournal } from '../ledger/journal.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { JobRecording } from './jobRecording.ts';
import { JournalWriter } from './journalWriter.ts';
import type { StreamEnd } from './planner/endOfStream.ts';
import { TAIL_SEGMENTS } from './planner/resume.ts';
import { mediaFiles, removeUnnamed } from './segment/mediaFiles.ts';
import type { StreamRecorderOptions } from './streamRecorderContract.ts';
import { endedExit, failedExit, killedExit } from './streamRecorderExit.ts';

/** How long the last lines may take to be written once the recording is over, milliseconds. */
const LAST_LINES_MS = 3_000;

/** One run of a recorder, from opening the journal to closing it. */
export class RecorderSession {
  readonly #options: StreamRecorderOptions;
  #recording: JobRecording | undefined;
  #journal: Journal | undefined;
  #writer: JournalWriter | undefined;
  #stopping: 'duration' | 'stopped' | undefined;
  #killed: string | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #diskError: KennelError | undefined;

  constructor(options: StreamRecorderOptions) {
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
    const { clock, job, log } = this.#options;
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
        const checksums = CHECKSUMS_DEFAULT;
        void writer.write({ t: 'recording', v: 1, checksums, jobId: job.id, at });
      }
      const { attempt } = job;
      void writer.write({ t: 'attempt', attempt, at, recorder: 'native', pid: process.pid });
      await this.#clear();
      const end = await this.#record(journal, writer);
      return await this.#finish(writer, end);
    } finally {
      await writer.abandon();
    }
  }

  async #record({ ledger }: Journal, writer: JournalWriter): Promise<StreamEnd> {
    const recording = new JobRecording({ ...this.#options, ledger, writer });
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

  async #finish(writer: JournalWriter, end: StreamEnd): Promise<RecorderExit> {
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

const letGo = new Error('the recorder was told to let go');

const fileOf = (record: LedgerRecord): string | undefined =>
  record.t === 'segment' || record.t === 'init' ? record.file : undefined;
