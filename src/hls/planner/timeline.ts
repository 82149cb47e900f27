import type { MediaPlaylist, PlaylistCut, PlaylistSegment } from '../playlist/model.ts';
import type { Place } from './history.ts';
import { endOf, type Placement, type Slid } from './placement.ts';
import { type Answer, isQuestion, type Question, type Verdict } from './question.ts';
import type { PlannerResume } from './resume.ts';
import { goForward, joined, movedBack, placeResumed } from './resumeJoin.ts';
import { joinedByContent, joinSoon, joinSource, shiftAtHand } from './sourceJoin.ts';
import { type Heard, TimelineState } from './timelineState.ts';

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
  /** Nothing is to be expected of this source: it is silent, or has said that the stream is over. */
  isGone(source: number, now: number): boolean;
  /** It has said that the stream is over. */
  hasEnded(source: number): boolean;
}

/** Why there is no checksum: the segment was refused, or nobody knows. */
export type Unprobed = 'refused' | 'unknown';

/** Decides what the numbers of each playlist mean: which segments are new, which were seen, which are missing. */
export class PlannerTimeline {
  readonly #options: TimelineOptions;
  readonly #state: TimelineState;
  /** The source whose numbers an earlier life's are. */
  readonly #home: number | undefined;
  #question: { readonly question: Question; asked: number } | undefined;
  /** Nobody will answer any more. */
  #isLast = false;
  #held: { readonly source: number; readonly playlist: MediaPlaylist }[] = [];

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#state = new TimelineState(options.resume);
    this.#home = options.resume?.home;
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

  /** It was named as lost; another source may list it after all. */
  lost({ epoch, msn }: Place): void {
    if (epoch === this.#state.epoch) this.#state.lost(msn);
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
    const heard = { view: state.view(source), playlist, now };
    state.newAt ??= now - (state.resume?.idleMs ?? 0);
    if (playlist.segments.length === 0) return state.nothing('stale', heard);
    const { question } = this.#question ?? {};
    if (question?.reason === 'resume' || question?.heard.view === heard.view) {
      return this.#hold(heard);
    }
    return this.#asked(this.#verdict(heard));
  }

  /** The same answer again from a source that could not be joined: time may have told more. */
  retry(source: number, now: number): Placement | undefined {
    const { shift, apart } = this.#state.view(source);
    if (apart === undefined || shift !== undefined) return undefined;
    return this.place(source, apart.playlist, now);
  }

  /** The same for all of them. */
  retryAll(now: number): Placement[] {
    return this.#state.apart().flatMap((source) => this.retry(source, now) ?? []);
  }

  /** Nobody else will answer any more: a source that cannot be joined leads. */
  placeLeft(now: number): Placement[] {
    this.#isLast = true;
    return this.retryAll(now);
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
    const isLast = asked.asked >= Math.min(CANDIDATES_MAX, question.candidates.length);
    // Nothing waits for a source that joins while another leads.
    const hasTime = question.reason === 'join' && !this.#mayLead({ ...question.heard, now });
    if ((found === 'refused' || (found === 'unknown' && hasTime)) && !isLast) {
      return [this.#probe(question, asked.asked)];
    }
    const segment = question.candidates[asked.asked - 1];
    if (segment === undefined) throw new Error('a question about no segment was answered');
    const checksum = typeof found === 'string' ? undefined : found.checksum;
    this.#question = undefined;
    const heard = { ...question.heard, now };
    if (hasTime && checksum === undefined) joinSoon(heard);
    const verdict = this.#decided({ ...question, heard }, { segment, checksum });
    if (verdict === undefined && found !== 'unknown' && !isLast) {
      this.#question = asked;
      return [this.#probe(question, asked.asked)];
    }
    const held = this.#held;
    this.#held = [];
    return [
      this.#asked(verdict ?? this.#unjoined(heard)),
      ...held.map(({ source, playlist }) => this.place(source, playlist, now)),
    ];
  }

  #verdict(heard: Heard): Verdict {
    const state = this.#state;
    const { view } = heard;
    if (state.epoch === undefined) return state.open(heard, 'first');
    if (state.resume !== undefined && (this.#home ?? view.source) === view.source) {
      return placeResumed(state, heard);
    }
    return view.shift === undefined ? this.#join(heard) : this.#placeJoined(heard);
  }

  #placeJoined(heard: Heard): Verdict {
    const { history } = this.#state;
    const { view, playlist } = heard;
    const { segments } = playlist;
    const { source, shift = 0 } = view;
    // From the newest on: there the names that are known begin.
    if (segments.findLast(({ msn, identity }) => history.isAt(source, msn + shift, identity))) {
      return this.#looksSame(heard);
    }
    // It was away, or its numbers moved: what the others have listed meanwhile tells.
    const moved = this.#state.joined().length > 1 ? shiftAtHand(this.#state, heard) : undefined;
    if (moved !== undefined) {
      view.shift = moved;
      return this.#state.goOn(heard);
    }
    if (segments.some(({ identity }) => history.placeOf(source, identity) !== undefined)) {
      return this.#isAlone(heard) ? this.#relabelled(heard) : this.#part(heard);
    }
    if (playlist.mediaSequence + shift >= this.#state.next) {
      return this.#isAlone(heard) ? goForward(this.#state, heard) : this.#part(heard);
    }
    if (this.#state.slidAll(segments, shift)) return this.#state.stale(heard);
    if (view.numbersOnly) return this.#looksSame(heard);
    const candidates = this.#checkable(heard);
    return candidates.length > 0
      ? { reason: 'renamed', heard, candidates }
      : this.#beganAgain(heard);
  }

  /** Undefined: this content tells nothing, and another segment's might. */
  #decided({ reason, heard }: Question, answer: Answer): Verdict | undefined {
    const state = this.#state;
    const { view, now } = heard;
    const { segment, checksum } = answer;
    if (reason === 'resume') return joined(state, heard, answer);
    if (reason === 'moved') return movedBack(state, heard, answer);
    if (reason === 'join' && view.shift === undefined) return joinedByContent(state, heard, answer);
    // Another source opened an epoch meanwhile.
    if (reason === 'join' || view.shift === undefined) return this.#verdict(heard);
    const { history } = state;
    const msn = segment.msn + view.shift;
    const same = checksum !== undefined && checksum === history.checksumAt(msn, view.source);
    if (reason === 'renamed') {
      // It lists the number of a segment whose name a restart forgot, and nobody has the content: it may just be behind. Were it
      // a new beginning, the answers to come would list content that can be had.
      const isUnnamed = !history.isNamed(msn, view.source);
      if (isUnnamed && checksum === undefined) return state.stale(heard);
      if (!same) return this.#beganAgain(heard);
      view.numbersOnly ||= !isUnnamed;
      return state.goOn(heard);
    }
    if (checksum !== undefined && !same) {
      view.namesLie = true;
      return this.#beganAgain(heard);
    }
    view.probeAgainAt = now + PROBE_EVERY_MS;
    return state.nothing('stale', heard);
  }

  /** The numbers say what they said before, so this is the same epoch; unless an encoder began again under the old names. */
  #looksSame(heard: Heard): Verdict {
    const { view, playlist, now } = heard;
    const { next, windowFirst, shift = 0 } = view;
    const end = endOf(playlist) + shift;
    if (end >= next) return this.#state.goOn(heard);
    const farBack = end <= windowFirst || playlist.mediaSequence + shift === windowFirst;
    const candidates = farBack && now >= view.probeAgainAt ? this.#checkable(heard) : [];
    if (candidates.length > 0) return { reason: 'backwards', heard, candidates };
    return this.#state.stale(heard);
  }

  /**
   * This source's numbers mean something else now. It opens an epoch only when no other source goes on in this one, and what others
   * have listed and stored in it, which it may just have been away from, does not tell otherwise.
   */
  #beganAgain(heard: Heard): Verdict {
    const isOnly = this.#state.joined().length === 1;
    return isOnly ? this.#state.open(heard, 'reset') : this.#part(heard);
  }

  /** Media that is known came back under other numbers. What follows the last known segment is new. */
  #relabelled(heard: Heard): Placement {
    const { segments } = heard.playlist;
    const moved = segments.flatMap((segment) => {
      const place = this.#state.history.placeOf(heard.view.source, segment.identity);
      return place === undefined ? [] : [{ place, segment }];
    });
    const last = moved.at(-1)?.segment.msn ?? -1;
    const fresh = segments.filter(({ msn }) => msn > last);
    if (fresh.length === 0) {
      const { epoch, msn } = moved.at(-1)?.place ?? {};
      const isCurrent = epoch === this.#state.epoch && msn === this.#state.next - 1;
      return { ...this.#state.nothing('stale', heard), moved, isCurrent };
    }
    return { ...this.#state.open(heard, 'relabelled', { only: fresh }), moved };
  }

  #join(heard: Heard): Verdict {
    const verdict = joinSource(this.#state, heard, this.#mayLead(heard));
    if (!isQuestion(verdict) || this.#question === undefined) return verdict;
    // The one probe there may be is under way for another source.
    heard.view.joinAgainAt = Number.NEGATIVE_INFINITY;
    heard.view.joinTriedAll = false;
    return this.#state.nothing('apart', heard);
  }

  /** Nothing that was asked about tells what the numbers of a source are. */
  #unjoined(heard: Heard): Verdict {
    return this.#mayLead(heard) ? this.#join(heard) : this.#state.nothing('apart', heard);
  }

  /** Its numbers are let go of, and found again if that is possible. */
  #part(heard: Heard): Verdict {
    heard.view.shift = undefined;
    heard.view.next = Number.NEGATIVE_INFINITY;
    return { ...this.#asked(this.#join(heard)), parted: true };
  }

  /** No other source goes on with the numbers of this epoch. */
  #isAlone({ view, now }: Heard): boolean {
    return this.#state
      .joined()
      .every((other) => other === view || this.#options.isGone(other.source, now));
  }

  /** Whether a source that cannot be joined has to lead: the others are gone, or stand still while it goes on. */
  #mayLead(heard: Heard): boolean {
    const { view, playlist, now } = heard;
    if (this.#isLast) return true;
    const { resume, newAt = now } = this.#state;
    const { isGone, hasEnded } = this.#options;
    if (resume !== undefined && this.#home !== undefined && !isGone(this.#home, now)) return false;
    // Where another has said that the stream is over, only what goes on after that shows that it is not.
    const isOver = this.#state.joined().some((other) => other !== view && hasEnded(other.source));
    if (!isOver && this.#isAlone(heard)) return true;
    const targetMs = playlist.targetDurationMs;
    const goesOn = (view.apart?.since ?? newAt) > newAt + targetMs;
    return goesOn && now - newAt >= STILL_TARGETS * targetMs;
  }

  /** The listed segments whose content under that number is known, the newest first. */
  #checkable({ view: { source, shift = 0 }, playlist }: Heard): PlaylistSegment[] {
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

  #hold(heard: Heard): Placement {
    const { view, playlist } = heard;
    this.#held = [...this.#held, { source: view.source, playlist }].slice(-HELD_PLAYLISTS_MAX);
    return this.#state.nothing('held', heard);
  }

  #asked(verdict: Verdict): Placement {
    if (!isQuestion(verdict)) return verdict;
    if (this.#question !== undefined) return this.#hold(verdict.heard);
    this.#question = { question: verdict, asked: 0 };
    return this.#probe(verdict, 0);
  }

  #probe({ heard, candidates }: Question, index: number): Placement {
    const placement = this.#state.nothing('probe', heard);
    const segment = candidates[index];
    if (segment === undefined) throw new Error('a question about no segment was asked');
    const place = { epoch: this.epoch, msn: segment.msn + placement.shift };
    return { ...placement, probe: { place, segment } };
  }
}
