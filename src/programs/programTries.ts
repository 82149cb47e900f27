import type { ProgramSigns } from '../../machines/ports.ts';
import { ERROR_CODES, isKennelError, type KennelError } from '../core/errors.ts';
import type { ResolvedLink } from '../intake/link.ts';
import type { RecordingOptions } from '../recording/recorder.ts';
import type { KnownSource } from './afterExit.ts';
import type { OutputRun, ProgramOutput } from './output/programOutput.ts';
import { type Launch, prepareLaunch } from './programLaunch.ts';
import type { ProgramParts } from './programParts.ts';
import { ProgramRun, type RunResult } from './programRun.ts';
import type { ExitExplanation } from './recorderPlugin.ts';
import { redaction } from './redaction.ts';
import { SourceSilence, type SourceStill, stillSentence } from './sourceSilence.ts';
import { refusalReport, runEvidence, type TryReport } from './tryReport.ts';

/** A program that lives or was the last one, and what belongs to it. */
interface Current {
  readonly program: ProgramRun;
  readonly launch: Launch;
  readonly output: OutputRun;
  readonly redact: (text: string) => string;
  readonly silence: SourceSilence;
}

export interface ProgramTriesOptions
  extends Pick<RecordingOptions, 'job' | 'directory' | 'clock' | 'ledger' | 'log'> {
  readonly output: ProgramOutput;
  /** Aborted when no program is to be started any more. */
  readonly waiting: AbortSignal;
  /** Something gave a sign of life. */
  beat(): void;
}

/** The programs of one attempt, one after another: each is given what is behind the link at its time. */
export class ProgramTries {
  readonly #parts: ProgramParts;
  readonly #options: ProgramTriesOptions;
  #resolved: ResolvedLink | undefined;
  #wasLive: boolean;
  #current: Current | undefined;
  #isRunning = false;
  /** Why the program was given up. */
  #still: SourceStill | undefined;
  #runs = 0;
  #bytesBefore = 0;

  constructor(parts: ProgramParts, options: ProgramTriesOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#wasLive = options.ledger.source?.['isLive'] === true;
  }

  /** Put out by all programs so far. */
  get bytes(): number {
    return this.#bytesBefore + (this.#current?.program.outputBytes ?? 0);
  }

  /** What is behind the link, once that is known. */
  get resolved(): ResolvedLink | undefined {
    return this.#resolved;
  }

  get source(): KnownSource {
    const { kind, resolver, isLive, durationMs } = this.#resolved ?? {};
    return {
      isPage: this.#resolved === undefined || resolver !== undefined,
      isFile: kind === 'file',
      isLive,
      durationMs,
    };
  }

  /** Undefined before the first program. */
  get signs(): ProgramSigns | undefined {
    if (this.#current === undefined) return undefined;
    const { program, launch, output } = this.#current;
    const { vitals, targetMs } = program;
    return {
      run: program.run,
      agedMs: program.agedMs,
      egressBytes: launch.pass.receivedBytes,
      outputBytes: program.outputBytes,
      mediaMs: output.mediaMs,
      recordedMs: this.#options.output.recordedMs,
      cpuMs: vitals?.cpuMs ?? 0,
      isFrozen: vitals?.isFrozen ?? false,
      ...(targetMs !== undefined && { targetMs }),
      // While nothing can be stored, nothing is taken from it either.
      isExcused: !this.#isRunning || program.isStoring,
      ...(vitals?.stray !== undefined && { stray: vitals.stray }),
    };
  }

  /** Asks the program to finish well. */
  stop(): void {
    this.#current?.program.stop();
  }

  /** Ends the program at once. */
  kill(): void {
    this.#current?.program.kill();
  }

  /** To be called about once a second. `isWaitOver`: a source from which nothing comes has been waited for long enough. */
  async look({ isWaitOver }: { isWaitOver: boolean }): Promise<void> {
    if (!this.#isRunning || this.#current === undefined) return;
    const current = this.#current;
    await current.program.look();
    const { signs } = this;
    // It may be another one by now; one that is over is excused.
    if (this.#current !== current || signs === undefined) return;
    const still = current.silence.look(signs);
    if (still === undefined || (still.word === 'idle' && !isWaitOver)) return;
    this.#still ??= still;
    current.program.kill();
  }

  /**
   * One program, from its link until nothing of it is left. Undefined: no program was started, because none is to be, or because what
   * was live is not live any more. Rejects when storing fails, or with a bug.
   */
  async next(): Promise<TryReport | undefined> {
    const { waiting } = this.#options;
    let current: Current | undefined;
    try {
      current = waiting.aborted ? undefined : await this.#prepare();
    } catch (error) {
      if (waiting.aborted) return undefined;
      if (!isKennelError(error) || ERROR_CODES[error.code] === 'destination') throw error;
      return refusalReport(error, this.#redaction()(error.message));
    }
    if (current === undefined) return undefined;
    this.#bytesBefore = this.bytes;
    this.#current = current;
    this.#isRunning = true;
    this.#still = undefined;
    try {
      return await this.#live(current);
    } finally {
      this.#isRunning = false;
      await current.launch.dispose();
    }
  }

  async #prepare(): Promise<Current | undefined> {
    const { waiting, job, clock, output: media, beat } = this.#options;
    const { plugin, limits } = this.#parts;
    const resolved = await this.#resolve();
    if (this.#wasLive && resolved.isLive === false) return undefined;
    this.#wasLive ||= resolved.isLive === true;
    const run = this.#runs + 1;
    const launch = await prepareLaunch(this.#parts, this.#options, { resolved, run });
    if (waiting.aborted) {
      await launch.dispose();
      return undefined;
    }
    this.#runs = run;
    const output = media.run();
    const redact = this.#redaction(launch);
    const jobId = job.id;
    const options = { run, jobId, launch, plugin, output, limits, clock, redact, beat };
    const silence = new SourceSilence(job.spec.watch);
    return { launch, output, redact, silence, program: new ProgramRun(options) };
  }

  /** A page is asked again for each program, and so is everybody when the address does not hold any longer. */
  async #resolve(): Promise<ResolvedLink> {
    const { clock, waiting, ledger } = this.#options;
    const { resolver, expiresAt = Number.POSITIVE_INFINITY } = this.#resolved ?? {};
    const isGood = resolver === undefined && expiresAt > clock.now();
    if (this.#resolved !== undefined && isGood) return this.#resolved;
    const resolved = await this.#parts.resolve(waiting);
    // An end is one of something that was recorded.
    this.#wasLive &&= ledger.startedAt !== undefined;
    this.#resolved = resolved;
    return resolved;
  }

  async #live({ program, launch, output, redact }: Current): Promise<TryReport> {
    const { log } = this.#options;
    const result = await program.live();
    const ended = await settled(output.end(result.exitCode === 0));
    const failure = 'writeError' in result ? result.writeError : ended?.error;
    if (result.left.length > 0)
      log('Processes outlived SIGKILL.', { processes: result.left.length });
    const explanation = this.#explain(result, {
      failure,
      redact,
      hadMedia: output.hadMedia,
      launch,
    });
    const { name } = this.#parts.plugin;
    const { vitals } = program;
    const facts = {
      name,
      tool: this.#parts.tool,
      run: program.run,
      result,
      cpuMs: vitals?.cpuMs ?? 0,
      residentBytesPeak: vitals?.residentBytesPeak ?? 0,
      outputBytes: program.outputBytes,
      mediaMs: output.mediaMs,
      refused: launch.pass.refused,
    };
    return {
      explanation,
      exitCode: result.exitCode,
      hadMedia: output.hadMedia,
      mediaMs: output.mediaMs,
      evidence: runEvidence(facts, explanation),
      ...(failure !== undefined && !isNoMedia(failure) && { ownError: { error: failure } }),
    };
  }

  #explain(
    result: RunResult,
    about: {
      readonly failure: unknown;
      readonly redact: (text: string) => string;
      readonly hadMedia: boolean;
      readonly launch: Launch;
    },
  ): ExitExplanation {
    const fell = { fault: 'tool', retry: true } as const;
    const { failure, redact, hadMedia, launch } = about;
    const { exceeded, closedEarly, stderrTail, exitCode, signal, startError } = result;
    if (exceeded !== undefined) {
      const { limit, value, max } = exceeded;
      const sentence = `it went beyond its limit ${limit} (${Math.round(value * 100) / 100} of ${max}) and was ended`;
      return { ...fell, why: 'limit.exceeded', sentence };
    }
    if (isNoMedia(failure)) {
      return { ...fell, why: 'segment.invalid', sentence: redact(failure.message) };
    }
    const still = this.#still;
    if (still !== undefined) {
      const seen =
        still.word === 'idle'
          ? ({ fault: 'none', why: 'timeout.exceeded' } as const)
          : ({ fault: 'source', why: 'source.unavailable' } as const);
      return { ...seen, retry: true, sentence: stillSentence(still) };
    }
    if (closedEarly) {
      const sentence = 'it closed its output, lived on without any, and was ended';
      return { ...fell, why: 'tool.failed', sentence };
    }
    const isLive = this.#resolved?.isLive;
    const explained = this.#parts.plugin.explainExit({
      ...(exitCode !== undefined && { exitCode }),
      ...(signal !== undefined && { signal }),
      ...(startError !== undefined && { startError }),
      stderrTail,
      hadMedia,
      ...(result.asked !== undefined && { asked: result.asked }),
      refused: launch.pass.refused,
      ...(isLive !== undefined && { isLive }),
    });
    return { ...explained, sentence: redact(explained.sentence) };
  }

  #redaction(launch?: Launch): (text: string) => string {
    const { spec } = this.#options.job;
    const resolved = this.#resolved;
    const whole = redaction({
      headers: { ...resolved?.headers, ...spec.headers },
      cookies: `${spec.cookies ?? ''}\n${resolved?.cookies ?? ''}`,
      urls: [
        spec.url,
        spec.proxy,
        resolved?.url.href,
        resolved?.audioUrl?.href,
        launch?.pass.proxyUrl,
      ],
    });
    return whole;
  }
}

/** What came out of the program is no media. */
const isNoMedia = (failure: unknown): failure is KennelError =>
  isKennelError(failure) && failure.code === 'segment.invalid';

const settled = (promise: Promise<void>): Promise<{ readonly error: unknown } | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
