import { type Clock, pause } from '../core/clock.ts';
import { isKennelError } from '../core/errors.ts';
import type { StreamEnd } from './planner/endOfStream.ts';
import { fetchFailure } from './segment/fetchFailure.ts';
import type { JournalWriter } from './journalWriter.ts';
import type { PlannedRecord, Planner } from './planner/planner.ts';
import type { FetchOrder } from './planner/queue.ts';
import type { MediaPlaylist } from './playlist/model.ts';
import type { PlaylistSource } from './source/playlistSource.ts';
import type { SegmentTaker } from './segment/segmentTaker.ts';

/** The loop looks up at least so often, whatever the planner says; also keeps timers within their range. */
const LOOK_MS = 30_000;
/** Aborted tasks end at once; only one that waits for a failing disk can take longer, and is left behind. */
const LET_GO_MS = 3_000;

export interface RecordingRunOptions {
  readonly planner: Planner;
  readonly source: PlaylistSource;
  readonly taker: SegmentTaker;
  readonly writer: JournalWriter;
  readonly clock: Clock;
  random(): number;
  /** A sign of life. */
  beat(): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Does what the planner says, and tells it what came of it. It decides nothing. */
export class RecordingRun {
  readonly #options: RecordingRunOptions;
  readonly #polls = new AbortController();
  readonly #flights = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #bell = new AbortController();
  #broken: { readonly reason: unknown } | undefined;
  #pollsFail = false;

  constructor(options: RecordingRunOptions) {
    this.#options = options;
  }

  /** `first`: a playlist that was answered already. Rejects with what `abort` was told, or with a bug. */
  async run(first?: MediaPlaylist): Promise<StreamEnd> {
    const { planner, clock } = this.#options;
    if (first !== undefined) {
      const now = clock.elapsed();
      planner.onPlaylist(planner.onPollSent(now), first, now);
    }
    try {
      return await this.#loop();
    } finally {
      this.#polls.abort(ended);
      this.#flights.abort(ended);
      const early = new AbortController();
      const late = pause(clock, LET_GO_MS, early.signal);
      await Promise.race([Promise.all(this.#underWay), late]);
      early.abort();
    }
  }

  stop(why: 'duration' | 'stopped'): void {
    this.#options.planner.stop(why, this.#options.clock.elapsed());
    this.#polls.abort(ended);
    this.#bell.abort();
  }

  abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#bell.abort();
  }

  async #loop(): Promise<StreamEnd> {
    const { planner, clock, writer } = this.#options;
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken.reason;
      const now = clock.elapsed();
      const plan = planner.plan(now);
      for (const record of plan.records) {
        this.#note(record);
        void writer.write({ ...record, at: clock.now() });
      }
      for (const order of plan.fetch) this.#track(this.#fetch(order));
      if (plan.end !== undefined) return plan.end;
      if (plan.pollAt <= now) {
        this.#track(this.#poll(plan.pollTimeoutMs));
        continue;
      }
      const waitMs = Math.min(LOOK_MS, plan.pollAt - now, plan.wakeAt - now);
      await pause(clock, Math.max(1, waitMs), this.#bell.signal);
      if (this.#bell.signal.aborted) this.#bell = new AbortController();
    }
  }

  /** A task that reports by itself; what it throws is a bug, and ends the run. */
  #track(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => this.abort(error))
      .finally(() => {
        this.#underWay.delete(tracked);
        this.#bell.abort();
      });
    this.#underWay.add(tracked);
  }

  async #poll(timeoutMs: number): Promise<void> {
    const { planner, source, clock, beat, log } = this.#options;
    const poll = planner.onPollSent(clock.elapsed());
    try {
      const answer = await source.poll({
        signal: this.#polls.signal,
        timeoutMs,
        cut: () => planner.cut,
      });
      if (answer === 'unchanged') planner.onUnchanged(poll, clock.elapsed());
      else planner.onPlaylist(poll, answer, clock.elapsed());
      if (this.#pollsFail) log('The playlist is back.', {});
      this.#pollsFail = false;
    } catch (error) {
      if (this.#polls.signal.aborted) return;
      if (!isKennelError(error)) throw error;
      const { status } = error.details;
      const sign = typeof status === 'number' ? `http.${status}` : error.code;
      planner.onPollFailed(poll, sign);
      if (!this.#pollsFail) log('The playlist cannot be read.', { sign, message: error.message });
      this.#pollsFail = true;
    }
    beat();
  }

  async #fetch(order: FetchOrder): Promise<void> {
    const { planner, taker, clock, beat, random, log } = this.#options;
    const { key, purpose, tries } = order;
    try {
      const checksum = await taker.take(order, this.#flights.signal, () => {
        planner.onLanded(key, clock.elapsed());
        this.#bell.abort();
      });
      const now = clock.elapsed();
      if (purpose === 'probe') planner.onProbed({ checksum }, { now, jitter: 0 });
      else planner.onFetched(key, checksum, now);
    } catch (error) {
      if (this.#flights.signal.aborted) return;
      const failure = fetchFailure(error);
      if (tries === 0) log('A segment could not be fetched at once.', { ...key, ...failure });
      const at = { now: clock.elapsed(), jitter: random() };
      if (purpose === 'probe') planner.onProbed(failure, at);
      else planner.onFetchFailed(key, failure, at);
    }
    beat();
  }

  #note(record: PlannedRecord): void {
    const { t, ...fields } = record;
    if (t === 'gap') this.#options.log('Segments are lost.', fields);
    else this.#options.log('An epoch begins.', fields);
  }
}

/** Why what is under way is let go of at the end. */
const ended = new Error('the recording is over');
