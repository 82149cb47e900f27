import type { Place } from './history.ts';
import { endOf, type Placement } from './placement.ts';
import type { Answer, Verdict } from './question.ts';
import type { PlannerResume } from './resume.ts';
import { shiftByDates } from './sourceJoin.ts';
import type { Heard, SourceView, TimelineState } from './timelineState.ts';

/**
 * A forward step without overlap is a gap while time explains it: twice what could have been made since the last new segment,
 * and this many windows more, for origins that were rushed or whose clock is off. Beyond that it opens an epoch.
 */
const JUMP_WINDOWS = 3;

/** Places the first playlist after a restart, or asks for what it has to be told by. */
export function placeResumed(state: TimelineState, heard: Heard): Verdict {
  const { resume } = state;
  const { view, playlist } = heard;
  if (resume === undefined || resume.tail.length === 0) return byNumbersAlone(state, heard);
  if (isShared(resume, view)) {
    const shift = shiftByDates(state.history.dated(), playlist.segments);
    if (shift !== undefined) {
      view.shift = shift;
      return state.goOn(heard);
    }
  }
  const listed = playlist.segments.filter(({ gap }) => !gap);
  const numbers = new Set(
    resume.tail.filter(({ epoch }) => epoch === resume.epoch).map(({ msn }) => msn),
  );
  const known = listed.filter(({ msn }) => numbers.has(msn));
  const candidates = known.length > 0 ? known : listed.slice(0, 1);
  if (candidates.length === 0) return byNumbersAlone(state, heard);
  return { reason: 'resume', heard, candidates };
}

/** Content has told (or could not tell) how the stored segments and the first playlist after a restart hang together. */
export function joined(state: TimelineState, heard: Heard, { segment, checksum }: Answer): Verdict {
  const { view, playlist } = heard;
  const tail = state.resume?.tail ?? [];
  const here = tail.find(({ epoch, msn }) => epoch === state.epoch && msn === segment.msn);
  if (here !== undefined && (checksum === undefined || here.checksum === checksum)) {
    return goOnHere(state, heard);
  }
  // A programme in a loop, or a slate, comes again without its numbers having moved: such content tells nothing.
  const recurs = new Set(tail.map((stored) => stored.checksum)).size < tail.length;
  const match = recurs ? undefined : tail.findLast((stored) => stored.checksum === checksum);
  // Numbers of several sources were joined before: these are another source's than the one that opened the epoch.
  if (match?.epoch === state.epoch && isShared(state.resume, view)) {
    view.shift = (match?.msn ?? 0) - segment.msn;
    return state.goOn(heard);
  }
  // It is older than the epoch, whose numbers had moved already: they mean what they meant.
  const before = match?.epoch !== state.epoch && segment.msn < (state.resume?.first ?? 0);
  if (match !== undefined && !before) {
    return relabelledBy(state, heard, { msn: segment.msn, match });
  }
  if (here === undefined) {
    return isNewerThanNumbered(state, heard)
      ? state.open(heard, 'reset')
      : byNumbersAlone(state, heard);
  }
  // Numbers that moved back list what is known under lower ones.
  const oldest = playlist.segments.find(({ gap }) => !gap);
  if (recurs || oldest === undefined || oldest.msn >= segment.msn) {
    return state.open(heard, 'reset');
  }
  return { reason: 'moved', heard, candidates: [oldest] };
}

/** All of it is dated after what is stored, though its numbers are before that: they mean something else now. */
function isNewerThanNumbered({ next, storedUntil }: TimelineState, { playlist }: Heard): boolean {
  const at = playlist.segments[0]?.wallClock;
  if (at === undefined || storedUntil === undefined) return false;
  return endOf(playlist) < next && at >= storedUntil;
}

/** A number stands for other content than before, and this is what the oldest listed one stands for. */
export function movedBack(
  state: TimelineState,
  heard: Heard,
  { segment, checksum }: Answer,
): Placement {
  const match = state.resume?.tail.findLast((stored) => stored.checksum === checksum);
  if (match === undefined) return state.open(heard, 'reset');
  return relabelledBy(state, heard, { msn: segment.msn, match });
}

/** Whether what was stored in the last epoch came from other sources as well. */
const isShared = (resume: PlannerResume | undefined, { source: asked }: SourceView): boolean =>
  resume?.tail.some(({ epoch, source = 0 }) => epoch === resume.epoch && source !== asked) ?? false;

function goOnHere(state: TimelineState, heard: Heard): Placement {
  heard.view.next = state.next;
  return state.goOn(heard);
}

function byNumbersAlone(state: TimelineState, heard: Heard): Placement {
  const { resume } = state;
  const { view, playlist } = heard;
  // An epoch was opened and nothing of it was settled: it begins here.
  if (resume?.next === undefined) state.next = playlist.mediaSequence;
  else if (endOf(playlist) <= resume.first) return state.open(heard, 'reset');
  else if (resume.next === resume.first && resume.tail.length === 0) {
    // Nothing was stored at all. Should the numbers have moved meanwhile, all that is listed is new.
    state.resume = { ...resume, openBelow: resume.first };
  }
  if (playlist.mediaSequence < state.next) return goOnHere(state, heard);
  view.next = state.next;
  return goForward(state, heard);
}

/** The playlist begins at or after the end of what is known. */
export function goForward(state: TimelineState, heard: Heard): Placement {
  return isPlausible(state, heard) ? state.goOn(heard) : state.open(heard, 'jump');
}

/** Whether time explains how far the playlist is ahead. */
function isPlausible(state: TimelineState, { view, playlist, now }: Heard): boolean {
  const { mediaSequence, windowMs } = playlist;
  const listed = Math.max(1, endOf(playlist) - mediaSequence);
  const eachMs = Math.max(1, windowMs / listed);
  const elapsedMs = now - (state.newAt ?? now);
  const plausible = (2 * elapsedMs) / eachMs + JUMP_WINDOWS * listed;
  return mediaSequence + (view.shift ?? 0) - state.next <= plausible;
}

/** The stored content came back under numbers that are `msn - match.msn` higher. */
function relabelledBy(
  state: TimelineState,
  heard: Heard,
  { msn: listedAs, match }: { msn: number; match: Place },
): Placement {
  const { playlist } = heard;
  const shift = listedAs - match.msn;
  const tail = state.resume?.tail ?? [];
  const newest = tail.findLast(({ epoch }) => epoch === match.epoch)?.msn ?? match.msn;
  const next = match.epoch === state.epoch ? state.next : newest + 1;
  const holes = match.epoch === state.epoch ? state.holes : [];
  const open = (msn: number) => msn - shift >= next || holes.includes(msn - shift);
  const fresh = playlist.segments.filter(({ msn }) => open(msn));
  if (fresh.length === 0) return state.nothing('stale', heard);
  const first = playlist.mediaSequence - shift;
  const slid = [
    ...holes.filter((msn) => msn < first).map((msn) => ({ msn, count: 1 })),
    ...(first > next ? [{ msn: next, count: first - next }] : []),
  ].map((gap) => ({ ...state.slid(gap.msn, gap.count, playlist), epoch: match.epoch }));
  return { ...state.open(heard, 'relabelled', { only: fresh }), slid };
}
