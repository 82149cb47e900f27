import type { EpochOpened, SegmentKey, SegmentLost } from '../../ledger/record.ts';
import { EndOfStream, type StreamEnd } from './endOfStream.ts';
import { PlannerPolls } from './polls.ts';
import {
  FETCHES_MAX,
  type FetchFailure,
  type FetchOrder,
  type LostSegment,
  PlannerQueue,
  retryMs,
  tryMs,
} from './queue.ts';
import type { PlannerResume } from './resume.ts';
import { type Placed, type Placement, PlannerTimeline, type Slid } from './timeline.ts';
import type { MediaPlaylist, PlaylistCut, PlaylistSegment } from '../playlist/model.ts';

/** After `stop`, what was advertised may still arrive for so long. */
const STOP_GRACE_MS = 3_000;
/** Tries to learn the content of one segment before the numbers alone decide. */
const PROBE_TRIES_MAX = 2;

export interface PlannerOptions {
  readonly track: string;
  readonly patienceMs: number;
  readonly resume?: PlannerResume | undefined;
  /** Monotonic milliseconds, as every `now` here. */
  readonly now: number;
}

/** An epoch or a gap for the journal; the executor adds the date. */
export type PlannedRecord = Omit<EpochOpened, 'at'> | Omit<SegmentLost, 'at'>;

export interface Plan {
  /** To be durable, in this order, before any of `fetch` is. */
  readonly records: readonly PlannedRecord[];
  /** To begin now. Each counts as under way until it is reported. */
  readonly fetch: readonly FetchOrder[];
  /** When to send the next poll; not finite when none is wanted. */
  readonly pollAt: number;
  readonly pollTimeoutMs: number;
  /** When to ask for a plan again if nothing happens before. */
  readonly wakeAt: number;
  /** Everything advertised is settled, and this is why it is over. */
  readonly end?: StreamEnd;
}

/**
 * What to do about one media playlist: pure and deterministic; time and chance come in as arguments. What happened is
 * reported through the `on…` methods, and `plan` says what follows from it. The law it keeps: when it ends, every segment
 * that was advertised is either stored or named as a gap, and none is ordered again after it was stored.
 */
export class Planner {
  readonly #track: string;
  readonly #timeline: PlannerTimeline;
  readonly #queue = new PlannerQueue();
  readonly #polls = new PlannerPolls();
  readonly #end: EndOfStream;
  #records: PlannedRecord[] = [];
  #probe: { order: FetchOrder; under: boolean; tries: number; dueAt: number } | undefined;
  #targetDurationMs = 0;
  #windowMs = 0;
  #lastDurationMs = 0;
  #endListed = false;
  #stopped: { why: 'duration' | 'stopped'; until: number } | undefined;
  #over: StreamEnd | undefined;
  #advertised: number;
  #settled: number;

  constructor(options: PlannerOptions) {
    this.#track = options.track;
    this.#timeline = new PlannerTimeline(options.resume);
    this.#end = new EndOfStream(options.patienceMs, options.now);
    this.#advertised = options.resume?.settled ?? 0;
    this.#settled = this.#advertised;
    for (const { epoch, msn, count } of options.resume?.left ?? []) {
      const durationMs = count * (options.resume?.segmentMs ?? 0);
      this.#slid({ epoch, msn, count, durationMs });
    }
  }

  /** Segments known to have been offered, those of earlier attempts included. */
  get advertised(): number {
    return this.#advertised;
  }

  /** How many of them are stored or named. */
  get settled(): number {
    return this.#settled;
  }

  /** Where the next long playlist may be cut. */
  get cut(): PlaylistCut | undefined {
    return this.#timeline.cut(this.#queue.oldest);
  }

  /** A poll was sent; returns the number to report its answer under. */
  onPollSent(now: number): number {
    return this.#polls.sent(now);
  }

  onPlaylist(poll: number, playlist: MediaPlaylist, now: number): void {
    this.#polls.answered(poll);
    if (this.#stopped !== undefined) return;
    this.#targetDurationMs = playlist.targetDurationMs;
    this.#windowMs = playlist.windowMs;
    this.#lastDurationMs = playlist.segments.at(-1)?.durationMs || playlist.targetDurationMs;
    this.#place(this.#timeline.place(playlist, now), now);
  }

  /** The same bytes as the last accepted answer. */
  onUnchanged(poll: number, now: number): void {
    this.#polls.answered(poll);
    if (this.#stopped !== undefined) return;
    this.#end.answered(false, now);
    this.#polls.next(this.#lastDurationMs, false);
    this.#queue.listedAgain(this.#expiry(now));
  }

  /** `sign`: what came instead, for the evidence: `http.404`, `timeout`, `playlist.invalid`, … */
  onPollFailed(poll: number, sign: string): void {
    this.#polls.failed(poll);
    this.#end.failed(sign);
  }

  /** Its file is durable, and its journal line is on the way. The slot is free for another. */
  onLanded(key: SegmentKey, now: number): void {
    this.#end.alive(now);
    this.#queue.landed(key);
  }

  /** It is durable, its journal line as well. */
  onFetched(key: SegmentKey, checksum: string, now: number): void {
    this.#end.alive(now);
    this.#timeline.stored(key, checksum);
    if (this.#queue.fetched(key)) this.#settled++;
  }

  onFetchFailed(key: SegmentKey, failure: FetchFailure, at: { now: number; jitter: number }): void {
    this.#queue.failed(key, failure, at);
  }

  /** The probe that was ordered: its checksum, or why there is none. */
  onProbed(result: { checksum: string } | FetchFailure, at: { now: number; jitter: number }): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    probe.tries++;
    if (!('checksum' in result) && probe.tries < PROBE_TRIES_MAX) {
      probe.under = false;
      probe.dueAt = at.now + retryMs(probe.tries, at.jitter);
      return;
    }
    this.#decide('checksum' in result ? result.checksum : undefined, at.now);
  }

  #decide(checksum: string | undefined, now: number): void {
    this.#probe = undefined;
    for (const placement of this.#timeline.probed(checksum, now)) this.#place(placement, now);
  }

  /** No time is left to ask for content: the numbers alone say what was advertised. Each round settles one playlist. */
  #decideUnasked(now: number): void {
    while (this.#probe !== undefined) this.#decide(undefined, now);
  }

  /** No more polls. What was advertised may arrive for a few seconds more. */
  stop(why: 'duration' | 'stopped', now: number): void {
    this.#stopped ??= { why, until: now + STOP_GRACE_MS };
  }

  plan(now: number): Plan {
    if (this.#over === undefined) this.#judge(now);
    const fetch: FetchOrder[] = [];
    if (this.#over === undefined) {
      const probe = this.#probe;
      if (probe !== undefined && !probe.under && probe.dueAt <= now) {
        probe.under = true;
        fetch.push(probe.order);
      }
      // The probe comes on top of them: what the next playlists mean hangs on it.
      fetch.push(...this.#queue.take(now, FETCHES_MAX - this.#queue.fetching));
    }
    const records = this.#records;
    this.#records = [];
    return {
      records,
      fetch,
      pollAt: this.#polling ? Math.max(now, this.#polls.at) : Number.POSITIVE_INFINITY,
      pollTimeoutMs: PlannerPolls.timeoutMs(this.#targetDurationMs),
      wakeAt: this.#wakeAt(now),
      ...(this.#over && { end: this.#over }),
    };
  }

  get #polling(): boolean {
    return this.#over === undefined && this.#stopped === undefined && !this.#endListed;
  }

  #wakeAt(now: number): number {
    if (this.#over !== undefined) return Number.POSITIVE_INFINITY;
    const candidates = [
      this.#queue.wakeAt(now, this.#endListed),
      this.#stopped?.until ?? this.#end.wakeAt(this.#endListed, this.#targetDurationMs),
      this.#probe?.under === false ? this.#probe.dueAt : undefined,
    ];
    return Math.min(...candidates.map((at) => at ?? Number.POSITIVE_INFINITY));
  }

  #expiry(now: number): number {
    return now + this.#windowMs + 2 * this.#targetDurationMs;
  }

  #place(placement: Placement, now: number): void {
    const { verdict, playlist } = placement;
    for (const slid of placement.slid) this.#slid(slid);
    if (placement.opened !== undefined) {
      this.#records.push({ t: 'epoch', track: this.#track, ...placement.opened });
    }
    if (verdict === 'probe' && placement.probe !== undefined) {
      const { place, segment } = placement.probe;
      // Everything waits for it, so it gets half of the usual time.
      const timeoutMs = tryMs(segment.durationMs, 0) / 2;
      const order = {
        purpose: 'probe',
        key: this.#key(place),
        source: 0,
        segment,
        mirrors: [],
        tries: 0,
        timeoutMs,
      } as const;
      this.#probe = { order, under: false, tries: 0, dueAt: now };
    }
    if (verdict === 'placed') this.#relist(placement.known, now);
    for (const fresh of placement.fresh) this.#advertise(fresh, now);
    for (const again of placement.again) this.#tryAgain(again, now);
    const isNew = placement.fresh.length > 0;
    this.#end.answered(isNew, now);
    this.#polls.next(this.#lastDurationMs, isNew);
    // A stale answer says nothing about the end, and one that is held has no place yet.
    const counts = verdict === 'placed' || playlist.segments.length === 0;
    if (counts && playlist.endList) this.#endListed = true;
  }

  #slid({ epoch, msn, count, durationMs }: Slid): void {
    this.#advertised += count;
    const failure = {
      cause: 'window.slid',
      detail: 'it left the playlist before it could be stored',
    } as const;
    this.#lose({ key: this.#key({ epoch, msn }), failure, durationMs }, count);
  }

  #advertise({ place, segment }: Placed, now: number): void {
    const key = this.#key(place);
    this.#advertised++;
    if (segment.gap) {
      const failure = { cause: 'marked', detail: 'the playlist marks it as missing' } as const;
      this.#lose({ key, failure, durationMs: segment.durationMs }, 1);
    } else this.#queue.add(key, segment, { expiresAt: this.#expiry(now) });
  }

  /** It was named as lost unseen, and is listed after all: when it can be had, its line heals the gap. */
  #tryAgain({ place, segment }: Placed, now: number): void {
    this.#settled--;
    this.#queue.add(this.#key(place), segment, { expiresAt: this.#expiry(now), isNamed: true });
  }

  #relist(known: readonly Placed[], now: number): void {
    if (this.#queue.size === 0) return;
    const listed = new Map<SegmentKey, PlaylistSegment>();
    for (const { place, segment } of known) listed.set(this.#key(place), segment);
    this.#queue.relist(listed, this.#expiry(now), now);
  }

  /** Settles what is over, and finds out whether all of it is. */
  #judge(now: number): void {
    this.#loseAll(this.#queue.expire(now, this.#endListed));
    if (this.#stopped !== undefined) {
      const isBusy = this.#queue.size > 0 || this.#probe !== undefined;
      if (isBusy && now < this.#stopped.until) return;
      this.#decideUnasked(now);
      const failure = { cause: 'stopped', detail: 'the recording was ended first' } as const;
      this.#loseLeft(failure);
      this.#loseAll(this.#queue.giveUp(failure, true));
      this.#over = { why: this.#stopped.why, evidence: this.#end.evidence(now) };
      return;
    }
    if (this.#endListed) {
      this.#judgeEndListed(now);
      return;
    }
    const silent = this.#end.silent(now, this.#targetDurationMs);
    if (silent === undefined) return;
    this.#decideUnasked(now);
    this.#giveUp();
    this.#over = silent;
  }

  #judgeEndListed(now: number): void {
    const deaf = this.#queue.size > 0 && this.#end.deaf(now, this.#targetDurationMs);
    if (this.#queue.size > 0 && !deaf) return;
    const vanished = deaf && this.#queue.untried;
    this.#giveUp();
    const why = vanished ? 'source.vanished' : 'endlist';
    this.#over = { why, evidence: this.#end.evidence(now) };
  }

  #giveUp(): void {
    const failure = { cause: 'network', detail: 'the source was gone' } as const;
    this.#loseLeft(failure);
    this.#loseAll(this.#queue.giveUp(failure));
  }

  /** What an earlier life had on its way, when no playlist came that could tell about it. */
  #loseLeft(failure: FetchFailure): void {
    const left = this.#timeline.left();
    this.#advertised += left.length;
    this.#loseAll(
      left.map(({ durationMs, ...place }) => ({ key: this.#key(place), failure, durationMs })),
    );
  }

  /** Neighbours that were lost for the same reason become one gap. */
  #loseAll(lost: readonly LostSegment[]): void {
    let run: { one: LostSegment; count: number } | undefined;
    for (const one of lost) {
      if (one.isNamed) {
        this.#settled++;
        continue;
      }
      const { key, failure } = one;
      const before = run?.one;
      if (
        run !== undefined &&
        before?.key.epoch === key.epoch &&
        before.key.msn + run.count === key.msn &&
        before.failure.cause === failure.cause &&
        before.failure.detail === failure.detail
      ) {
        const durationMs = before.durationMs + one.durationMs;
        run = { one: { ...before, durationMs }, count: run.count + 1 };
        continue;
      }
      if (run !== undefined) this.#lose(run.one, run.count);
      run = { one, count: 1 };
    }
    if (run !== undefined) this.#lose(run.one, run.count);
  }

  #lose({ key, failure, durationMs }: LostSegment, count: number): void {
    this.#settled += count;
    const { cause, detail } = failure;
    this.#records.push({ t: 'gap', ...key, count, cause, detail, durationMs });
  }

  #key({ epoch, msn }: { epoch: number; msn: number }): SegmentKey {
    return { track: this.#track, epoch, msn };
  }
}
