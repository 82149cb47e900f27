import { AsyncLocalStorage } from 'node:async_hooks';
import type { Progress, RecorderExit } from '../../../machines/ports.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { NO_PROGRESS, type RecorderJob } from '../../process/recorderDriver.ts';
import type { Recorder, StartRecorder } from '../../recording/recorder.ts';
import { boundedProgress } from './programSigns.ts';
import { boundedExit, EXITS_KEPT_MAX, type KeptExit, type RunningRecorder } from './protocol.ts';

export interface HostRecordersOptions {
  readonly startRecorder: StartRecorder;
  readonly clock: Clock;
  random(): number;
  readonly log: Log;
  onStarted(recorder: { jobId: string; attempt: number }, at: number): void;
  onExited(kept: KeptExit): void;
}

interface Running {
  readonly job: RecorderJob;
  recorder: Recorder | undefined;
  startedAt?: number;
  progress: Progress;
  killed: boolean;
  /** What was thrown past the recorder, once something was. */
  thrown?: unknown;
}

/** A recorder that threw what nobody caught. */
export interface CrashedRecorder {
  readonly jobId: string;
  isGone(): boolean;
}

const crashedExit = (error: unknown): RecorderExit => ({
  kind: 'crashed',
  why: 'recorder.crashed',
  retryable: true,
  evidence: {
    error: messageOf(error),
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
  },
});

/** The recorders within one host process: at most one for a job, and the exits that nobody has acknowledged yet. */
export class HostRecorders {
  readonly #running = new Map<string, Running>();
  /** Whose code runs: what a recorder starts (timers, sockets, promises) carries it along. */
  readonly #whose = new AsyncLocalStorage<Running>();
  readonly #options: HostRecordersOptions;
  #exits: KeptExit[] = [];

  constructor(options: HostRecordersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  get exits(): readonly KeptExit[] {
    return this.#exits;
  }

  running(): RunningRecorder[] {
    return [...this.#running.values()].map((running) => ({
      jobId: running.job.id,
      attempt: running.job.attempt,
      ...(running.startedAt === undefined ? {} : { startedAt: running.startedAt }),
      progress: this.#progressOf(running),
      killed: running.killed,
    }));
  }

  /** Starts a recorder. Told again what already runs (the supervisor was not sure), nothing happens. */
  start(job: RecorderJob, directory: string): void {
    const present = this.#running.get(job.id);
    if (present?.job.attempt === job.attempt) return;
    if (present !== undefined) {
      const evidence = { attemptRunning: present.job.attempt };
      this.refuse(job, { kind: 'failed', why: 'recorder.duplicate', retryable: true, evidence });
      return;
    }
    const running: Running = { job, recorder: undefined, progress: NO_PROGRESS, killed: false };
    this.#running.set(job.id, running);
    void this.#run(running, directory);
  }

  /** Reports the exit of a recorder that never ran. */
  refuse(job: RecorderJob, exit: RecorderExit): void {
    this.#keep({ jobId: job.id, attempt: job.attempt, killed: false, exit });
  }

  stop(jobId: string, why: string): void {
    this.#running.get(jobId)?.recorder?.stop(why);
  }

  kill(jobId: string, why: string): void {
    const running = this.#running.get(jobId);
    if (running === undefined) return;
    running.killed = true;
    running.recorder?.kill(why);
  }

  /** The host ends, through no decision about any of these jobs: they do not count as killed. */
  letGoOfAll(why: string): void {
    for (const { recorder } of this.#running.values()) recorder?.kill(why);
  }

  acknowledge(jobId: string, attempt: number): void {
    this.#exits = this.#exits.filter((kept) => kept.jobId !== jobId || kept.attempt !== attempt);
  }

  /**
   * Something was thrown that nobody caught. When it came out of one recorder's timers, sockets or promises, that recorder
   * is ended and returned; its exit will say `crashed`. Undefined: nobody knows whose it was.
   */
  crash(error: unknown): CrashedRecorder | undefined {
    const running = this.#whose.getStore();
    if (running === undefined || this.#running.get(running.job.id) !== running) return undefined;
    running.thrown ??= error;
    running.recorder?.kill('crashed');
    const { id: jobId } = running.job;
    return { jobId, isGone: () => this.#running.get(jobId) !== running };
  }

  async #run(running: Running, directory: string): Promise<void> {
    const { job } = running;
    let exit: RecorderExit;
    try {
      running.recorder = this.#whose.run(running, () => this.#record(running, directory));
      exit = await running.recorder.exited;
    } catch (error) {
      exit = crashedExit(error);
    }
    running.progress = this.#progressOf(running);
    if (running.thrown !== undefined) exit = crashedExit(running.thrown);
    this.#running.delete(job.id);
    this.#keep({ jobId: job.id, attempt: job.attempt, killed: running.killed, exit });
  }

  #record(running: Running, directory: string): Recorder {
    const { startRecorder, clock, random, log, onStarted } = this.#options;
    const { job } = running;
    const who = { jobId: job.id, attempt: job.attempt };
    return startRecorder({
      job,
      directory,
      clock,
      random,
      onStarted: (at) => {
        running.startedAt = at;
        onStarted(who, at);
      },
      log: (message, fields) => log('info', message, { ...who, ...fields }),
    });
  }

  #progressOf(running: Running): Progress {
    const { recorder, progress } = running;
    return recorder === undefined ? progress : boundedProgress(recorder.progress());
  }

  #keep(kept: KeptExit): void {
    const bounded = { ...kept, exit: boundedExit(kept.exit) };
    this.#exits = [...this.#exits, bounded].slice(-EXITS_KEPT_MAX);
    this.#options.onExited(bounded);
  }
}
