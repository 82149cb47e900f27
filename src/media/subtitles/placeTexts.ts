import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import type { Part, Piece, Run } from '../joinedRun.ts';
import { MAIN_TRACK } from '../renditions.ts';
import type { ClockGroup } from '../timing/clockGroups.ts';
import { type Paired, PairingIndex } from '../timing/pairing.ts';
import { positionsOf } from '../timing/timelinePlace.ts';
import { nearest } from '../timing/timestampWrap.ts';
import type { Text, TextSegment } from './readTexts.ts';
import type { Cue } from './webVtt.ts';

/** What of a subtitle track belongs to one run. */
export interface PlacedText {
  readonly text: Text;
  /** Index of the run. */
  readonly run: number;
  readonly segments: readonly PlacedSegment[];
}

export interface PlacedSegment {
  readonly source: TextSegment;
  /** The run's section whose clock the cues have now. */
  readonly section: number;
  readonly cues: readonly Cue[];
  /** Cues whose times mean nothing here. */
  readonly unplaced: number;
}

/** A cue may begin before its segment (it was said before too) or be sent ahead of its time, seconds. */
const CUE_SLACK = 60;
/** Without a map cue times may count from the segment's own beginning: then none is later than its end and this, seconds. */
const RELATIVE_SLACK = 1;

/** Finds for every segment of every subtitle track the run and the section that it belongs to, and the times of its cues there. */
export function placeTexts(
  ledger: Ledger,
  runs: readonly Run[],
  texts: readonly Text[],
): PlacedText[] {
  if (texts.length === 0) return [];
  const mainPositions = positionsOf(ledger, MAIN_TRACK);
  const places = runs.flatMap((run, index) =>
    run.track === MAIN_TRACK
      ? run.sections.flatMap(({ parts }, section) => {
          const own = parts.filter(({ rendition }) => rendition === 0);
          const group = groupOf(run, own, mainPositions);
          return group === undefined ? [] : [{ run: index, section, group }];
        })
      : [],
  );
  const groups = places.map(({ group }) => group);
  const placeOf = new Map(places.map((place) => [place.group, place]));
  const index = new PairingIndex(groups);
  return texts.flatMap((text) => {
    const positions = positionsOf(ledger, text.info.track);
    const byRun = new Map<number, PlacedSegment[]>();
    for (const source of text.segments) {
      const piece = pieceOf(source, positions, groups);
      const paired = index.pair(piece) ?? nearestGroup(piece, groups);
      const place = paired && placeOf.get(paired.group);
      if (paired === undefined || place === undefined) continue;
      const placed = byRun.get(place.run) ?? [];
      placed.push({ source, section: place.section, ...cuesOn(source, paired) });
      byRun.set(place.run, placed);
    }
    return [...byRun].map(([run, segments]) => ({ text, run, segments }));
  });
}

/** A section's main parts as one clock. */
function groupOf(
  run: Run,
  parts: readonly Part[],
  positions: ReadonlyMap<SegmentStored, number>,
): ClockGroup | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const pieces = parts.map((part) => {
    const [segment] = part.timeline.segments;
    const startSeconds = part.startsSeconds[0] ?? 0;
    const wallClock = segment?.wallClock;
    const place = {
      startSeconds,
      spanSeconds: part.endSeconds - startSeconds,
      positionSeconds: (segment && positions.get(segment)) ?? 0,
      offsetsSeconds: part.startsSeconds.map((start) => start - startSeconds),
      ...(wallClock !== undefined && { wallClockSeconds: wallClock / 1_000 }),
    };
    const piece: Piece = { run, timeline: part.timeline, place };
    return { piece, run: 0, shiftSeconds: 0, startSeconds };
  });
  return {
    pieces,
    startSeconds: first.startsSeconds[0] ?? 0,
    endSeconds: Math.max(...parts.map(({ endSeconds }) => endSeconds)),
    measured: true,
  };
}

/** A segment of text has no timestamp of its own: that of its first cue is nearly it. */
function pieceOf(
  { segment, text }: TextSegment,
  positions: ReadonlyMap<SegmentStored, number>,
  groups: readonly ClockGroup[],
): Piece {
  const { wallClock, durationMs, track, container } = segment;
  const [cue] = text.cues;
  const first = cue === undefined ? undefined : mediaTime(text, cue.startSeconds);
  const isKnown = first !== undefined && (text.timestampMap !== undefined || isNear(first, groups));
  const timeline = { segments: [segment], holes: 0 };
  return {
    run: { track, container, timelines: [timeline] },
    timeline,
    place: {
      ...(isKnown && { startSeconds: first }),
      spanSeconds: durationMs / 1_000,
      positionSeconds: positions.get(segment) ?? 0,
      offsetsSeconds: [0],
      ...(wallClock !== undefined && { wallClockSeconds: wallClock / 1_000 }),
    },
  };
}

/** A cue time as a media timestamp. Without a map zero is zero (RFC 8216 §3.5). */
const mediaTime = (
  { timestampMap = { mediaSeconds: 0, localSeconds: 0 } }: TextSegment['text'],
  seconds: number,
): number => timestampMap.mediaSeconds + seconds - timestampMap.localSeconds;

const isNear = (seconds: number, groups: readonly ClockGroup[]): boolean =>
  groups.some(
    ({ startSeconds, endSeconds }) =>
      seconds > startSeconds - CUE_SLACK && seconds < endSeconds + CUE_SLACK,
  );

/** Text from before or after everything else belongs to the nearest end. */
function nearestGroup(piece: Piece, groups: readonly ClockGroup[]): Paired | undefined {
  const { positionSeconds } = piece.place;
  const positionOf = (group: ClockGroup): number =>
    group.pieces[0]?.piece.place.positionSeconds ?? 0;
  const before = groups.filter((group) => positionOf(group) <= positionSeconds);
  const group = before.at(-1) ?? groups[0];
  if (group === undefined) return undefined;
  const startSeconds = group.startSeconds + positionSeconds - positionOf(group);
  return { group, by: 'durations', startSeconds };
}

/** The cues of a segment on the clock that it was found to belong to. */
function cuesOn(
  { segment, text }: TextSegment,
  { by, startSeconds }: Paired,
): { cues: Cue[]; unplaced: number } {
  const { cues } = text;
  if (by === 'clock') {
    const moved = (seconds: number): number => nearest(mediaTime(text, seconds), startSeconds);
    return { cues: cues.map((cue) => movedCue(cue, moved)), unplaced: 0 };
  }
  const lengthSeconds = segment.durationMs / 1_000 + RELATIVE_SLACK;
  // Nothing says what the times count from, unless they can only count from the segment's own beginning.
  if (cues.some((cue) => cue.startSeconds > lengthSeconds)) {
    return { cues: [], unplaced: cues.length };
  }
  return { cues: cues.map((cue) => movedCue(cue, (at) => at + startSeconds)), unplaced: 0 };
}

const movedCue = (cue: Cue, moved: (seconds: number) => number): Cue => ({
  ...cue,
  startSeconds: moved(cue.startSeconds),
  endSeconds: moved(cue.endSeconds),
});
