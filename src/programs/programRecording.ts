import type { Progress } from '../../machines/ports.ts';
import { pause } from '../core/clock.ts';
import { endMarked } from '../process/programProcesses.ts';
import { letGo } from '../recording/letGo.ts';
import type {
  MakeRecording,
  Recording,
  RecordingEnd,
  RecordingOptions,
} from '../recording/recorder.ts';
import { RecorderFell } from '../recording/recorderExit.ts';
import { writeStarted } from '../recording/writeStarted.ts';
import { afterExit, isWaitOver, type WaitState } from './afterExit.ts';
import { describeProgram } from './describeProgram.ts';
import { type ProgramOutput, programOutput } from './output/programOutput.ts';
import type { ProgramParts } from './programParts.ts';
import { ProgramTries } from './programTries.ts';
import { refusalError, type TryReport } from './tryReport.ts';
import { removeWorkDirectories } from './workDirectory.ts';

/** How often a program is looked at, and the recording beats at least, milliseconds: heartbeatDoggy looks every two seconds. */
const LOOK_MS = 1_000;
/** What an earlier life left of this job may take so long to die, milliseconds. */
const CLEAR_MS = 3_000;

/** One attempt at a recording by programs: one after another, until the source is over or somebody says so. */
class ProgramRecording implements Recording {
  readonly #parts: ProgramParts;
  readonly #options: RecordingOptions;
  readonly #output: ProgramOutput;
  readonly #tries: ProgramTries;
  /** Settled by earlier attempts. */
  readonly #before: number;
  /** Aborted when everything is let go of. */
  readonly #life = new AbortController();
  /** Aborted also when it is to finish well. */
  readonly #waiting = new AbortController();
  #stopping: 'duration' | 'stopped' | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #beats = 0;
  /** What the last program came to. */
  #last: TryReport | undefined;
  #recordedMs: number;
  /** When there was new media the last time, or this attempt began; monotonic milliseconds. */
  #newMediaAt: number;
  /** For how long there had been none then, milliseconds. */
  #silentBeforeMs: number;
  /** Programs since then. */
  #fruitless = 0;

  constructor(parts: ProgramParts, options: RecordingOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#before = options.ledger.advertised;
    const { directory, job, ledger, writer, clock, log } = options;
    const media = { directory, attempt: job.attempt, ledger, writer, clock, log };
    const { signal } = this.#life;
    const begun = () => this.#begin();
    this.#output = (parts.output ?? programOutput)({ ...media, signal, begun });
    this.#tries = new ProgramTries(parts, {
      job,
      directory,
      clock,
      ledger,
      log,
      output: this.#output,
      waiting: this.#waiting.signal,
      beat: () => void this.#beats++,
    });
    this.#recordedMs = this.#output.recordedMs;
    this.#newMediaAt = clock.elapsed();
    this.#silentBeforeMs = ledger.silentMsAt(clock.now());
  }

  get progress(): Progress {
    const { advertised, settled } = this.#output;
    const { bytes, signs } = this.#tries;
    return {
      beats: this.#beats,
      bytes,
      advertised: this.#before + advertised,
      settled: this.#before + settled,
      ...(signs !== undefined && { program: signs }),
    };
  }

  stop(why: 'duration' | 'stopped'): void {
    this.#stopping ??= why;
    this.#waiting.abort(letGo);
    this.#tries.stop();
  }

  abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#waiting.abort(letGo);
    this.#life.abort(reason);
    this.#tries.kill();
  }

  async run(): Promise<RecordingEnd> {
    const { clock, job, directory, log } = this.#options;
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      const ended = await endMarked(job.id, { clock, withinMs: CLEAR_MS });
      if (ended > 0) log('Processes of an earlier attempt are ended.', { processes: ended });
      await removeWorkDirectories(directory);
      return await this.#record();
    } finally {
      over.abort(letGo);
      await watching;
      this.#life.abort(letGo);
    }
  }

  async #record(): Promise<RecordingEnd> {
    for (;;) {
      const report = await this.#tries.next();
      if (this.#broken !== undefined) throw this.#broken.reason;
      if (report?.ownError !== undefined) throw report.ownError.error;
      if (this.#stopping !== undefined) {
        await this.#output.finish(this.#missedNothing(report) ? 'over' : 'down');
        return { why: this.#stopping, evidence: report?.evidence ?? {} };
      }
      const end = report === undefined ? OVER : await this.#follow(report);
      if (end !== undefined) {
        await this.#output.finish('over');
        return end;
      }
    }
  }

  /** Since the last media: it came until now, or its source was not there. */
  #missedNothing(report: TryReport | undefined): boolean {
    return report?.hadMedia === true || this.#last?.explanation.fault === 'source';
  }

  /** What follows a program: the end, another one after a pause, or an error. */
  async #follow(report: TryReport): Promise<RecordingEnd | undefined> {
    const { clock, random, log } = this.#options;
    const { evidence, explanation } = report;
    this.#last = report;
    this.#noteMedia();
    const wait = this.#wait();
    const { silentMs } = wait;
    this.#fruitless++;
    const step = afterExit(report, { source: this.#tries.source, wait, chance: random() });
    const { why } = explanation;
    // One that ended well may be followed by another one within seconds, a day long: what it said is of no interest.
    const { stderrTail, ...facts } = evidence;
    const said = explanation.fault === 'none' ? {} : { stderrTail };
    log('A program is over.', { ...facts, ...said, why, step: step.step });
    switch (step.step) {
      case 'end':
        return { why: step.why, evidence: { ...evidence, silentMs: Math.round(silentMs) } };
      case 'refuse':
        throw refusalError(report);
      case 'fall':
        throw new RecorderFell({ kind: step.kind, why, retryable: step.retryable, evidence });
      case 'again':
        await pause(clock, step.pauseMs, this.#waiting.signal);
        return undefined;
    }
  }

  #wait(): WaitState {
    const { clock, job, ledger } = this.#options;
    const { waitMs, patienceMs } = job.spec;
    const triedMs = clock.elapsed() - this.#newMediaAt;
    const silentMs = this.#silentBeforeMs + triedMs;
    const isRecorded = ledger.startedAt !== undefined;
    return { isRecorded, silentMs, triedMs, fruitless: this.#fruitless, waitMs, patienceMs };
  }

  /** The first media of the whole recording: from here its duration counts. */
  async #begin(): Promise<void> {
    const { clock, ledger, writer, onStarted, log } = this.#options;
    if (ledger.startedAt !== undefined) return;
    const { plugin, tool } = this.#parts;
    const { resolved } = this.#tries;
    if (resolved === undefined) throw new Error('media came before its link was known');
    const source = describeProgram(resolved, { name: plugin.name, tool });
    const at = await writeStarted({ clock, writer, source, signal: this.#life.signal });
    if (this.#broken !== undefined) throw this.#broken.reason;
    log('The recording starts.', source);
    onStarted(at);
  }

  /** Beats as long as this loop lives, whatever the program does. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#beats++;
      try {
        this.#noteMedia();
        await this.#tries.look({ isWaitOver: isWaitOver(this.#wait()) });
      } catch (error) {
        this.abort(error);
      }
      await pause(clock, LOOK_MS, signal);
    }
  }

  #noteMedia(): void {
    const { recordedMs } = this.#output;
    if (recordedMs <= this.#recordedMs) return;
    this.#recordedMs = recordedMs;
    this.#newMediaAt = this.#options.clock.elapsed();
    this.#silentBeforeMs = 0;
    this.#fruitless = 0;
  }
}

/** The page of what was live says that it is not any more. */
const OVER: RecordingEnd = { why: 'source.ended', evidence: { isLive: false } };

/** Recordings by the program of these parts. */
export const programRecording =
  (parts: ProgramParts): MakeRecording =>
  (options) =>
    new ProgramRecording(parts, options);
