import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { programPidOf } from '../cage/programPid.ts';
import { type Clock, pause } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { insideOf } from '../process/programParties.ts';
import { ProgramProcesses, sendSignal } from '../process/programProcesses.ts';
import { ErrorLines } from './errorLines.ts';
import { MediaPipe } from './mediaPipe.ts';
import type { OutputRun } from './output/programOutput.ts';
import type { Launch } from './programLaunch.ts';
import { type Exceeded, ProgramLimitWatch } from './programLimitWatch.ts';
import type { ProgramLimits } from './programSettings.ts';
import { ProgramVitals } from './programVitals.ts';
import type { ProgramExit, ProgramNews, RecorderPlugin } from './recorderPlugin.ts';
import { type ProcessExit, wrappedExit } from './wrappedExit.ts';

/**
 * How a program is asked to finish: it closes its source on SIGINT, within about a second (ffmpeg, yt-dlp, streamlink). All of it, with
 * the end of its output, has to fit into the grace of a job (`Policy.graceMs`, 7 s).
 */
const STOP_RUNGS = [
  { signal: 'SIGINT', waitMs: 3_000 },
  { signal: 'SIGTERM', waitMs: 1_000 },
] as const;
/** It has closed its output and lives on: nothing can come of it any more. */
const CLOSED_RUNGS = [{ signal: 'SIGTERM', waitMs: 1_000 }] as const;
/** How long a program may need between the end of its output and its own, milliseconds: tools say goodbye in tens of them. */
const CLOSED_GRACE_MS = 1_000;
/** How long what a program leaves behind may go on writing, milliseconds: enough for what is in flight; its recorder is gone. */
const LEFTOVER_GRACE_MS = 250;
/** SIGKILL works within milliseconds, unless a process hangs in the kernel. */
const KILL_WAIT_MS = 3_000;
/** An output that nobody of ours holds any more, and that has no end and no bytes for so long, is held by somebody else. */
const DRAIN_IDLE_MS = 500;

export interface ProgramRunOptions {
  /** Counts from 1 within the attempt. */
  readonly run: number;
  readonly jobId: string;
  readonly launch: Launch;
  readonly plugin: Pick<RecorderPlugin, 'parseLine'>;
  readonly output: OutputRun;
  readonly limits: ProgramLimits;
  readonly clock: Clock;
  /** Takes the secrets out of what it says. */
  redact(text: string): string;
  /** It gave a sign of life: bytes, or a line. */
  beat(): void;
}

/** How a program ended, and what it had been. */
export interface RunResult
  extends Pick<ProgramExit, 'exitCode' | 'signal' | 'startError' | 'asked' | 'stderrTail'> {
  readonly exceeded?: Exceeded;
  /** What its output could not be taken for, or why it could not be stored. */
  readonly writeError?: unknown;
  /** It closed its output, and had to be ended. */
  readonly closedEarly: boolean;
  /** Processes of it that outlived SIGKILL. */
  readonly left: readonly number[];
  readonly ranMs: number;
}

type Rungs = readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];

/** One program, from its start until nothing of it is left. Nothing is awaited for ever, whatever the program does. */
export class ProgramRun {
  readonly #options: ProgramRunOptions;
  readonly #since: number;
  readonly #lines: ErrorLines;
  readonly #limits: ProgramLimitWatch;
  readonly #pipe: MediaPipe;
  readonly #asked = Promise.withResolvers<void>();
  readonly #hurried = Promise.withResolvers<void>();
  #isStopping = false;
  #isHurried = false;
  #processes: ProgramProcesses | undefined;
  #vitals: ProgramVitals | undefined;
  #leader: number | undefined;
  #exit: ProcessExit | undefined;
  #exceeded: Exceeded | undefined;
  #ranMs: number | undefined;
  #targetMs: number | undefined;

  constructor(options: ProgramRunOptions) {
    const { clock, limits, output, beat } = options;
    this.#options = options;
    this.#since = clock.elapsed();
    this.#limits = new ProgramLimitWatch(limits);
    this.#lines = new ErrorLines((line) => this.#hear(line));
    this.#pipe = new MediaPipe({ write: (bytes) => output.write(bytes), beat });
  }

  get run(): number {
    return this.#options.run;
  }

  get agedMs(): number {
    return this.#ranMs ?? this.#options.clock.elapsed() - this.#since;
  }

  get outputBytes(): number {
    return this.#pipe.bytes;
  }

  /** What it put out is on its way to the disk, and it has to wait. */
  get isStoring(): boolean {
    return this.#pipe.isStoring;
  }

  get targetMs(): number | undefined {
    return this.#targetMs;
  }

  get vitals(): ProgramVitals | undefined {
    return this.#vitals;
  }

  /** Asks it to finish. It is ended when it does not. */
  stop(): void {
    this.#isStopping = true;
    this.#asked.resolve();
  }

  /** Ends it at once. */
  kill(): void {
    this.#isHurried = true;
    this.#hurried.resolve();
    this.#asked.resolve();
  }

  /** To be called about once a second while it lives. */
  async look(): Promise<void> {
    if (this.#exit !== undefined || this.#isHurried) return;
    this.#hold(await this.#vitals?.look());
  }

  /** Resolves once nothing of it is left (or what is left does not obey SIGKILL). Its output is not ended: whoever made it does that. */
  async live(): Promise<RunResult> {
    const started = await this.#start();
    const facts =
      typeof started === 'string' ? { startError: started } : await this.#until(started);
    this.#ranMs = this.agedMs;
    return {
      closedEarly: false,
      left: [],
      ...facts,
      ...this.#exit,
      ...(this.#isAsked && { asked: this.#isStopping ? ('stop' as const) : ('kill' as const) }),
      ...(this.#exceeded !== undefined && { exceeded: this.#exceeded }),
      ...(this.#pipe.failure !== undefined && { writeError: this.#pipe.failure.error }),
      stderrTail: this.#options.redact(this.#lines.tail),
      ranMs: this.#ranMs,
    };
  }

  /** The process, or why there is none. */
  async #start(): Promise<ChildProcess | string> {
    const { command, workDirectory } = this.#options.launch;
    const inherited: FileHandle[] = [];
    try {
      for (const file of command.inherit) inherited.push(await open(file, 'r'));
      const child = spawn(command.file, [...command.arguments], {
        cwd: workDirectory,
        env: command.environment,
        // A process group of its own.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', ...inherited.map(({ fd }) => fd)],
      });
      if (child.pid === undefined) {
        const [error] = await once(child, 'error');
        return messageOf(error);
      }
      this.#leader = child.pid;
      const processes = new ProgramProcesses(child.pid, this.#options.jobId);
      this.#processes = processes;
      const { clock } = this.#options;
      const limits = this.#limits;
      this.#vitals = new ProgramVitals({
        processes,
        leader: child.pid,
        workDirectory,
        limits,
        clock,
      });
      return child;
    } catch (error) {
      return messageOf(error);
    } finally {
      for (const handle of inherited) await handle.close();
    }
  }

  async #until(child: ChildProcess): Promise<Pick<RunResult, 'closedEarly' | 'left'>> {
    const exit = exitOf(child).then((how) => {
      this.#exit = this.#options.launch.isWrapped ? wrappedExit(how) : how;
    });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('a program was started without pipes');
    const media = this.#pipe.takeAll(stdout);
    const said = this.#listen(stderr);
    await Promise.race([exit, media, this.#asked.promise]);
    if (this.#exit === undefined && !this.#isAsked && this.#pipe.failure === undefined) {
      await this.#within(CLOSED_GRACE_MS, [exit, this.#asked.promise]);
    }
    const closedEarly = this.#exit === undefined && !this.#isAsked;
    await this.#descend(this.#rungs(), exit);
    // What is in flight still comes; more than that would be a recording that nobody leads.
    if (!this.#isHurried) await this.#within(LEFTOVER_GRACE_MS, [media]);
    const left = await this.#endAll();
    await this.#atMost(KILL_WAIT_MS, exit);
    await this.#drain(stdout, media);
    await this.#atMost(DRAIN_IDLE_MS, said);
    stderr.destroy();
    this.#lines.end();
    return { closedEarly, left };
  }

  get #isAsked(): boolean {
    return this.#isStopping || this.#isHurried;
  }

  #rungs(): Rungs {
    if (this.#isHurried || this.#pipe.failure !== undefined) return [];
    return this.#isStopping ? STOP_RUNGS : CLOSED_RUNGS;
  }

  async #descend(rungs: Rungs, exit: Promise<void>): Promise<void> {
    for (const { signal, waitMs } of rungs) {
      if (this.#exit !== undefined || this.#isHurried) return;
      await this.#tell(signal);
      await this.#within(waitMs, [exit]);
    }
  }

  /** SIGINT is for the program, which ends what it has started; its wrappers would die of it and take everything along. */
  async #tell(signal: NodeJS.Signals): Promise<void> {
    if (this.#processes === undefined || this.#leader === undefined) return;
    const { processes } = await this.#processes.look();
    const program = await programPidOf(this.#leader);
    const everybody = insideOf(processes, program).map(({ pid }) => pid);
    const one = [program ?? this.#leader];
    for (const pid of signal === 'SIGINT' ? one : [...one, ...everybody]) sendSignal(pid, signal);
    // Who is stopped hears nothing.
    for (const pid of everybody) sendSignal(pid, 'SIGCONT');
  }

  /** Its last look is taken first: what it has used is known as long as it lives. */
  async #endAll(): Promise<readonly number[]> {
    await this.#vitals?.look();
    return (await this.#processes?.endAll(this.#options.clock, KILL_WAIT_MS)) ?? [];
  }

  /** Nothing of it lives: its output is read to its end, unless somebody whom we do not know keeps that open. */
  async #drain(stdout: Readable, media: Promise<void>): Promise<void> {
    for (;;) {
      const { bytes } = this.#pipe;
      await this.#atMost(DRAIN_IDLE_MS, media);
      if (this.#pipe.isOver) return;
      const isWaiting = this.#pipe.isStoring && !this.#isHurried;
      if (isWaiting || this.#pipe.bytes !== bytes) continue;
      stdout.destroy();
      await this.#atMost(DRAIN_IDLE_MS, media);
      return;
    }
  }

  async #listen(stderr: Readable): Promise<void> {
    const { clock } = this.#options;
    stderr.on('data', (bytes: Buffer) => {
      if (this.#exceeded !== undefined) return;
      this.#lines.take(bytes);
      this.#hold(this.#limits.said(bytes.length, clock.elapsed()));
    });
    stderr.on('error', () => undefined);
    await once(stderr, 'close');
  }

  #hear(line: string): 'keep' | 'drop' {
    this.#options.beat();
    const news: ProgramNews | undefined = this.#options.plugin.parseLine(line);
    if (news?.targetMs !== undefined) this.#targetMs = news.targetMs;
    if (news?.isMuxing === true) this.#vitals?.hearMuxing();
    return news === undefined || news.isMuxing === true ? 'keep' : 'drop';
  }

  #hold(exceeded: Exceeded | undefined): void {
    if (exceeded === undefined) return;
    this.#exceeded ??= exceeded;
    this.kill();
  }

  /** Waits for the first of these, not longer, and not once it is to end at once. */
  async #within(delayMs: number, promises: readonly Promise<void>[]): Promise<void> {
    await this.#atMost(delayMs, Promise.race([...promises, this.#hurried.promise]));
  }

  async #atMost(delayMs: number, promise: Promise<void>): Promise<void> {
    const early = new AbortController();
    await Promise.race([promise, pause(this.#options.clock, delayMs, early.signal)]);
    early.abort();
  }
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ ...(exitCode !== null && { exitCode }), ...(signal !== null && { signal }) });
    });
    // A signal that could not be sent, which nobody sends this way.
    child.on('error', () => undefined);
  });
}
