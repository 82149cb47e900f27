import {
  type Companion,
  type Pairing,
  type Part,
  type Piece,
  partOf,
  partOfPart,
  type Run,
  runAlone,
  type Section,
} from './joinedRun.ts';
import type { RenditionInfo } from './renditions.ts';
import type { Timeline, TrackRun } from './runs.ts';
import { type ClockGroup, clockGroups } from './timing/clockGroups.ts';
import { PairingIndex } from './timing/pairing.ts';
import type { TimelinePlace } from './timing/timelinePlace.ts';

export interface RenditionRuns {
  readonly info: RenditionInfo;
  readonly runs: readonly TrackRun[];
}

export interface JoinOptions {
  readonly main: RenditionRuns;
  /** Everything but subtitles. */
  readonly others: readonly RenditionRuns[];
  readonly placeOf: (timeline: Timeline) => TimelinePlace;
}

/**
 * Puts renditions that were recorded apart together again: each run of the main track becomes one file, and every piece of the
 * other renditions goes into the file that plays at its time, on the clock that plays there. What does not fit into that file
 * (other codec parameters than most of its rendition there) or cannot be placed comes back as a run of its own.
 */
export function joinRenditions({ main, others, placeOf }: JoinOptions): Run[] {
  if (others.length === 0) return main.runs.map((run) => runAlone(run, main.info, placeOf));
  const groups = clockGroups(main.runs, placeOf);
  const byGroup = new Map(groups.map((group) => [group, sectionsOfGroup(group)]));
  const drafts = [...byGroup.values()].flat();
  const index = new PairingIndex(groups);
  const alone: Run[] = [];
  const pairings: Pairings = new Map();
  for (const [number, { info, runs }] of others.entries()) {
    const rendition = number + 1;
    const pieces = runs.flatMap((run) =>
      run.timelines.map((timeline) => ({ run, timeline, place: placeOf(timeline) })),
    );
    const left = new Set<TrackRun>();
    for (const piece of pieces) {
      if (!placePiece(piece, { rendition, index, byGroup, drafts, pairings })) left.add(piece.run);
    }
    for (const run of left) alone.push(runAlone(onlyUnplaced(run, drafts), info, placeOf));
  }
  const joined = main.runs.map((run, file) => {
    const sections = drafts.filter((draft) => draft.run === file);
    const { kept, misfits } = chooseParameters(sections, others);
    for (const { info, run: misfit } of misfits) alone.push(runAlone(misfit, info, placeOf));
    return fileOf({ run, info: main.info }, { sections: kept, others, pairings, file });
  });
  return [...joined, ...alone];
}

/** A section in the making. */
interface Draft {
  /** Index of the main track's run, which is the file it goes into. */
  readonly run: number;
  /** Where it begins on the group's clock; the first of a group takes all that comes before. */
  readonly fromSeconds: number;
  /** Absent: nothing of the main track is left of this time. */
  readonly group?: ClockGroup;
  readonly positionSeconds: number;
  readonly parts: { readonly part: Part; readonly from: TrackRun }[];
}

/** By file and rendition. */
type Pairings = Map<string, Pairing>;
const pairingKey = (file: number, rendition: number): string => `${file} ${rendition}`;

function sectionsOfGroup(group: ClockGroup): Draft[] {
  const drafts: Draft[] = [];
  for (const { piece, run, shiftSeconds, startSeconds } of group.pieces) {
    let draft = drafts.at(-1);
    if (draft?.run !== run) {
      const positionSeconds = piece.place.positionSeconds;
      draft = { run, fromSeconds: startSeconds, group, positionSeconds, parts: [] };
      drafts.push(draft);
    }
    const part = partOf(piece, { rendition: 0, shiftSeconds, startSeconds });
    draft.parts.push({ part, from: piece.run });
  }
  return drafts;
}

interface Placing {
  readonly rendition: number;
  readonly index: PairingIndex;
  /** The sections of each clock, in order. */
  readonly byGroup: ReadonlyMap<ClockGroup, readonly Draft[]>;
  readonly drafts: Draft[];
  readonly pairings: Pairings;
}

/** False when its own clock is not known, so that it cannot be moved to another. */
function placePiece(piece: Piece, placing: Placing): boolean {
  const { rendition } = placing;
  // Each segment of packed audio is placed by itself.
  if (piece.place.startSeconds === undefined && piece.run.container !== 'packed') return false;
  const paired = placing.index.pair(piece);
  if (paired === undefined) {
    insertAlone(piece, placing);
    return true;
  }
  const { group, startSeconds, by } = paired;
  const shiftSeconds = startSeconds - (piece.place.startSeconds ?? 0);
  const whole = partOf(piece, { rendition, shiftSeconds, startSeconds });
  const inGroup = placing.byGroup.get(group) ?? [];
  for (const [index, draft] of inGroup.entries()) {
    const from = index === 0 ? Number.NEGATIVE_INFINITY : draft.fromSeconds;
    const to = inGroup[index + 1]?.fromSeconds ?? Number.POSITIVE_INFINITY;
    const part = partOfPart(whole, (start, { durationMs }) => {
      const middle = start + durationMs / 2_000;
      return middle >= from && middle < to;
    });
    if (part === undefined) continue;
    draft.parts.push({ part, from: piece.run });
    weaken(placing, draft.run, by);
  }
  return true;
}

/** Nothing of the main track is left of its time: it plays between what comes before and after. */
function insertAlone(piece: Piece, placing: Placing): void {
  const { rendition, drafts } = placing;
  const { positionSeconds } = piece.place;
  const part = partOf(piece, { rendition, shiftSeconds: 0 });
  let at = drafts.findIndex((draft) => draft.positionSeconds > positionSeconds);
  if (at === -1) at = drafts.length;
  const before = drafts[at - 1];
  const run = before?.run ?? 0;
  const fromSeconds = part.startsSeconds[0] ?? 0;
  drafts.splice(at, 0, { run, fromSeconds, positionSeconds, parts: [{ part, from: piece.run }] });
  weaken(placing, run, 'durations');
}

const STRENGTH: readonly Pairing[] = ['clock', 'wallClock', 'durations'];

function weaken({ pairings, rendition }: Placing, file: number, by: Pairing): void {
  const key = pairingKey(file, rendition);
  const known = pairings.get(key);
  if (known === undefined || STRENGTH.indexOf(by) > STRENGTH.indexOf(known)) pairings.set(key, by);
}

function onlyUnplaced(run: TrackRun, drafts: readonly Draft[]): TrackRun {
  const placed = new Set(
    drafts.flatMap(({ parts }) =>
      parts.filter(({ from }) => from === run).flatMap(({ part }) => part.timeline.segments),
    ),
  );
  const timelines = run.timelines.filter(
    ({ segments }) => !segments.some((segment) => placed.has(segment)),
  );
  return { ...run, timelines };
}

interface Chosen {
  readonly kept: Section[];
  readonly misfits: { readonly info: RenditionInfo; readonly run: TrackRun }[];
}

/** One track of a file has one set of codec parameters: of each rendition those that most of its segments have. */
function chooseParameters(drafts: readonly Draft[], others: readonly RenditionRuns[]): Chosen {
  const parts = drafts.flatMap((draft) => draft.parts);
  const misfitting = new Map<TrackRun, { info: RenditionInfo; timelines: Timeline[] }>();
  const unwanted = new Set<Part>();
  for (const [index, { info }] of others.entries()) {
    const own = parts.filter(({ part }) => part.rendition === index + 1);
    const counts = new Map<string, number>();
    for (const { part, from } of own) {
      const key = parametersKey(from);
      counts.set(key, (counts.get(key) ?? 0) + part.timeline.segments.length);
    }
    const [usual] = [...counts].toSorted(([, one], [, other]) => other - one);
    for (const { part, from } of own) {
      if (parametersKey(from) === usual?.[0]) continue;
      unwanted.add(part);
      const entry = misfitting.get(from) ?? { info, timelines: [] };
      entry.timelines.push(part.timeline);
      misfitting.set(from, entry);
    }
  }
  return {
    kept: drafts
      .map((draft) => ({
        parts: draft.parts.flatMap(({ part }) => (unwanted.has(part) ? [] : [part])),
      }))
      .filter((section) => section.parts.length > 0),
    misfits: [...misfitting].map(([run, { info, timelines }]) => ({
      info,
      run: { ...run, timelines },
    })),
  };
}

/** Parameters that nobody could read are taken for the usual ones of their container. */
const parametersKey = ({ container, parameters }: TrackRun): string =>
  `${container} ${parameters ?? ''}`;

/** Renditions are numbered anew: only those that have something in this file. */
function fileOf(
  { run, info }: { readonly run: TrackRun; readonly info: RenditionInfo },
  found: {
    readonly sections: readonly Section[];
    readonly others: readonly RenditionRuns[];
    readonly pairings: Pairings;
    readonly file: number;
  },
): Run {
  const { sections, others, pairings, file } = found;
  const present = new Set(sections.flatMap(({ parts }) => parts.map((part) => part.rendition)));
  const numbers = [...present].filter((number) => number > 0).toSorted((one, other) => one - other);
  const companions: Companion[] = numbers.flatMap((number) => {
    const other = others[number - 1]?.info;
    return other === undefined
      ? []
      : [{ ...other, pairedBy: pairings.get(pairingKey(file, number)) ?? 'clock' }];
  });
  const renumbered = (number: number): number => (number === 0 ? 0 : numbers.indexOf(number) + 1);
  return {
    ...run,
    info,
    companions,
    sections: sections.map(({ parts }) => ({
      parts: parts
        .map((part) => ({ ...part, rendition: renumbered(part.rendition) }))
        .toSorted(
          (one, other) =>
            one.rendition - other.rendition ||
            (one.startsSeconds[0] ?? 0) - (other.startsSeconds[0] ?? 0),
        ),
    })),
  };
}
