import path from 'node:path';
import type { Progress, RecorderExit } from '../../machines/ports.ts';
import { KennelError } from '../core/errors.ts';
import { CHECKSUMS_DEFAULT } from '../ledger/contentHash.ts';
import { type Journal, openJournal, readJournal } from '../ledger/journal.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { JournalWriter } from './journalWriter.ts';
import type { StreamEnd } from './planner/endOfStream.ts';
import { Planner } from './planner/planner.ts';
import { resumeFrom, TAIL_SEGMENTS } from './planner/resume.ts';
import type { MediaPlaylist } from './playlist/model.ts';
import { RecordingRun } from './recordingRun.ts';
import { mediaFiles, probeFile, removeFile, removeUnnamed } from './segment/mediaFiles.ts';
import { SegmentTaker } from './segment/segmentTaker.ts';
import { openSource } from './source/openSource.ts';
import { PlaylistSource } from './source/playlistSource.ts';
import type { StreamRecorderOptions } from './streamRecorderContract.ts';
import { endedExit, failedExit, killedExit } from './streamRecorderExit.ts';
import { countedTransport } from './transport/countedTransport.ts';

const TRACK = 'main';
/** How long the last lines may take to be written once the recording is over, milliseconds. */
const LAST_LINES_MS = 3_000;

/** One run of a recorder, from opening the journal to closing it. */
export class RecorderSession {
  readonly #options: StreamRecorderOptions;
  readonly #opening = new AbortController();
  #run: RecordingRun | undefined;
  #planner: Planner | undefined;
  #journal: Journal | undefined;
  #writer: JournalWriter | undefined;
  #stopping: 'duration' | 'stopped' | undefined;
  #killed: string | undefined;
  #diskError: KennelError | undefined;
  #beats = 0;
  #bytes = 0;

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
    this.#opening.abort(letGo);
    this.#run?.stop(this.#stopping);
  }

  kill(why: string): void {
    this.#killed ??= why;
    this.#opening.abort(letGo);
    this.#run?.abort(letGo);
    void this.#writer?.abandon();
  }

  progress(): Progress {
    const { advertised = 0 } = this.#journal?.ledger ?? {};
    return {
      beats: this.#beats,
      bytes: this.#bytes,
      advertised: this.#planner?.advertised ?? advertised,
      settled: this.#planner?.settled ?? advertised,
    };
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
    const { clock, directory, job, log } = this.#options;
    const writer = new JournalWriter({
      journal,
      clock,
      troubled: (error) => {
        this.#diskError = error;
        log('The journal cannot be written.', { code: error.code, message: error.message });
      },
      healed: () => log('The journal is written again.', {}),
      broken: (error) => {
        this.#opening.abort(error);
        this.#run?.abort(error);
      },
    });
    this.#writer = writer;
    try {
      const at = clock.now();
      if (journal.ledger.jobId === undefined) {
        void writer.write({
          t: 'recording',
          v: 1,
          checksums: CHECKSUMS_DEFAULT,
          jobId: job.id,
          at,
        });
      }
      const { attempt } = job;
      void writer.write({ t: 'attempt', attempt, at, recorder: 'native', pid: process.pid });
      await this.#clear();
      const end = await this.#record(journal, writer);
      return await this.#finish(writer, end);
    } finally {
      await writer.abandon();
      // Should it stay, it does no harm: nothing names it, and it says nothing about how the recording ended.
      await removeFile(path.join(directory, probeFile(TRACK))).catch(() => undefined);
    }
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

  async #record(journal: Journal, writer: JournalWriter): Promise<StreamEnd> {
    const { clock, job, transport, directory, random, log } = this.#options;
    const headers = job.spec.headers ?? {};
    const url = sourceUrl(job.spec.url);
    const source = new PlaylistSource({
      url,
      quality: job.spec.quality,
      headers,
      transport,
      clock,
    });
    const first =
      journal.ledger.startedAt === undefined ? await this.#open(source, writer) : undefined;
    if (first === 'stopped') return { why: this.#stopping ?? 'stopped', evidence: {} };
    const planner = new Planner({
      track: TRACK,
      patienceMs: job.spec.patienceMs,
      resume: resumeFrom(journal.ledger, TRACK, clock.now()),
      now: clock.elapsed(),
    });
    this.#planner = planner;
    const counted = countedTransport(transport, (bytes) => {
      this.#beats++;
      this.#bytes += bytes;
    });
    const { inits, jobId } = journal.ledger;
    const checksums = jobId === undefined ? CHECKSUMS_DEFAULT : journal.ledger.checksums;
    const taker = new SegmentTaker({
      directory,
      transport: counted,
      headers,
      clock,
      writer,
      inits,
      checksums,
    });
    const beat = () => void this.#beats++;
    this.#run = new RecordingRun({ planner, source, taker, writer, clock, random, beat, log });
    // It takes the first playlist before anything else: what was accepted has to be stored or named, also when told to stop.
    const running = this.#run.run(first);
    if (this.#killed !== undefined) this.#run.abort(letGo);
    if (this.#stopping !== undefined) this.#run.stop(this.#stopping);
    return await running;
  }

  /** The first playlist of the whole recording; from here its duration counts. */
  async #open(source: PlaylistSource, writer: JournalWriter): Promise<MediaPlaylist | 'stopped'> {
    const { clock, job, onStarted, log } = this.#options;
    let playlist: MediaPlaylist;
    try {
      const { waitMs } = job.spec;
      const { signal } = this.#opening;
      playlist = await openSource({ source, clock, waitMs, signal, tried: () => this.#beats++ });
    } catch (error) {
      if (this.#stopping === undefined || this.#killed !== undefined) throw error;
      return 'stopped';
    }
    const at = clock.now();
    this.#beats++;
    const started = writer.write({ t: 'started', at, source: source.description });
    await Promise.race([started, aborted(this.#opening.signal)]);
    if (this.#killed !== undefined) throw letGo;
    log('The recording starts.', source.description);
    onStarted(at);
    return playlist;
  }

  async #finish(writer: JournalWriter, end: StreamEnd): Promise<RecorderExit> {
    const { clock, log } = this.#options;
    void writer.write({ t: 'ended', at: clock.now(), ...end });
    if (await writer.flush(LAST_LINES_MS)) {
      log('The recording is over.', { ...end });
      return endedExit(end);
    }
    // Without its last line the recording is not over: another attempt has to write it.
    throw this.#diskError ?? new KennelError('disk.failed', 'The journal could not be written.');
  }
}

const letGo = new Error('the recorder was told to let go');

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const fileOf = (record: LedgerRecord): string | undefined =>
  record.t === 'segment' || record.t === 'init' ? record.file : undefined;

function sourceUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new KennelError('url.invalid', 'The link is not an http or https address.');
}
