import type { EpochCause } from '../../ledger/record.ts';
import type { MediaPlaylist, PlaylistSegment } from '../playlist/model.ts';
import { PlannerHistory, REMEMBERED_SEGMENTS_MAX } from './history.ts';
import { endOf, NOTHING, type Placed, type Placement, type Slid } from './placement.ts';
import type { PlannerResume } from './resume.ts';

/** So many of the last numbers that slid by unseen are remembered: what any edge that is behind could still list. */
export const SLID_REMEMBERED_MAX = 512;

/** How the numbers of one source hang together with those of the timeline. */
export interface SourceView {
  readonly source: number;
  /** Added to the source's numbers it gives ours; undefined: not known. */
  shift: number | undefined;
  /** Its numbers were known in this epoch, whether they still are or not. */
  wasJoined: boolean;
  /** One past the highest number that it listed, ours. */
  next: number;
  /** First number of the window that it listed last, ours. */
  windowFirst: number;
  /** Its paths change with every answer, so that only numbers tell. Found out by content. */
  numbersOnly: boolean;
  /** A stale-looking answer may be checked by content again from then on. */
  probeAgainAt: number;
  /** Its names were found to stand for other content than the timeline's. */
  namesLie: boolean;
  /** When its content may be compared with what is stored again, and how often that was done in vain. */
  joinAgainAt: number;
  joinTries: number;
  /** Everything that could tell was asked about at once, because nobody else was left. */
  joinTriedAll: boolean;
  /** While its numbers cannot be joined. */
  apart: Apart | undefined;
}

/** What a source lists whose numbers cannot be joined. */
export interface Apart {
  readonly playlist: MediaPlaylist;
  /** Since when it ends where it ends. */
  readonly since: number;
  /** The first number, its own, that it listed since another source listed anything new. */
  readonly first: number;
  readonly heardAt: number;
}

/** A playlist that came from a source. */
export interface Heard {
  readonly view: SourceView;
  readonly playlist: MediaPlaylist;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** Where the timeline stands: the epoch that is open, its numbers, and how each source's numbers relate to them. */
export class TimelineState {
  readonly history = new PlannerHistory();
  readonly #views = new Map<number, SourceView>();
  epoch: number | undefined;
  resume: PlannerResume | undefined;
  /** One past the highest number that was advertised in this epoch. */
  next: number;
  newAt: number | undefined;
  holes: readonly number[];
  /** Where the dates of what is stored end, milliseconds since the epoch. */
  storedUntil: number | undefined;
  /** Numbers of this epoch that slid by unseen or were lost, and whether they were found after all. */
  readonly #slidBy = new Map<number, 'missing' | 'lost' | 'found'>();

  constructor(resume: PlannerResume | undefined) {
    this.resume = resume;
    this.epoch = resume?.epoch;
    this.next = resume?.next ?? 0;
    this.holes = resume?.holes ?? [];
    if (resume === undefined) return;
    this.history.openEpoch(resume.epoch);
    this.history.resume(resume.tail);
    for (const { wallClock, durationMs = 0 } of resume.tail) this.#storedTo(wallClock, durationMs);
  }

  view(source: number): SourceView {
    let view = this.#views.get(source);
    if (view === undefined) {
      view = {
        source,
        shift: undefined,
        wasJoined: false,
        next: Number.NEGATIVE_INFINITY,
        windowFirst: 0,
        numbersOnly: false,
        probeAgainAt: Number.NEGATIVE_INFINITY,
        namesLie: false,
        joinAgainAt: Number.NEGATIVE_INFINITY,
        joinTries: 0,
        joinTriedAll: false,
        apart: undefined,
      };
      this.#views.set(source, view);
    }
    return view;
  }

  /** The sources whose numbers can be told. */
  joined(): SourceView[] {
    return [...this.#views.values()].filter(({ shift }) => shift !== undefined);
  }

  /** The sources whose numbers cannot be told, and that list something. */
  apart(): number[] {
    const apart = [...this.#views.values()].filter((one) => one.apart !== undefined);
    return apart.filter(({ shift }) => shift === undefined).map(({ source }) => source);
  }

  stored(msn: number, checksum: string, from: readonly number[]): void {
    this.history.stored({ epoch: this.epoch ?? 0, msn }, checksum, from);
    const dated = this.history.datedAt(msn);
    if (dated !== undefined) this.#storedTo(dated.at, dated.durationMs);
  }

  #storedTo(wallClock: number | undefined, durationMs: number): void {
    if (wallClock === undefined) return;
    this.storedUntil = Math.max(this.storedUntil ?? wallClock, wallClock + durationMs);
  }

  /** All of these slid by unseen. */
  slidAll(segments: readonly PlaylistSegment[], shift: number): boolean {
    return segments.every(({ msn }) => {
      const fate = this.#slidBy.get(msn + shift);
      return fate !== undefined && fate !== 'lost';
    });
  }

  /** It was named as lost, and is worth a try when another source lists it after all. */
  lost(msn: number): void {
    if (!this.#slidBy.has(msn)) this.#slidBy.set(msn, 'lost');
    this.#forgetSlid();
  }

  nothing(verdict: Placement['verdict'], { view, playlist }: Omit<Heard, 'now'>): Placement {
    const { source, shift = 0 } = view;
    return { ...NOTHING, verdict, source, playlist, epoch: this.epoch ?? 0, shift };
  }

  stale(heard: Omit<Heard, 'now'>): Placement {
    const again = this.#again(heard.playlist.segments, heard.view.shift ?? 0);
    return { ...this.nothing('stale', heard), again };
  }

  /** The playlist goes on where the timeline is. */
  goOn(heard: Heard): Placement {
    const { view, playlist } = heard;
    const { segments } = playlist;
    const { source } = view;
    view.shift ??= 0;
    const { shift } = view;
    const { next } = this;
    const first = playlist.mediaSequence + shift;
    const holes = new Set(this.holes);
    const slid: Slid[] = [];
    for (const msn of holes) if (msn < first) slid.push(this.slid(msn, 1, playlist));
    if (first > next) slid.push(this.slid(next, first - next, playlist));
    const openBelow = this.resume?.openBelow ?? 0;
    const end = endOf(playlist) + shift;
    // What is older than this is settled, and all of it need not be looked at.
    const isSettled = holes.size === 0 && openBelow === 0;
    const begins = (segments[0]?.msn ?? 0) + shift;
    const fresh = (isSettled ? segments.slice(Math.max(0, next - begins)) : segments).filter(
      ({ msn }) =>
        msn + shift >= next || (msn + shift < openBelow && msn >= 0) || holes.has(msn + shift),
    );
    this.#rememberSlid(slid);
    const again = this.#again(segments, shift);
    this.holes = [];
    this.resume = undefined;
    // After a restart, and of a source that joins, the names of settled segments are learned here.
    this.history.add(
      source,
      segments
        .slice(-Math.max(REMEMBERED_SEGMENTS_MAX, end - next))
        .filter(({ msn }) => msn + shift >= next || !this.history.isNamed(msn + shift, source)),
      shift,
    );
    const advanced = end > view.next;
    this.#advance(heard, fresh.length > 0);
    return {
      ...this.nothing('placed', heard),
      slid,
      fresh: this.placed(fresh, shift),
      again,
      advanced,
    };
  }

  /**
   * A new epoch, with this source's numbers. Those of all others have to be found out again. `missed`: so many before the first one
   * were listed and have left its window.
   */
  open(
    heard: Heard,
    why: EpochCause,
    { only, missed = 0 }: { only?: readonly PlaylistSegment[]; missed?: number } = {},
  ): Placement {
    const { view, playlist } = heard;
    const fresh = only ?? playlist.segments;
    const first = (fresh[0]?.msn ?? playlist.mediaSequence) - missed;
    const slid = [...this.holes].map((msn) => this.slid(msn, 1, playlist));
    const epoch = this.epoch === undefined ? 0 : this.epoch + 1;
    this.epoch = epoch;
    this.holes = [];
    this.resume = undefined;
    this.#slidBy.clear();
    for (const other of this.#views.values()) {
      other.shift = undefined;
      other.wasJoined = false;
      other.numbersOnly = false;
      other.namesLie = false;
      other.joinTries = 0;
      other.joinTriedAll = false;
      other.next = Number.NEGATIVE_INFINITY;
    }
    view.shift = 0;
    view.apart = undefined;
    this.history.openEpoch(epoch);
    this.history.add(view.source, fresh, 0);
    this.next = 0;
    this.#advance(heard, true);
    return {
      ...this.nothing('placed', heard),
      opened: {
        ...{ epoch, why, first },
        ...(view.source !== 0 && { source: view.source }),
      },
      slid: missed > 0 ? [...slid, this.slid(first, missed, playlist)] : slid,
      fresh: this.placed(fresh, 0),
      advanced: true,
    };
  }

  slid(msn: number, count: number, playlist: MediaPlaylist): Slid {
    const listed = Math.max(1, endOf(playlist) - playlist.mediaSequence);
    const durationMs = Math.round((playlist.windowMs / listed) * count);
    return { epoch: this.epoch ?? 0, msn, count, durationMs };
  }

  placed(segments: readonly PlaylistSegment[], shift: number): Placed[] {
    const epoch = this.epoch ?? 0;
    return segments.map((segment) => ({ place: { epoch, msn: segment.msn + shift }, segment }));
  }

  #advance({ view, playlist, now }: Heard, isNew: boolean): void {
    const shift = view.shift ?? 0;
    this.next = Math.max(this.next, endOf(playlist) + shift);
    view.next = Math.max(view.next, endOf(playlist) + shift);
    view.windowFirst = playlist.mediaSequence + shift;
    view.wasJoined = true;
    view.apart = undefined;
    if (isNew) this.newAt = now;
  }

  /** What slid by unseen and is listed after all. */
  #again(segments: readonly PlaylistSegment[], shift: number): Placed[] {
    if (this.#slidBy.size === 0) return [];
    const again = segments.filter(
      ({ msn, gap }) => !gap && /missing|lost/.test(this.#slidBy.get(msn + shift) ?? ''),
    );
    for (const { msn } of again) this.#slidBy.set(msn + shift, 'found');
    return this.placed(again, shift);
  }

  #rememberSlid(slid: readonly Slid[]): void {
    for (const { msn, count } of slid) {
      const end = msn + count;
      for (let one = Math.max(msn, end - SLID_REMEMBERED_MAX); one < end; one++) {
        this.#slidBy.set(one, 'missing');
      }
    }
    this.#forgetSlid();
  }

  #forgetSlid(): void {
    for (const oldest of this.#slidBy.keys()) {
      if (this.#slidBy.size <= SLID_REMEMBERED_MAX) return;
      this.#slidBy.delete(oldest);
    }
  }
}
