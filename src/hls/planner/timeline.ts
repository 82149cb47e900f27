import type { EpochCause } from '../../ledger/record.ts';
import { type Place, PlannerHistory } from './history.ts';
import type { PlannerResume } from './resume.ts';
import type { MediaPlaylist, PlaylistCut, PlaylistSegment } from '../playlist/model.ts';

/**
 * A forward step without overlap is a gap while time explains it: twice what could have been made since the last new segment,
 * and this many windows more, for origins that were rushed or whose clock is off. Beyond that it opens an epoch.
 */
const JUMP_WINDOWS = 3;

/** An answer that only looks old is checked by content at most this often, because each check costs a download. */
const PROBE_EVERY_MS = 10_000;

/** The cut of a long playlist keeps this many settled segments, so that relabelling is still seen. */
const CUT_OVERLAP_SEGMENTS = 64;

export interface Placed {
  readonly place: Place;
  readonly segment: PlaylistSegment;
}

/** Numbers that left the playlist before anybody saw them. */
export interface Slid extends Place {
  readonly count: number;
  readonly durationMs: number;
}

export interface Placement {
  /**
   * `placed`: part of the recording's timeline. `stale`: nothing new in it. `probe`: only content can tell; `probe` is to be
   * fetched and its checksum handed to `probed`. `held`: it waits for the probe under way.
   */
  readonly verdict: 'placed' | 'stale' | 'probe' | 'held';
  readonly playlist: MediaPlaylist;
  readonly opened?: { readonly epoch: number; readonly why: EpochCause; readonly first: number };
  /** Missing from the epoch that was open before. */
  readonly slid: readonly Slid[];
  /** Not seen before. */
  readonly fresh: readonly Placed[];
  /** Seen before and still listed. */
  readonly known: readonly Placed[];
  /** Named as missing before anybody saw them, and listed now by an answer that is behind. Each only once. */
  readonly again: readonly Placed[];
  readonly probe?: Placed;
}

/** Answers kept while a probe is under way, at one a second or less; the oldest are let go of first. */
const HELD_PLAYLISTS_MAX = 16;

/** So many of the last numbers that slid by unseen are remembered: what any edge that is behind could still list. */
const SLID_REMEMBERED_MAX = 512;

const NOTHING = { slid: [], fresh: [], known: [], again: [] } as const;

interface Probe {
  readonly reason: 'resume' | 'backwards' | 'renamed';
  readonly segment: PlaylistSegment;
  readonly playlist: MediaPlaylist;
}

const endOf = (playlist: MediaPlaylist): number => (playlist.segments.at(-1)?.msn ?? -1) + 1;

/** Decides what the numbers of each playlist mean: which segments are new, which were seen, which are missing. */
export class PlannerTimeline {
  readonly #history = new PlannerHistory();
  #resume: PlannerResume | undefined;
  #epoch: number | undefined;
  #next = 0;
  #windowFirst = 0;
  /** Paths change with every answer, so that only numbers tell. Found out by content. */
  #numbersOnly = false;
  #probe: Probe | undefined;
  #held: MediaPlaylist[] = [];
  #probeAgainAt = Number.NEGATIVE_INFINITY;
  #newAt: number | undefined;
  #holes: readonly number[] = [];
  /** Numbers of this epoch that slid by unseen, and whether they were found after all. */
  readonly #slidBy = new Map<number, 'missing' | 'found'>();

  constructor(resume: PlannerResume | undefined) {
    this.#resume = resume;
    this.#epoch = resume?.epoch;
    this.#next = resume?.next ?? 0;
    this.#holes = resume?.holes ?? [];
    if (resume === undefined) return;
    this.#history.openEpoch(resume.epoch);
    this.#history.resume(resume.tail);
  }

  /** Where the next long playlist may be cut, given the oldest number that still waits to be settled. */
  cut(oldestWaiting: Place | undefined): PlaylistCut | undefined {
    const identity = this.#history.identityAt(this.#next - 1);
    if (identity === undefined || this.#probe !== undefined) return undefined;
    const waiting = oldestWaiting?.epoch === this.#epoch ? oldestWaiting?.msn : undefined;
    const kept = this.#next - CUT_OVERLAP_SEGMENTS;
    return {
      fromMsn: Math.min(kept, waiting ?? kept),
      anchor: { msn: this.#next - 1, identity },
    };
  }

  /** A segment was stored: its content may be asked for later. */
  stored(place: Place, checksum: string): void {
    this.#history.stored(place, checksum);
  }

  /** There will be no playlist any more: what an earlier life left open and no playlist has told about. */
  left(): Slid[] {
    const durationMs = this.#resume?.segmentMs ?? 0;
    const left = this.#holes.map((msn) => ({ epoch: this.#epoch ?? 0, msn, count: 1, durationMs }));
    this.#holes = [];
    return left;
  }

  place(playlist: MediaPlaylist, now: number): Placement {
    this.#newAt ??= now - (this.#resume?.idleMs ?? 0);
    if (playlist.segments.length === 0) return { verdict: 'stale', playlist, ...NOTHING };
    if (this.#probe !== undefined) {
      this.#held = [...this.#held, playlist].slice(-HELD_PLAYLISTS_MAX);
      return { verdict: 'held', playlist, ...NOTHING };
    }
    if (this.#epoch === undefined) return this.#open({ why: 'first' }, playlist, now);
    if (this.#resume !== undefined) return this.#placeResumed(playlist, now);
    const { segments } = playlist;
    if (segments.some((segment) => this.#history.isAt(segment))) {
      return this.#looksSame(playlist, now);
    }
    if (segments.some(({ identity }) => this.#history.placeOf(identity) !== undefined)) {
      return this.#relabelled(playlist, now);
    }
    if (playlist.mediaSequence >= this.#next) return this.#forward(playlist, now);
    if (segments.every(({ msn }) => this.#slidBy.has(msn))) return this.#stale(playlist);
    if (this.#numbersOnly) return this.#looksSame(playlist, now);
    const checkable = this.#checkable(playlist);
    if (checkable !== undefined) return this.#ask('renamed', checkable, playlist);
    return this.#open({ why: 'reset' }, playlist, now);
  }

  /**
   * The probe's checksum, or undefined when it could not be fetched. The places of the playlist in question and of those that
   * came since, in their order; the last of them may ask for another probe.
   */
  probed(checksum: string | undefined, now: number): Placement[] {
    const probe = this.#probe;
    if (probe === undefined) return [];
    this.#probe = undefined;
    const held = this.#held;
    this.#held = [];
    return [
      this.#decided(probe, checksum, now),
      ...held.map((playlist) => this.place(playlist, now)),
    ];
  }

  #decided(
    { reason, playlist, segment }: Probe,
    checksum: string | undefined,
    now: number,
  ): Placement {
    if (reason === 'resume') return this.#joined(playlist, { segment, checksum, now });
    const same = checksum !== undefined && checksum === this.#history.checksumAt(segment.msn);
    if (reason === 'renamed') {
      // It lists the number of a segment whose name a restart forgot, and nobody has the content: it may just be behind. Were it
      // a new beginning, the answers to come would list content that can be had.
      const isUnnamed = this.#history.identityAt(segment.msn) === undefined;
      if (isUnnamed && checksum === undefined) return this.#stale(playlist);
      if (!same) return this.#open({ why: 'reset' }, playlist, now);
      this.#numbersOnly ||= !isUnnamed;
      return this.#continue(playlist, now);
    }
    if (checksum !== undefined && !same) return this.#open({ why: 'reset' }, playlist, now);
    this.#probeAgainAt = now + PROBE_EVERY_MS;
    return { verdict: 'stale', playlist, ...NOTHING };
  }

  /** The numbers say what they said before, so this is the same epoch; unless an encoder began again under the old names. */
  #looksSame(playlist: MediaPlaylist, now: number): Placement {
    const end = endOf(playlist);
    if (end >= this.#next) return this.#continue(playlist, now);
    const farBack = end <= this.#windowFirst || playlist.mediaSequence === this.#windowFirst;
    const checkable = farBack && now >= this.#probeAgainAt ? this.#checkable(playlist) : undefined;
    if (checkable !== undefined) return this.#ask('backwards', checkable, playlist);
    return this.#stale(playlist);
  }

  #stale(playlist: MediaPlaylist): Placement {
    const { segments } = playlist;
    const again = this.#again(segments);
    return { ...NOTHING, verdict: 'stale', playlist, known: this.#byNumber(segments), again };
  }

  /** What slid by unseen and is listed after all. */
  #again(segments: readonly PlaylistSegment[]): Placed[] {
    const again = segments.filter(({ msn, gap }) => !gap && this.#slidBy.get(msn) === 'missing');
    for (const { msn } of again) this.#slidBy.set(msn, 'found');
    return this.#byNumber(again);
  }

  #rememberSlid(slid: readonly Slid[]): void {
    for (const { msn, count } of slid) {
      const end = msn + count;
      for (let one = Math.max(msn, end - SLID_REMEMBERED_MAX); one < end; one++) {
        this.#slidBy.set(one, 'missing');
      }
    }
    for (const oldest of this.#slidBy.keys()) {
      if (this.#slidBy.size <= SLID_REMEMBERED_MAX) return;
      this.#slidBy.delete(oldest);
    }
  }

  /** The newest listed segment whose content under that number is known. */
  #checkable(playlist: MediaPlaylist): PlaylistSegment | undefined {
    return playlist.segments.findLast(
      ({ msn, gap }) => !gap && this.#history.checksumAt(msn) !== undefined,
    );
  }

  #ask(reason: Probe['reason'], segment: PlaylistSegment, playlist: MediaPlaylist): Placement {
    this.#probe = { reason, segment, playlist };
    const place = { epoch: this.#epoch ?? 0, msn: segment.msn };
    return { verdict: 'probe', playlist, ...NOTHING, probe: { place, segment } };
  }

  #placeResumed(playlist: MediaPlaylist, now: number): Placement {
    const resume = this.#resume;
    if (resume === undefined || resume.tail.length === 0) {
      return this.#byNumbersAlone(playlist, now);
    }
    const candidates = playlist.segments.filter(({ gap }) => !gap);
    const numbers = new Set(
      resume.tail.filter(({ epoch }) => epoch === resume.epoch).map(({ msn }) => msn),
    );
    const candidate = candidates.find(({ msn }) => numbers.has(msn)) ?? candidates[0];
    if (candidate === undefined) return this.#byNumbersAlone(playlist, now);
    return this.#ask('resume', candidate, playlist);
  }

  /** Content has told (or could not tell) how the stored segments and the first playlist after a restart hang together. */
  #joined(
    playlist: MediaPlaylist,
    found: { segment: PlaylistSegment; checksum: string | undefined; now: number },
  ): Placement {
    const { segment, checksum, now } = found;
    const tail = this.#resume?.tail ?? [];
    const here = tail.find(({ epoch, msn }) => epoch === this.#epoch && msn === segment.msn);
    if (here !== undefined && (checksum === undefined || here.checksum === checksum)) {
      return this.#continue(playlist, now);
    }
    // A programme in a loop, or a slate, comes again without its numbers having moved: such content tells nothing.
    const recurs = new Set(tail.map((stored) => stored.checksum)).size < tail.length;
    const match = recurs ? undefined : tail.findLast((stored) => stored.checksum === checksum);
    // It is older than the epoch, whose numbers had moved already: they mean what they meant.
    const before = match?.epoch !== this.#epoch && segment.msn < (this.#resume?.first ?? 0);
    if (match !== undefined && !before)
      return this.#relabelledBy(playlist, { segment, match, now });
    if (here === undefined) return this.#byNumbersAlone(playlist, now);
    return this.#open({ why: 'reset' }, playlist, now);
  }

  #byNumbersAlone(playlist: MediaPlaylist, now: number): Placement {
    const resume = this.#resume;
    // An epoch was opened and nothing of it was settled: it begins here.
    if (resume?.next === undefined) this.#next = playlist.mediaSequence;
    else if (endOf(playlist) <= resume.first) return this.#open({ why: 'reset' }, playlist, now);
    if (playlist.mediaSequence >= this.#next) return this.#forward(playlist, now);
    return this.#continue(playlist, now);
  }

  /** The stored content came back under numbers that are `segment.msn - match.msn` higher. */
  #relabelledBy(
    playlist: MediaPlaylist,
    found: { segment: PlaylistSegment; match: Place; now: number },
  ): Placement {
    const { segment, match, now } = found;
    const shift = segment.msn - match.msn;
    const tail = this.#resume?.tail ?? [];
    const newest = tail.findLast(({ epoch }) => epoch === match.epoch)?.msn ?? match.msn;
    const next = match.epoch === this.#epoch ? this.#next : newest + 1;
    const holes = match.epoch === this.#epoch ? this.#holes : [];
    const open = (msn: number) => msn - shift >= next || holes.includes(msn - shift);
    const fresh = playlist.segments.filter(({ msn }) => open(msn));
    if (fresh.length === 0) return { verdict: 'stale', playlist, ...NOTHING };
    const first = playlist.mediaSequence - shift;
    const slid = [
      ...holes.filter((msn) => msn < first).map((msn) => ({ msn, count: 1 })),
      ...(first > next ? [{ msn: next, count: first - next }] : []),
    ].map((gap) => ({ ...this.#slid(gap.msn, gap.count, playlist), epoch: match.epoch }));
    const placement = this.#open({ why: 'relabelled', fresh }, playlist, now);
    return { ...placement, slid };
  }

  /** Media that is known came back under other numbers. What follows the last known segment is new. */
  #relabelled(playlist: MediaPlaylist, now: number): Placement {
    const { segments } = playlist;
    const known = segments.flatMap((segment): Placed[] => {
      const place = this.#history.placeOf(segment.identity);
      return place === undefined ? [] : [{ place, segment }];
    });
    const last = known.at(-1)?.segment.msn ?? -1;
    const fresh = segments.filter(({ msn }) => msn > last);
    if (fresh.length === 0) return { ...NOTHING, verdict: 'stale', playlist, known };
    return { ...this.#open({ why: 'relabelled', fresh }, playlist, now), known };
  }

  #forward(playlist: MediaPlaylist, now: number): Placement {
    const { mediaSequence, windowMs } = playlist;
    const listed = Math.max(1, endOf(playlist) - mediaSequence);
    const eachMs = Math.max(1, windowMs / listed);
    const elapsedMs = now - (this.#newAt ?? now);
    const plausible = (2 * elapsedMs) / eachMs + JUMP_WINDOWS * listed;
    if (mediaSequence - this.#next > plausible) return this.#open({ why: 'jump' }, playlist, now);
    return this.#continue(playlist, now);
  }

  #continue(playlist: MediaPlaylist, now: number): Placement {
    const { segments, mediaSequence } = playlist;
    const next = this.#next;
    const holes = new Set(this.#holes);
    const slid: Slid[] = [];
    for (const msn of holes) if (msn < mediaSequence) slid.push(this.#slid(msn, 1, playlist));
    if (mediaSequence > next) slid.push(this.#slid(next, mediaSequence - next, playlist));
    const openBelow = this.#resume?.openBelow ?? 0;
    const isOpen = (msn: number) => msn >= next || msn < openBelow || holes.has(msn);
    const fresh = segments.filter(({ msn }) => isOpen(msn));
    const known = segments.filter(({ msn }) => !isOpen(msn));
    this.#rememberSlid(slid);
    this.#holes = [];
    this.#resume = undefined;
    // After a restart the names of settled segments are learned here.
    this.#history.add(
      segments.filter(({ msn }) => msn >= next || this.#history.identityAt(msn) === undefined),
    );
    this.#advance(playlist, fresh.length > 0, now);
    return {
      verdict: 'placed',
      playlist,
      slid,
      fresh: this.#byNumber(fresh),
      known: this.#byNumber(known),
      again: this.#again(known),
    };
  }

  #open(
    { why, fresh: only }: { why: EpochCause; fresh?: readonly PlaylistSegment[] },
    playlist: MediaPlaylist,
    now: number,
  ): Placement {
    const fresh = only ?? playlist.segments;
    const slid = [...this.#holes].map((msn) => this.#slid(msn, 1, playlist));
    const epoch = this.#epoch === undefined ? 0 : this.#epoch + 1;
    this.#epoch = epoch;
    this.#holes = [];
    this.#resume = undefined;
    this.#numbersOnly = false;
    this.#slidBy.clear();
    this.#history.openEpoch(epoch);
    this.#history.add(fresh);
    this.#next = 0;
    this.#advance(playlist, true, now);
    return {
      verdict: 'placed',
      playlist,
      opened: { epoch, why, first: fresh[0]?.msn ?? playlist.mediaSequence },
      slid,
      fresh: this.#byNumber(fresh),
      known: [],
      again: [],
    };
  }

  #advance(playlist: MediaPlaylist, isNew: boolean, now: number): void {
    this.#next = Math.max(this.#next, endOf(playlist));
    this.#windowFirst = playlist.mediaSequence;
    if (isNew) this.#newAt = now;
  }

  #slid(msn: number, count: number, playlist: MediaPlaylist): Slid {
    const listed = Math.max(1, endOf(playlist) - playlist.mediaSequence);
    const durationMs = Math.round((playlist.windowMs / listed) * count);
    return { epoch: this.#epoch ?? 0, msn, count, durationMs };
  }

  #byNumber(segments: readonly PlaylistSegment[]): Placed[] {
    const epoch = this.#epoch ?? 0;
    return segments.map((segment) => ({ place: { epoch, msn: segment.msn }, segment }));
  }
}
