import type { MediaPlaylist, PlaylistCut, PlaylistSegment } from '../playlist/model.ts';
import type { Place } from './history.ts';
import { endOf, type Placement, type Slid } from './placement.ts';
import { type Answer, isQuestion, type Question, type Verdict } from './question.ts';
import type { PlannerResume } from './resume.ts';
import { goForward, joined, placeResumed } from './resumeJoin.ts';
import { joinedByContent, joinSource } from './sourceJoin.ts';
import { type SourceView, TimelineState } from './timelineState.ts';

/** An answer that only looks old is checked by content at most this often, because each check costs a download. */
const PROBE_EVERY_MS = 10_000;

/** Segments whose content is asked for before a question is given up: each may take two tries. */
const CANDIDATES_MAX = 3;

/** The cut of a long playlist keeps this many settled segments, so that relabelling is still seen. */
const CUT_OVERLAP_SEGMENTS = 64;

/** Answers kept while a probe is under way, at one a second or less; the oldest are let go of first. */
const HELD_PLAYLISTS_MAX = 16;

/**
 * A source that answers and brings nothing new for so many target durations stands still: a segment comes every target duration
 * at the latest, edges add up to one, and the window of the others is seldom shorter than three.
 */
const STILL_TARGETS = 3;

export interface TimelineOptions {
  readonly resume: PlannerResume | undefined;
  /** Nothing is to be expected of this source. */
  isGone(source: number, now: number): boolean;
}

/** Why there is no checksum: the segment was refused, or nobody knows. */
export type Unprobed = 'refused' | 'unknown';

/** Decides what the numbers of each playlist mean: which segments are new, which were seen, which are missing. */
export class PlannerTimeline {
  readonly #options: TimelineOptions;
  readonly #state: TimelineState;
  /** The source whose numbers an earlier life's are taken to be; undefined: that of whoever answers first. */
  readonly #home: number | undefined;
  #question: { readonly question: Question; asked: number } | undefined;
  #held: { readonly source: number; readonly playlist: MediaPlaylist }[] = [];

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#state = new TimelineState(options.resume);
    const sources = options.resume?.tail.map(({ source = 0 }) => source) ?? [];
    this.#home = sources.length === 0 ? undefined : Math.min(...sources);
  }

  get epoch(): number {
    return this.#state.epoch ?? 0;
  }

  isJoined(source: number): boolean {
    return this.#state.view(source).shift !== undefined;
  }

  /** One past the highest number that this source listed, in its own numbers. */
  nextOf(source: number): number | undefined {
    const { shift, next } = this.#state.view(source);
    return shift === undefined ? undefined : next - shift;
  }

  /** Where the next long playlist of a source may be cut, given the oldest number that still waits to be settled. */
  cut(source: number, oldestWaiting: number | undefined): PlaylistCut | undefined {
    const { shift, next } = this.#state.view(source);
    if (shift === undefined || this.#question !== undefined) return undefined;
    const identity = this.#state.history.identityAt(next - 1, source);
    if (identity === undefined) return undefined;
    const kept = Math.min(next, this.#state.next) - CUT_OVERLAP_SEGMENTS;
    return {
      fromMsn: Math.min(kept, oldestWaiting ?? kept) - shift,
      anchor: { msn: next - 1 - shift, identity },
    };
  }

  /** A segment was stored: its content may be asked for later. `from`: the sources whose bytes it has, where that is known. */
  stored(place: Place, checksum: string, from: readonly number[]): void {
    if (place.epoch === this.#state.epoch) this.#state.stored(place.msn, checksum, from);
  }

  /** There will be no playlist any more: what an earlier life left open and no playlist has told about. */
  left(): Slid[] {
    const state = this.#state;
    const durationMs = state.resume?.segmentMs ?? 0;
    const left = state.holes.map((msn) => ({ epoch: this.epoch, msn, count: 1, durationMs }));
    state.holes = [];
    return left;
  }

  place(source: number, playlist: MediaPlaylist, now: number): Placement {
    const state = this.#state;
    const view = state.view(source);
    state.newAt ??= now - (state.resume?.idleMs ?? 0);
    if (playlist.segments.length === 0) return state.nothing('stale', view, playlist);
    const { question } = this.#question ?? {};
    if (question?.reason === 'resume' || question?.view === view) return this.#hold(view, playlist);
    return this.#asked(this.#verdict(view, playlist, now));
  }

  /** The same answer again from a source that could not be joined: time may have told more. */
  retry(source: number, now: number): Placement | undefined {
    const { shift, apart } = this.#state.view(source);
    if (apart === undefined || shift !== undefined) return undefined;
    return this.place(source, apart.playlist, now);
  }

  /**
   * The probe's checksum, or why there is none. The places of the playlist in question and of those that came since, in their
   * order; the last of them may ask for another probe.
   */
  probed(found: { checksum: string } | Unprobed, now: number): Placement[] {
    const asked = this.#question;
    if (asked === undefined) return [];
    const { question } = asked;
    asked.asked++;
    const { length } = question.candidates;
    if (found === 'refused' && asked.asked < Math.min(CANDIDATES_MAX, length)) {
      return [this.#probe(question, asked.asked)];
    }
    const segment = question.candidates[asked.asked - 1];
    if (segment === undefined) throw new Error('a question about no segment was answered');
    this.#question = undefined;
    const held = this.#held;
    this.#held = [];
    const checksum = typeof found === 'string' ? undefined : found.checksum;
    return [
      this.#asked(this.#decided(question, { segment, checksum, now })),
      ...held.map(({ source, playlist }) => this.place(source, playlist, now)),
    ];
  }

  #verdict(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    const state = this.#state;
    if (state.epoch === undefined) return state.open({ why: 'first' }, view, playlist, now);
    if (state.resume !== undefined && (this.#home ?? view.source) === view.source) {
      return placeResumed(state, view, playlist, now);
    }
    if (view.shift === undefined) return this.#join(view, playlist, now);
    return this.#placeJoined(view, playlist, now);
  }

  #placeJoined(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    const { history } = this.#state;
    const { segments } = playlist;
    const { source, shift = 0 } = view;
    // From the newest on: there the names that are known begin.
    if (segments.findLast(({ msn, identity }) => history.isAt(source, msn + shift, identity))) {
      return this.#looksSame(view, playlist, now);
    }
    const isKnown = segments.some(
      ({ identity }) => history.placeOf(source, identity) !== undefined,
    );
    if (isKnown)
      return this.#alone(view, now)
        ? this.#relabelled(view, playlist, now)
        : this.#part(view, playlist, now);
    if (playlist.mediaSequence + shift >= this.#state.next) {
      if (!this.#alone(view, now)) return this.#part(view, playlist, now);
      return goForward(this.#state, view, playlist, now);
    }
    if (this.#state.slidAll(segments, shift)) return this.#state.stale(view, playlist);
    if (view.numbersOnly) return this.#looksSame(view, playlist, now);
    const candidates = this.#checkable(view, playlist);
    if (candidates.length > 0) return { reason: 'renamed', view, playlist, candidates };
    return this.#beganAgain(view, playlist, now);
  }

  #decided(question: Question, answer: Answer): Verdict {
    const { reason, view, playlist } = question;
    const { segment, checksum, now } = answer;
    if (reason === 'resume') return joined(this.#state, question, answer);
    if (reason === 'join') {
      if (view.shift !== undefined) return this.#verdict(view, playlist, now);
      return joinedByContent(this.#state, question, answer, this.#mayLead(view, playlist, now));
    }
    // Another source opened an epoch meanwhile.
    if (view.shift === undefined) return this.#verdict(view, playlist, now);
    const { history } = this.#state;
    const msn = segment.msn + view.shift;
    const same = checksum !== undefined && checksum === history.checksumAt(msn, view.source);
    if (reason === 'renamed') {
      // It lists the number of a segment whose name a restart forgot, and nobody has the content: it may just be behind. Were it
      // a new beginning, the answers to come would list content that can be had.
      const isUnnamed = !history.isNamed(msn, view.source);
      if (isUnnamed && checksum === undefined) return this.#state.stale(view, playlist);
      if (!same) return this.#beganAgain(view, playlist, now);
      view.numbersOnly ||= !isUnnamed;
      return this.#state.goOn(view, playlist, now);
    }
    if (checksum !== undefined && !same) {
      view.namesLie = true;
      return this.#beganAgain(view, playlist, now);
    }
    view.probeAgainAt = now + PROBE_EVERY_MS;
    return this.#state.nothing('stale', view, playlist);
  }

  /** The numbers say what they said before, so this is the same epoch; unless an encoder began again under the old names. */
  #looksSame(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    const { next, windowFirst, shift = 0 } = view;
    const end = endOf(playlist) + shift;
    if (end >= next) return this.#state.goOn(view, playlist, now);
    const farBack = end <= windowFirst || playlist.mediaSequence + shift === windowFirst;
    const candidates = farBack && now >= view.probeAgainAt ? this.#checkable(view, playlist) : [];
    if (candidates.length > 0) return { reason: 'backwards', view, playlist, candidates };
    return this.#state.stale(view, playlist);
  }

  /** This source's numbers mean something else now. It opens an epoch only when no other source goes on in this one. */
  #beganAgain(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    if (!this.#alone(view, now)) return this.#part(view, playlist, now);
    return this.#state.open({ why: 'reset' }, view, playlist, now);
  }

  /** Media that is known came back under other numbers. What follows the last known segment is new. */
  #relabelled(view: SourceView, playlist: MediaPlaylist, now: number): Placement {
    const { segments } = playlist;
    const moved = segments.flatMap((segment) => {
      const place = this.#state.history.placeOf(view.source, segment.identity);
      return place === undefined ? [] : [{ place, segment }];
    });
    const last = moved.at(-1)?.segment.msn ?? -1;
    const fresh = segments.filter(({ msn }) => msn > last);
    if (fresh.length === 0) return { ...this.#state.nothing('stale', view, playlist), moved };
    return { ...this.#state.open({ why: 'relabelled', fresh }, view, playlist, now), moved };
  }

  #join(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    const mayLead = this.#mayLead(view, playlist, now);
    const verdict = joinSource(this.#state, view, playlist, { now, mayLead });
    if (!isQuestion(verdict) || this.#question === undefined) return verdict;
    // The one probe there may be is under way for another source.
    view.joinAgainAt = Number.NEGATIVE_INFINITY;
    return this.#state.nothing('apart', view, playlist);
  }

  /** Its numbers are let go of, and found again if that is possible. */
  #part(view: SourceView, playlist: MediaPlaylist, now: number): Verdict {
    view.shift = undefined;
    view.next = Number.NEGATIVE_INFINITY;
    const placement = this.#asked(this.#join(view, playlist, now));
    return { ...placement, parted: true };
  }

  /** No other source goes on with the numbers of this epoch. */
  #alone(view: SourceView, now: number): boolean {
    return this.#state
      .joined()
      .every((other) => other === view || this.#options.isGone(other.source, now));
  }

  /** Whether a source that cannot be joined has to lead: the others are gone, or stand still while it goes on. */
  #mayLead(view: SourceView, playlist: MediaPlaylist, now: number): boolean {
    const { resume, newAt = now } = this.#state;
    const { isGone } = this.#options;
    if (resume !== undefined && this.#home !== undefined && !isGone(this.#home, now)) return false;
    if (this.#alone(view, now)) return true;
    const targetMs = playlist.targetDurationMs;
    const goesOn = (view.apart?.since ?? newAt) > newAt + targetMs;
    return goesOn && now - newAt >= STILL_TARGETS * targetMs;
  }

  /** The listed segments whose content under that number is known, the newest first. */
  #checkable({ source, shift = 0 }: SourceView, playlist: MediaPlaylist): PlaylistSegment[] {
    const { history } = this.#state;
    const found: PlaylistSegment[] = [];
    for (let index = playlist.segments.length - 1; index >= 0; index--) {
      const segment = playlist.segments[index];
      if (segment === undefined || segment.gap) continue;
      if (history.checksumAt(segment.msn + shift, source) === undefined) continue;
      found.push(segment);
      if (found.length === CANDIDATES_MAX) break;
    }
    return found;
  }

  #hold(view: SourceView, playlist: MediaPlaylist): Placement {
    this.#held = [...this.#held, { source: view.source, playlist }].slice(-HELD_PLAYLISTS_MAX);
    return this.#state.nothing('held', view, playlist);
  }

  #asked(verdict: Verdict): Placement {
    if (!isQuestion(verdict)) return verdict;
    if (this.#question !== undefined) return this.#hold(verdict.view, verdict.playlist);
    this.#question = { question: verdict, asked: 0 };
    return this.#probe(verdict, 0);
  }

  #probe({ view, playlist, candidates }: Question, index: number): Placement {
    const placement = this.#state.nothing('probe', view, playlist);
    const segment = candidates[index];
    if (segment === undefined) throw new Error('a question about no segment was asked');
    const place = { epoch: this.epoch, msn: segment.msn + placement.shift };
    return { ...placement, probe: { place, segment } };
  }
}
