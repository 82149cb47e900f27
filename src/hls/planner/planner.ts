import type { SegmentKey } from '../../ledger/record.ts';
import type { RecordingEnd } from '../../recording/recorder.ts';
import type { MediaPlaylist, PlaylistCut } from '../playlist/model.ts';
import { ContentProbe } from './contentProbe.ts';
import { EndOfStream } from './endOfStream.ts';
import { GONE, MARKED, SLID_BY, STOPPED } from './losses.ts';
import { PlannerMarks } from './marks.ts';
import { endOf, type Placed, type Placement, type Slid } from './placement.ts';
import type { Plan, PlannerOptions, PollOrder } from './plan.ts';
import { PlanLines } from './planLines.ts';
import type { PlannerSource } from './plannerSource.ts';
import { PlannerSources } from './plannerSources.ts';
import {
  FETCHES_MAX,
  type FetchFailure,
  type FetchOrder,
  type LostSegment,
  PlannerQueue,
} from './queue.ts';
import { PlannerTimeline, type Unprobed } from './timeline.ts';
import { SLID_REMEMBERED_MAX } from './timelineState.ts';

/** After `stop`, what was advertised may still arrive for so long. */
const STOP_GRACE_MS = 3_000;

export type { Plan, PlannerOptions, PollOrder } from './plan.ts';

/**
 * What to do about one media playlist that one or several links offer: pure and deterministic; time and chance come in as
 * arguments. What happened is reported through the `on…` methods, and `plan` says what follows from it. The law it keeps: when it
 * ends, every segment that was advertised is either stored or named as a gap, and none is ordered again after it was stored.
 */
export class Planner {
  readonly #track: string;
  readonly #timeline: PlannerTimeline;
  readonly #queue = new PlannerQueue();
  readonly #sources = new PlannerSources();
  readonly #end: EndOfStream;
  readonly #marks: PlannerMarks;
  readonly #lines: PlanLines;
  #probe: ContentProbe | undefined;
  #stopped: { why: 'duration' | 'stopped'; until: number } | undefined;
  #over: RecordingEnd | undefined;
  #plannedAt: number;
  /** An earlier life may have been shown what nobody has told this one about. */
  #hasToLook: boolean;

  constructor({ track, patienceMs, resume, now }: PlannerOptions) {
    this.#track = track;
    this.#plannedAt = now;
    this.#hasToLook = resume !== undefined;
    const sources = this.#sources;
    this.#timeline = new PlannerTimeline({
      resume,
      isGone: (source, at) => sources.isGone(source, at),
      hasEnded: (source) => sources.peek(source, now).ended,
    });
    this.#end = new EndOfStream({ patienceMs, now, sources: () => sources.all() });
    this.#marks = new PlannerMarks(track, resume);
    this.#lines = new PlanLines(resume?.settled ?? 0);
    for (const { epoch, msn, count } of resume?.left ?? []) {
      this.#slid({ epoch, msn, count, durationMs: count * (resume?.segmentMs ?? 0) });
    }
  }

  /** Segments known to have been offered, those of earlier attempts included. */
  get advertised(): number {
    return this.#lines.advertised;
  }

  /** How many of them are stored or named. */
  get settled(): number {
    return this.#lines.settled;
  }

  /** Where the next long playlist of a source may be cut, in its own numbers. */
  cut(source: number): PlaylistCut | undefined {
    return this.#timeline.cut(source, this.#queue.oldest(this.#timeline.epoch));
  }

  /** Whether a poll may be sent to this source by the last plan's time: it is due, and not too many are under way. */
  mayPoll(source: number): boolean {
    return this.pollOf(source).at <= this.#plannedAt;
  }

  /** When and how a source is to be polled. One that was never polled: at once. */
  pollOf(number: number): PollOrder {
    const source = this.#sources.peek(number, this.#plannedAt);
    const isOver = !this.#polling || source.ended;
    const { at, timeoutMs, blocking } = source.polls;
    const next = blocking ? this.#timeline.nextOf(number) : undefined;
    return {
      at: isOver ? Number.POSITIVE_INFINITY : at,
      timeoutMs,
      ...(next !== undefined && { blockUntilMsn: next }),
    };
  }

  /** Nothing usable is to be expected of this source: it did not answer for two target durations and three polls. */
  isGone(source: number, now: number): boolean {
    return this.#sources.isGone(source, now);
  }

  /** A poll was sent to one of the links; returns the number to report its answer under. */
  onPollSent(now: number, source = 0): number {
    return this.#sources.sent(source, now);
  }

  onPlaylist(poll: number, playlist: MediaPlaylist, now: number): void {
    const source = this.#sources.answered(poll, now);
    source.polls.answered(poll, now);
    if (!this.#listens) return;
    source.heard(playlist);
    this.#place(this.#timeline.place(source.number, playlist, now), now);
  }

  /** The same bytes as the last accepted answer of that source. */
  onUnchanged(poll: number, now: number): void {
    const source = this.#sources.answered(poll, now);
    source.polls.answered(poll, now);
    if (!this.#listens) return;
    this.#end.answered(source, false, now);
    source.polls.next(source.lastDurationMs, false);
    this.#queue.listedAgain(source.number, source.expiry(now), now);
    const placement = this.#timeline.retry(source.number, now);
    if (placement !== undefined) this.#place(placement, now);
  }

  /** `sign`: what came instead, for the evidence: `http.404`, `timeout`, `playlist.invalid`, … */
  onPollFailed(poll: number, sign: string, now = this.#plannedAt): void {
    const source = this.#sources.answered(poll, now);
    source.polls.failed(poll);
    this.#end.failed(source, sign);
  }

  /** Its file is durable, and its journal line is on the way. The slot is free for another. */
  onLanded(key: SegmentKey, now: number): void {
    this.#end.alive(now);
    this.#queue.landed(key);
  }

  /** It is durable, its journal line as well. `source`: whose bytes they are, where the order named several and it is known. */
  onFetched(key: SegmentKey, checksum: string, at: number | { now: number; source: number }): void {
    const { now, source } = typeof at === 'number' ? { now: at } : at;
    this.#end.alive(now);
    const from = this.#queue.fetched(key);
    this.#timeline.stored(key, checksum, source === undefined ? (from ?? []) : [source]);
    if (from !== undefined) this.#lines.settled++;
  }

  onFetchFailed(key: SegmentKey, failure: FetchFailure, at: { now: number; jitter: number }): void {
    this.#queue.failed(key, failure, at);
  }

  /** The probe that was ordered: its checksum, or why there is none. */
  onProbed(result: { checksum: string } | FetchFailure, at: { now: number; jitter: number }): void {
    const found = this.#probe?.answered(result, at);
    if (found !== undefined) this.#decide(found, at.now);
  }

  #decide(found: { checksum: string } | Unprobed, now: number): void {
    this.#probe = undefined;
    for (const placement of this.#timeline.probed(found, now)) this.#place(placement, now);
  }

  /** No time is left to ask for content: the numbers alone say what was advertised. Each round settles one playlist. */
  #decideUnasked(now: number): void {
    while (this.#probe !== undefined) this.#decide('unknown', now);
  }

  /**
   * What was advertised may arrive for a few seconds more. There are no more polls, except that a life which has not heard anything
   * yet looks once what there is: an earlier one may have been shown it.
   */
  stop(why: 'duration' | 'stopped', now: number): void {
    this.#stopped ??= { why, until: now + STOP_GRACE_MS };
  }

  plan(now: number): Plan {
    this.#plannedAt = now;
    if (this.#over === undefined) this.#judge(now);
    const fetch: FetchOrder[] = [];
    if (this.#over === undefined) {
      // The probe comes on top of the others: what the next playlists mean hangs on it.
      fetch.push(...(this.#probe?.take(now) ?? []));
      const free = FETCHES_MAX - this.#queue.fetching;
      if (free > 0) fetch.push(...this.#queue.take(now, free, this.#lead(now)));
    }
    const polling = this.#polling;
    const due = polling ? this.#sources.due(now) : undefined;
    const next = due?.source ?? this.#sources.peek(0, now);
    return {
      records: this.#lines.take(),
      fetch,
      polling,
      pollAt: polling ? Math.max(now, due?.at ?? now) : Number.POSITIVE_INFINITY,
      pollTimeoutMs: next.polls.timeoutMs,
      blocking: this.pollOf(next.number).blockUntilMsn !== undefined,
      wakeAt: this.#wakeAt(now),
      ...(this.#over && { end: this.#over }),
    };
  }

  get #polling(): boolean {
    return this.#over === undefined && this.#listens && this.#end.ended === undefined;
  }

  /** Whether playlists count. */
  get #listens(): boolean {
    return this.#stopped === undefined || this.#hasToLook;
  }

  #lead(now: number): number {
    return this.#sources.lead(now, (source) => this.#timeline.isJoined(source));
  }

  #wakeAt(now: number): number {
    if (this.#over !== undefined) return Number.POSITIVE_INFINITY;
    const candidates = [
      this.#queue.wakeAt(now, this.#end.ended),
      this.#stopped?.until ?? this.#end.wakeAt(now),
      this.#probe?.dueAt,
    ];
    return Math.min(...candidates.map((at) => at ?? Number.POSITIVE_INFINITY));
  }

  #place(placement: Placement, now: number): void {
    const { verdict, playlist, opened } = placement;
    const source = this.#sources.of(placement.source, now);
    const isNewEpoch = ({ epoch }: Slid) => epoch === opened?.epoch;
    for (const slid of placement.slid) if (!isNewEpoch(slid)) this.#slid(slid, source, now);
    if (opened !== undefined) {
      this.#lines.add({ t: 'epoch', track: this.#track, ...opened });
      this.#queue.openEpoch(now);
    } else if (placement.parted) this.#queue.forget(source.number, now);
    for (const slid of placement.slid) if (isNewEpoch(slid)) this.#slid(slid, source, now);
    if (placement.probe !== undefined) {
      const { place, segment } = placement.probe;
      this.#probe = new ContentProbe(this.#key(place), { source: source.number, segment }, now);
    }
    if (verdict === 'placed') {
      this.#hasToLook = false;
      this.#list(placement, source, now);
    }
    for (const fresh of placement.fresh) this.#advertise(fresh, source, now);
    for (const again of placement.again) this.#tryAgain(again, source, now);
    const isNew = placement.fresh.length > 0;
    const isApart = verdict === 'apart';
    const advanced = isNew || placement.advanced || (isApart && source.movedOn(playlist));
    if (advanced) source.advancedAt = now;
    this.#end.answered(source, isNew, now);
    source.polls.next(source.lastDurationMs, advanced);
    // A stale answer says nothing about the end, and one that is held has no place yet.
    const isEmpty = playlist.segments.length === 0;
    const counts = verdict === 'placed' || isApart || isEmpty || placement.isCurrent === true;
    if (counts && playlist.endList) source.ended = true;
  }

  #list(placement: Placement, source: PlannerSource, now: number): void {
    const { playlist, epoch, shift } = placement;
    const expiresAt = source.expiry(now);
    for (const { place, segment } of placement.moved) {
      this.#queue.moved(place, { source: source.number, segment }, expiresAt);
    }
    const first = playlist.mediaSequence + shift;
    const end = endOf(playlist) + shift;
    const { segments } = playlist;
    const listing = { source: source.number, epoch, shift, first, end, segments, expiresAt };
    this.#queue.relist(listing, now, placement.fresh[0]?.place.msn);
    this.#lines.add(...this.#marks.of(placement));
  }

  #slid({ epoch, msn, count, durationMs }: Slid, source?: PlannerSource, now = 0): void {
    this.#lines.advertised += count;
    const failure = SLID_BY;
    const isOpen = epoch === this.#timeline.epoch;
    const expiresAt = isOpen && source ? this.#sources.mirroredUntil(source, now) : undefined;
    const hoped = expiresAt === undefined ? 0 : Math.min(count, SLID_REMEMBERED_MAX);
    const named = count - hoped;
    const eachMs = durationMs / count;
    if (named > 0) {
      const key = this.#key({ epoch, msn });
      this.#lines.lose({ key, failure, durationMs: eachMs * named }, named);
    }
    for (let index = named; index < count; index++) {
      const key = this.#key({ epoch, msn: msn + index });
      this.#queue.add({ key, failure, durationMs: eachMs, expiresAt: expiresAt ?? now }, now);
    }
  }

  #advertise({ place, segment }: Placed, source: PlannerSource, now: number): void {
    const key = this.#key(place);
    const { durationMs } = segment;
    this.#lines.advertised++;
    if (!segment.gap) {
      const first = { source: source.number, segment };
      this.#queue.add({ key, first, durationMs, expiresAt: source.expiry(now) }, now);
      return;
    }
    const failure = MARKED;
    const expiresAt = this.#sources.mirroredUntil(source, now);
    if (expiresAt === undefined) this.#loseAll([{ key, failure, durationMs }]);
    else this.#queue.add({ key, failure, durationMs, expiresAt }, now);
  }

  /** It was named as lost unseen, and is listed after all: when it can be had, its line heals the gap. */
  #tryAgain({ place, segment }: Placed, source: PlannerSource, now: number): void {
    if (this.#queue.has(place)) return;
    this.#lines.settled--;
    const first = { source: source.number, segment };
    const { durationMs } = segment;
    const expiresAt = source.expiry(now);
    this.#queue.add({ key: this.#key(place), first, durationMs, expiresAt, isNamed: true }, now);
  }

  /** Settles what is over, and finds out whether all of it is. */
  #judge(now: number): void {
    for (const gone of this.#sources.goneBeside(now)) this.#queue.rest(gone, now);
    const isEnded = this.#isEnded(now);
    this.#loseAll(this.#queue.expire(now, this.#end.ended));
    if (this.#stopped !== undefined) {
      const isBusy = this.#queue.open > 0 || this.#probe !== undefined || this.#hasToLook;
      if (isBusy && now < this.#stopped.until) return;
      this.#decideUnasked(now);
      this.#placeLeft(now);
      this.#loseLeft(STOPPED);
      this.#lines.loseAll(this.#queue.giveUp(STOPPED, true));
      this.#over = { why: this.#stopped.why, evidence: this.#end.evidence(now) };
      return;
    }
    if (isEnded) {
      this.#judgeEndListed(now);
      return;
    }
    const silent = this.#end.silent(now);
    if (silent === undefined) return;
    this.#decideUnasked(now);
    this.#placeLeft(now);
    this.#giveUp(GONE);
    this.#over = silent;
  }

  /**
   * Whether the stream is over by the word of its sources. What one of them lists that could not be joined is placed before that,
   * should no other go on.
   */
  #isEnded(now: number): boolean {
    if (this.#end.ended !== undefined) return true;
    if (this.#isAsking() || !this.#end.isEndListed(now)) return false;
    for (const placement of this.#timeline.retryAll(now)) this.#place(placement, now);
    if (this.#isAsking()) return false;
    this.#end.close(now);
    return true;
  }

  /** It is over, and no source leads: then what one lists that cannot be joined is all there is. */
  #placeLeft(now: number): void {
    if (this.#sources.anyGoesOn(now, (source) => this.#timeline.isJoined(source))) return;
    for (const placement of this.#timeline.placeLeft(now)) this.#place(placement, now);
    this.#decideUnasked(now);
  }

  /** What the playlists mean hangs on a content that is being asked for. */
  #isAsking(): boolean {
    return this.#probe !== undefined;
  }

  #loseAll(lost: readonly LostSegment[]): void {
    this.#lines.loseAll(lost);
    for (const { key } of lost) this.#timeline.lost(key);
  }

  #judgeEndListed(now: number): void {
    const deaf = this.#queue.size > 0 && this.#end.deaf(now);
    if (this.#queue.size > 0 && !deaf) return;
    const vanished = deaf && this.#queue.untried;
    this.#giveUp(SLID_BY);
    const why = vanished ? 'source.vanished' : 'endlist';
    this.#over = { why, evidence: this.#end.evidence(now) };
  }

  /** `left`: why what an earlier life left open is lost. */
  #giveUp(left: FetchFailure): void {
    this.#loseLeft(left);
    this.#lines.loseAll(this.#queue.giveUp(GONE));
  }

  /** What an earlier life had on its way, when no playlist came that could tell about it. */
  #loseLeft(failure: FetchFailure): void {
    const left = this.#timeline.left();
    this.#lines.advertised += left.length;
    this.#lines.loseAll(
      left.map(({ durationMs, ...place }) => ({ key: this.#key(place), failure, durationMs })),
    );
  }

  #key({ epoch, msn }: { epoch: number; msn: number }): SegmentKey {
    return { track: this.#track, epoch, msn };
  }
}
