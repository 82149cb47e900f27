import { Bell } from '../core/bell.ts';
import { type Clock, pause } from '../core/clock.ts';
import { isKennelError } from '../core/errors.ts';
import type { RecordingEnd } from '../recording/recorder.ts';
import type { PollOrder } from './planner/plan.ts';
import type { PlannedRecord } from './planner/planLines.ts';
import type { FetchFailure, FetchOrder } from './planner/queue.ts';
import type { MediaPlaylist } from './playlist/model.ts';
import type { PlaylistFeed, RecordWriter, RunPlanner, Taker } from './recordingPorts.ts';
import { fetchFailure } from './segment/fetchFailure.ts';

/** The loop looks up at least so often, whatever the planner says; also keeps timers within their range. */
const LOOK_MS = 30_000;
/** Aborted tasks end at once; only one that waits for a failing disk can take longer, and is left behind. */
const LET_GO_MS = 3_000;
/** Answers for a listed segment that say the address is not good any more. */
const REFUSALS: ReadonlySet<string> = new Set(['http.401', 'http.403', 'http.410']);

export interface RecordingRunOptions {
  readonly planner: RunPlanner;
  readonly feed: PlaylistFeed;
  readonly taker: Taker;
  readonly writer: RecordWriter;
  readonly clock: Clock;
  random(): number;
  /** A sign of life. */
  beat(): void;
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A playlist that was answered before the run began, and by which source. */
export interface FirstPlaylist {
  readonly source: number;
  readonly playlist: MediaPlaylist;
}

/** Does what the planner says, and tells it what came of it. It decides nothing. */
export class RecordingRun {
  readonly #options: RecordingRunOptions;
  readonly #polls = new AbortController();
  readonly #flights = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #bell = new Bell();
  #isStopped = false;
  #broken: { readonly reason: unknown } | undefined;
  /** Sources whose last poll failed. */
  readonly #failing = new Set<number>();

  constructor(options: RecordingRunOptions) {
    this.#options = options;
  }

  /** Rejects with what `abort` was told, or with a bug. */
  async run(first?: FirstPlaylist): Promise<RecordingEnd> {
    const { planner, clock } = this.#options;
    if (first !== undefined) {
      const now = clock.elapsed();
      planner.onPlaylist(planner.onPollSent(now, first.source), first.playlist, now);
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
    this.#isStopped = true;
    this.#bell.ring();
  }

  abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#bell.ring();
  }

  async #loop(): Promise<RecordingEnd> {
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
      if (this.#isStopped && !plan.polling) this.#polls.abort(ended);
      const pollAt = this.#pollAll(now);
      if (pollAt <= now) continue;
      const at = Math.min(now + LOOK_MS, pollAt, plan.wakeAt, this.#options.feed.wakeAt(now));
      // Timers leave out what is less than a millisecond: they would wake a loop that has nothing to do yet.
      await this.#bell.wait(clock, Math.max(1, Math.ceil(at - now)));
    }
  }

  /** Asks every source whose time has come. Returns when the next one's comes; at once where one may be asked again already. */
  #pollAll(now: number): number {
    const { feed, planner } = this.#options;
    let nextAt = Number.POSITIVE_INFINITY;
    for (const source of feed.wanted(now)) {
      let order = planner.pollOf(source);
      if (order.at <= now) {
        this.#track(this.#poll(source, order));
        // The planner has been told: that one more poll is under way changes nothing else of its plan.
        order = planner.pollOf(source);
      }
      nextAt = Math.min(nextAt, order.at);
    }
    return nextAt;
  }

  /** A task that reports by itself; what it throws is a bug, and ends the run. */
  #track(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => this.abort(error))
      .finally(() => {
        this.#underWay.delete(tracked);
        this.#bell.ring();
      });
    this.#underWay.add(tracked);
  }

  async #poll(source: number, { timeoutMs, blockUntilMsn }: PollOrder): Promise<void> {
    const { planner, feed, clock, beat } = this.#options;
    const poll = planner.onPollSent(clock.elapsed(), source);
    try {
      const answer = await feed.poll(source, {
        signal: this.#polls.signal,
        timeoutMs,
        blockUntilMsn,
        cut: () => planner.cut(source),
      });
      if (answer === 'unchanged') planner.onUnchanged(poll, clock.elapsed());
      else planner.onPlaylist(poll, answer, clock.elapsed());
      if (this.#failing.delete(source)) this.#options.log('The playlist is back.', { source });
    } catch (error) {
      if (this.#polls.signal.aborted) return;
      this.#pollFailed(source, poll, error);
    }
    beat();
  }

  #pollFailed(source: number, poll: number, error: unknown): void {
    const { planner, clock, log } = this.#options;
    if (!isKennelError(error)) throw error;
    const { status } = error.details;
    const sign = typeof status === 'number' ? `http.${status}` : error.code;
    planner.onPollFailed(poll, sign, clock.elapsed());
    if (this.#failing.has(source)) return;
    this.#failing.add(source);
    log('The playlist cannot be read.', { source, sign, message: error.message });
  }

  async #fetch(order: FetchOrder): Promise<void> {
    const { planner, taker, feed, clock, beat, random } = this.#options;
    const { key, purpose } = order;
    try {
      const { checksum, source } = await taker.take(order, this.#flights.signal, () => {
        planner.onLanded(key, clock.elapsed());
        this.#bell.ring();
      });
      const now = clock.elapsed();
      feed.segmentEnded(source, 'stored');
      if (purpose === 'probe') planner.onProbed({ checksum }, { now, jitter: 0 });
      else planner.onFetched(key, checksum, { now, source });
    } catch (error) {
      if (this.#flights.signal.aborted) return;
      const failure = fetchFailure(error, order.mirrors.length);
      this.#told(order, failure);
      const at = { now: clock.elapsed(), jitter: random() };
      if (purpose === 'probe') planner.onProbed(failure, at);
      else planner.onFetchFailed(key, failure, at);
    }
    beat();
  }

  #told({ key, source, tries }: FetchOrder, failure: FetchFailure): void {
    const { feed, log } = this.#options;
    if (REFUSALS.has(failure.cause) || failure.isFinal === true)
      feed.segmentEnded(source, 'refused');
    const { cause, detail } = failure;
    if (tries === 0) log('A segment could not be fetched at once.', { ...key, cause, detail });
  }

  /** Marks are many and say nothing of how the recording goes: they are in the journal only. */
  #note(record: PlannedRecord): void {
    const { t, ...fields } = record;
    if (t === 'gap') this.#options.log('Segments are lost.', fields);
    if (t === 'epoch') this.#options.log('An epoch begins.', fields);
  }
}

/** Why what is under way is let go of at the end. */
const ended = new Error('the recording is over');
