import type { Job, Leash, RecorderExit, RecorderHold, RecorderNews } from '../../machines/ports.ts';
import type { Log } from '../core/log.ts';
import { FinishedRecorders } from './finishedRecorders.ts';
import type { LiveRecorder, RecorderDriver, RecorderJob } from './recorderDriver.ts';
import { NO_PROGRESS } from './recorderDriver.ts';

export interface LeashOptions {
  readonly driver: RecorderDriver;
  readonly log: Log;
  /** Where a job's recording lives. */
  directoryOf(jobId: string): string;
}

interface Holder {
  hear(news: RecorderNews): void;
  /** It has heard that the recording began: once is enough. */
  heardStart: boolean;
}

/** What somebody wants of a job's recorder. Whether there is one, only the driver knows. */
interface Entry {
  holder: Holder | undefined;
  /** Taken while the old recorder was being killed: starts when nothing is left of it. */
  next: RecorderJob | undefined;
  /** Called when nothing is left. */
  readonly ends: (() => void)[];
}

/** The table behind a leash: who holds which job, and who is to hear what. */
class LeashTable {
  readonly finished = new FinishedRecorders();
  readonly #entries = new Map<string, Entry>();
  readonly #options: LeashOptions;

  constructor(options: LeashOptions) {
    this.#options = options;
    options.driver.subscribe({
      started: ({ jobId }) => this.#tellStart(jobId),
      exited: (recorder, exit) => this.#exited(recorder, exit),
    });
  }

  take(job: Job, hear: (news: RecorderNews) => void): RecorderHold {
    const entry = this.#entryOf(job.id);
    const holder: Holder = { hear, heardStart: false };
    entry.holder = holder;
    this.#provide(job, entry);
    const act = (how: 'stop' | 'kill', why: string): void => {
      if (entry.holder !== holder) return;
      // What it has not got yet it wants no more; the exit of the old recorder is then its own.
      entry.next = undefined;
      this.#options.driver[how](job.id, why);
    };
    return {
      stop: (why) => act('stop', why),
      kill: (why) => act('kill', why),
      release: () => {
        if (entry.holder !== holder) return;
        entry.holder = undefined;
        entry.next = undefined;
        this.#forgetIdle(job.id);
      },
    };
  }

  async end(jobId: string, why: string): Promise<void> {
    const { driver } = this.#options;
    if (driver.living(jobId) !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const entry = this.#entryOf(jobId);
      entry.next = undefined;
      entry.ends.push(resolve);
      driver.kill(jobId, why);
      await promise;
    }
    await driver.clear(jobId);
  }

  #entryOf(jobId: string): Entry {
    const known = this.#entries.get(jobId);
    if (known !== undefined) return known;
    const entry: Entry = { holder: undefined, next: undefined, ends: [] };
    this.#entries.set(jobId, entry);
    return entry;
  }

  #forgetIdle(jobId: string): void {
    if (this.#entries.get(jobId)?.holder !== undefined) return;
    if (this.#options.driver.living(jobId) === undefined) this.#entries.delete(jobId);
  }

  /** Sees to it that the new holder has a recorder, or hears of the exit that it missed. */
  #provide(job: Job, entry: Entry): void {
    const { driver, log } = this.#options;
    const live = driver.living(job.id);
    const missed = this.finished.unheard(job.id);
    if (live?.killed === true) {
      log('info', 'A recorder is started once the killed one is gone.', { jobId: job.id });
      entry.next = job;
    } else if (live !== undefined) {
      log('info', 'A living recorder was taken.', { jobId: job.id, attempt: live.attempt });
      // Not during the call: the taker does not have its hold yet.
      queueMicrotask(() => this.#tellStart(job.id));
    } else if (missed !== undefined && missed.attempt >= job.attempt) {
      queueMicrotask(() => this.#tellExit(job.id));
    } else {
      if (missed !== undefined) driver.acknowledge(job.id, missed.attempt);
      this.#begin(job);
    }
  }

  #begin({ id, attempt, spec }: RecorderJob): void {
    this.finished.forget(id);
    this.#options.driver.start({ id, attempt, spec }, this.#options.directoryOf(id));
  }

  #tellStart(jobId: string): void {
    const entry = this.#entries.get(jobId);
    const live = this.#options.driver.living(jobId);
    const isItsOwn = entry?.holder !== undefined && entry.next === undefined;
    if (!isItsOwn || entry.holder === undefined || entry.holder.heardStart) return;
    if (live?.startedAt === undefined) return;
    entry.holder.heardStart = true;
    entry.holder.hear({ type: 'recorder.started', at: live.startedAt });
  }

  /** Tells the holder of the exit that nobody has heard yet, when there are both. The hold is spent then. */
  #tellExit(jobId: string): void {
    const entry = this.#entries.get(jobId);
    const missed = this.finished.unheard(jobId);
    const holder = entry?.holder;
    if (entry === undefined || holder === undefined || missed === undefined) return;
    this.finished.heard(jobId);
    entry.holder = undefined;
    this.#entries.delete(jobId);
    this.#options.driver.acknowledge(jobId, missed.attempt);
    holder.hear({ type: 'recorder.exited', exit: missed.exit });
  }

  #exited(recorder: LiveRecorder, exit: RecorderExit): void {
    const { jobId, attempt } = recorder;
    const { driver } = this.#options;
    const entry = this.#entries.get(jobId);
    this.finished.keepNumbers(jobId, recorder.progress);
    for (const resolve of entry?.ends.splice(0) ?? []) resolve();
    const next = entry?.next;
    if (entry !== undefined && next !== undefined) {
      entry.next = undefined;
      driver.acknowledge(jobId, attempt);
      this.#begin(next);
    } else if (entry?.holder === undefined && recorder.killed) {
      driver.acknowledge(jobId, attempt);
      this.#entries.delete(jobId);
    } else {
      this.finished.keepUnheard(jobId, { attempt, exit });
      this.#tellExit(jobId);
      this.#forgetIdle(jobId);
    }
  }
}

/**
 * The table of live recorders on this node.
 *
 * - A living recorder is adopted whatever its attempt: the row may lag behind it, since restarts are written behind.
 * - A recorder that somebody has killed is not adopted: the new holder gets a fresh one, started when nothing is left of
 *   the old one. For the same reason the exit of a killed recorder is told to who holds it then, and never to a later one.
 * - Any other exit that nobody heard waits for the next `take`, which hears it instead of starting a recorder when the
 *   exit is of the taker's attempt or a later one. An exit of an earlier attempt is out of date and dropped.
 * - Only the newest hold can stop or kill; a hold is spent once it has heard the exit.
 */
export function leash(options: LeashOptions): Leash {
  const { driver } = options;
  const table = new LeashTable(options);
  return {
    take: (job, hear) => table.take(job, hear),
    holds: (jobId) => driver.living(jobId) !== undefined,
    clear: async (jobId) => await driver.clear(jobId),
    end: async (jobId, why) => await table.end(jobId, why),
    progress: (jobId) =>
      driver.living(jobId)?.progress ?? table.finished.numbers(jobId) ?? NO_PROGRESS,
    // The recorder looks into its work directory itself: this process touches no file for it.
    strayFiles: (jobId) => driver.living(jobId)?.progress.program?.stray,
  };
}
