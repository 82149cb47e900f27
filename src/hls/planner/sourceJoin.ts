import type { MediaPlaylist, PlaylistSegment } from '../playlist/model.ts';
import { type Dated, type PlannerHistory, REMEMBERED_SEGMENTS_MAX } from './history.ts';
import { endOf, type Placement } from './placement.ts';
import type { Answer, Verdict } from './question.ts';
import type { Heard, TimelineState } from './timelineState.ts';

/**
 * Two segments are the same moment when their dates are no further apart than this part of the shorter one: half a segment would
 * be undecided, and origins round dates to whole seconds at most.
 */
const SAME_MOMENT = 1 / 3;
/** So many dates have to agree: one alone may be chance, unless there can be no other, or it says what the numbers say. */
const DATES_MIN = 2;

/** Content is compared at most this often, and ever more rarely while it tells nothing: each time costs a download. */
const CONTENT_EVERY_MS = 10_000;
const CONTENT_LAST_MS = 60_000;
/** Tries at the first rate: one for each place in the window that is asked about. */
const CONTENT_TRIES = 3;
/** When the content could not be had, another segment is asked about so soon, a few times. */
const CONTENT_SOON_MS = 2_000;
/** Stored segments without which content is not compared: with fewer, it would mostly be in vain. */
const STORED_MIN = 3;

/**
 * A source whose dates end this long before those of what is stored is taken to have another clock, not to be late: edges and
 * mirrors lag by seconds, the slowest chains of servers by a minute. Milliseconds.
 */
const LATE_MAX_MS = 120_000;

/**
 * Finds out which of our numbers another source's are: by its names, by dates, or by content. Where that cannot be told, its
 * playlist stays apart; `mayLead`: unless no other source goes on, so that it has to.
 */
export function joinSource(state: TimelineState, heard: Heard, mayLead: boolean): Verdict {
  const { view, playlist, now } = heard;
  const shift = shiftAtHand(state, heard);
  if (shift !== undefined) return join(state, heard, shift);
  keepApart(state, heard);
  // Before it has to lead, all that can tell is asked once.
  const isDue = now >= view.joinAgainAt || (mayLead && !view.joinTriedAll);
  const candidates = isDue ? contentCandidates(state, playlist, mayLead) : [];
  if (candidates.length > 0) {
    const rarer = Math.max(0, view.joinTries - CONTENT_TRIES + 1);
    view.joinAgainAt = now + Math.min(CONTENT_LAST_MS, CONTENT_EVERY_MS * 2 ** rarer);
    const turn = view.joinTries % candidates.length;
    const isThorough = mayLead || view.joinTries === 0;
    view.joinTries++;
    view.joinTriedAll ||= mayLead;
    // While another source leads, one segment now and then is enough after the first time.
    const asked = isThorough ? candidates : candidates.slice(turn, turn + 1);
    return { reason: 'join', heard, candidates: asked };
  }
  return mayLead ? takeOver(state, heard) : state.nothing('apart', heard);
}

/** What was asked about could not be had, which says nothing about the others. */
export function joinSoon({ view, now }: Heard): void {
  if (view.joinTries > CONTENT_TRIES) return;
  view.joinAgainAt = Math.min(view.joinAgainAt, now + CONTENT_SOON_MS);
}

/** The shift, as far as it can be told without asking for content: by names, or by dates. */
export function shiftAtHand(
  { history }: TimelineState,
  { view, playlist }: Heard,
): number | undefined {
  // What is older than the memory, however the sources lag, tells nothing.
  const newest = playlist.segments.slice(-2 * REMEMBERED_SEGMENTS_MAX);
  const byNames = view.namesLie ? undefined : shiftByNames(history, newest);
  return byNames ?? shiftByDates(history.dated(), newest);
}

/** The content of one of its segments is known. Undefined when that tells nothing. */
export function joinedByContent(
  state: TimelineState,
  heard: Heard,
  { segment, checksum }: Answer,
): Placement | undefined {
  const shift = shiftByContent(state.history, segment, checksum);
  return shift === undefined ? undefined : join(state, heard, shift);
}

function join(state: TimelineState, heard: Heard, shift: number): Placement {
  const { view } = heard;
  view.shift = shift;
  view.joinTries = 0;
  view.joinTriedAll = false;
  return state.goOn(heard);
}

function keepApart({ newAt = 0 }: TimelineState, { view, playlist, now }: Heard): void {
  const before = view.apart;
  const stands = before !== undefined && endOf(before.playlist) === endOf(playlist);
  const goesOn =
    before !== undefined && before.heardAt > newAt && endOf(before.playlist) <= endOf(playlist);
  const first = goesOn ? Math.min(before.first, playlist.mediaSequence) : playlist.mediaSequence;
  view.apart = { playlist, since: stands ? before.since : now, first, heardAt: now };
}

/**
 * Opens an epoch with the numbers of a source that cannot be joined. Where both have dates, what was stored is left out: only
 * what lasts beyond its end is new. Otherwise everything listed is: better twice than lost.
 */
function takeOver(state: TimelineState, heard: Heard): Placement {
  const { segments } = heard.playlist;
  const { storedUntil } = state;
  const why = heard.view.wasJoined ? 'reset' : 'source';
  const endsAt = ({ wallClock = Number.NaN, durationMs }: PlaylistSegment) =>
    wallClock + durationMs;
  const last = segments.at(-1);
  const isDated = storedUntil !== undefined && segments.every((one) => one.wallClock !== undefined);
  const isComparable = isDated && last !== undefined && endsAt(last) > storedUntil - LATE_MAX_MS;
  const slid = Math.max(0, heard.playlist.mediaSequence - (heard.view.apart?.first ?? Infinity));
  if (!isComparable) return state.open(heard, why, { missed: slid });
  const only = segments.filter((one) => endsAt(one) > storedUntil + SAME_MOMENT * one.durationMs);
  const [first] = only;
  if (first === undefined) return state.nothing('apart', heard);
  const known = state.history.dated().at(-1);
  // What is still on its way is named in its own epoch.
  const knownUntil = Math.max(storedUntil, known === undefined ? 0 : known.at + known.durationMs);
  const awayMs = (first.wallClock ?? knownUntil) - knownUntil;
  const missed = Math.min(slid, Math.max(0, Math.round(awayMs / Math.max(1, first.durationMs))));
  return state.open(heard, why, { only, missed: first === segments[0] ? missed : 0 });
}

/** The shift by names: all that are known have to agree, and their dates as well. */
function shiftByNames(
  history: PlannerHistory,
  segments: readonly PlaylistSegment[],
): number | undefined {
  const shift = agreed(
    segments.map(({ identity, msn }) => {
      const number = history.numberOf(identity);
      return number === undefined ? undefined : number - msn;
    }),
  );
  if (shift === undefined) return undefined;
  const isContradicted = segments.some((segment) => {
    const number = segment.msn + shift;
    const names = history.namesAt(number);
    if (names.length > 0 && !names.includes(segment.identity)) return true;
    return !mayBeSameMoment(history.datedAt(number), segment);
  });
  return isContradicted ? undefined : shift;
}

/** The shift by dates: several have to agree and none to contradict. `dated` is in order of dates. */
export function shiftByDates(
  dated: readonly Dated[],
  segments: readonly PlaylistSegment[],
): number | undefined {
  const begins = dated[0]?.at;
  const last = dated.at(-1);
  if (begins === undefined || last === undefined) return undefined;
  const shifts = segments.flatMap((segment): (number | undefined)[] => {
    const { wallClock, msn } = segment;
    if (wallClock === undefined) return [];
    const found = nearest(dated, wallClock);
    if (found !== undefined && isSameMoment(found, segment)) return [found.msn - msn];
    return wallClock > begins && wallClock < last.at ? [Number.NaN] : [];
  });
  const shift = agreed(shifts);
  if (shift === undefined || shifts.length >= DATES_MIN || shift === 0) return shift;
  // No more than one can agree where the one list begins with what the other ends with.
  const isEdge = segments.some(({ msn }) => [dated[0]?.msn, last.msn].includes(msn + shift));
  return isEdge ? shift : undefined;
}

/** The shift by content: exactly one stored segment has it, and none of them has another's. */
function shiftByContent(
  history: PlannerHistory,
  segment: PlaylistSegment,
  checksum: string | undefined,
): number | undefined {
  const contents = history.contents();
  // A programme in a loop, or a slate, tells nothing.
  if (new Set(contents.map((one) => one.checksum)).size < contents.length) return undefined;
  const match = contents.find((one) => one.checksum === checksum);
  if (match === undefined || !mayBeSameMoment(history.datedAt(match.msn), segment))
    return undefined;
  return match.msn - segment.msn;
}

/**
 * The segments to be asked about, the likeliest first: one that is stored if both sources count alike; then the one in the middle
 * of as many of the newest as are stored, and in the middle of all, as either source may be ahead of the other. None while too
 * little is stored to say anything, unless it is urgent.
 */
function contentCandidates(
  state: TimelineState,
  playlist: MediaPlaylist,
  isUrgent: boolean,
): PlaylistSegment[] {
  const stored = new Set(state.history.contents().map(({ msn }) => msn));
  const listed = playlist.segments.filter(({ gap }) => !gap);
  const least = isUrgent ? 1 : Math.min(STORED_MIN, listed.length);
  if (stored.size < least) return [];
  const alike = listed.findLast(({ msn }) => stored.has(msn));
  const newest = listed.slice(-stored.size);
  const middle = (segments: readonly PlaylistSegment[]) =>
    segments[Math.floor((segments.length - 1) / 2)];
  const found = new Set([alike, middle(newest), middle(listed), listed[0]]);
  return [...found].filter((segment) => segment !== undefined).slice(0, CONTENT_TRIES);
}

/** The one value, if there is but one. */
function agreed(values: readonly (number | undefined)[]): number | undefined {
  let one: number | undefined;
  for (const value of values) {
    if (value === undefined) continue;
    if (one !== undefined && value !== one) return undefined;
    one = value;
  }
  return Number.isNaN(one) ? undefined : one;
}

function nearest(dated: readonly Dated[], at: number): Dated | undefined {
  let low = 0;
  let high = dated.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((dated[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [dated[low - 1], dated[low]];
  if (before === undefined || after === undefined) return before ?? after;
  return at - before.at <= after.at - at ? before : after;
}

const isSameMoment = ({ at, durationMs }: Dated, segment: PlaylistSegment): boolean =>
  Math.abs(at - (segment.wallClock ?? Number.NaN)) <=
  SAME_MOMENT * Math.min(durationMs, segment.durationMs);

const mayBeSameMoment = (dated: Dated | undefined, segment: PlaylistSegment): boolean =>
  dated === undefined || segment.wallClock === undefined || isSameMoment(dated, segment);
