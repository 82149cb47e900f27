import type { Ledger } from '../ledger/ledger.ts';
import type { InitStored, SegmentStored } from '../ledger/record.ts';

/** Segments of one track whose timestamps follow one clock: neither a discontinuity nor an epoch lies between them. */
export interface Timeline {
  readonly segments: readonly SegmentStored[];
  /** How many times sequence numbers are missing between neighbours: the clock jumps forward there. */
  readonly holes: number;
}

/** Segments that fit into one file: one container, one initialisation section, the same codec parameters. */
export interface Run {
  readonly track: string;
  readonly container: SegmentStored['container'];
  readonly init?: InitStored;
  readonly timelines: readonly Timeline[];
  /** Separate renditions of the same time (audio), timeline by timeline. */
  readonly companions: readonly Run[];
}

/** The track that a job with several renditions builds on. */
const MAIN_TRACK = 'main';

/** The codec parameters of a segment as one comparable text; undefined when nobody could read them. */
export type ParametersOf = (segment: SegmentStored) => string | undefined;

/**
 * Groups a ledger's segments into runs, in order. `parametersOf` tells MPEG-TS runs apart, which carry their codec
 * parameters inside: it is asked for the first segment of every timeline. What nobody could read splits nothing.
 */
export function runsOf(ledger: Ledger, parametersOf: ParametersOf = () => undefined): Run[] {
  const tracks = ledger.tracks.filter((track) => ledger.segments(track).length > 0);
  const byTrack = new Map(
    tracks.map((track) => [
      track,
      runsOfTrack(ledger, track).flatMap((run) => splitByParameters(run, parametersOf)),
    ]),
  );
  const main = byTrack.get(MAIN_TRACK);
  if (main === undefined) return [...byTrack.values()].flat();
  byTrack.delete(MAIN_TRACK);
  const companions: Run[][] = main.map(() => []);
  const alone: Run[] = [];
  for (const runs of byTrack.values()) {
    if (fitTogether(main, runs)) {
      for (const [index, run] of runs.entries()) companions[index]?.push(run);
    } else {
      alone.push(...runs);
    }
  }
  return [...main.map((run, index) => ({ ...run, companions: companions[index] ?? [] })), ...alone];
}

/** The segments that decide where runs end: the first of every timeline. */
export const decisiveSegments = (runs: readonly Run[]): SegmentStored[] =>
  runs.flatMap((run) => [
    ...run.timelines.flatMap((timeline) => timeline.segments.slice(0, 1)),
    ...decisiveSegments(run.companions),
  ]);

/** Every segment of a run, its companions not counted. */
export const segmentsOf = (run: Run): SegmentStored[] =>
  run.timelines.flatMap((timeline) => [...timeline.segments]);

/** What of a run is stored in files: its initialisation section and its segments, its companions not counted. */
export const entriesOf = (run: Run): (InitStored | SegmentStored)[] => [
  ...(run.init === undefined ? [] : [run.init]),
  ...segmentsOf(run),
];

/** Whether timestamps of a run jump anywhere. */
export const isBroken = (run: Run): boolean =>
  run.timelines.length > 1 || run.timelines.some((timeline) => timeline.holes > 0);

function runsOfTrack(ledger: Ledger, track: string): Run[] {
  const runs: { run: Omit<Run, 'timelines'>; timelines: MutableTimeline[] }[] = [];
  let previous: SegmentStored | undefined;
  for (const segment of ledger.segments(track)) {
    const init = segment.init === undefined ? undefined : ledger.init(segment.init);
    const { container } = segment;
    let current = runs.at(-1);
    if (
      current === undefined ||
      current.run.container !== container ||
      current.run.init?.checksum !== init?.checksum
    ) {
      const run = { track, container, companions: [], ...(init !== undefined && { init }) };
      current = { run, timelines: [] };
      runs.push(current);
      previous = undefined;
    }
    let timeline = current.timelines.at(-1);
    const joint = jointBetween(previous, segment);
    if (timeline === undefined || joint === 'break') {
      timeline = { segments: [], holes: 0 };
      current.timelines.push(timeline);
    } else if (joint === 'hole') {
      timeline.holes++;
    }
    timeline.segments.push(segment);
    previous = segment;
  }
  return runs.map(({ run, timelines }) => ({ ...run, timelines }));
}

interface MutableTimeline {
  segments: SegmentStored[];
  holes: number;
}

function jointBetween(
  previous: SegmentStored | undefined,
  next: SegmentStored,
): 'break' | 'hole' | 'none' {
  if (previous === undefined || previous.epoch !== next.epoch) return 'break';
  if (previous.discontinuity !== next.discontinuity) return 'break';
  return next.msn === previous.msn + 1 ? 'none' : 'hole';
}

function splitByParameters(run: Run, parametersOf: ParametersOf): Run[] {
  if (run.container === 'fmp4') return [run];
  const groups: { parameters: string | undefined; timelines: Timeline[] }[] = [];
  for (const timeline of run.timelines) {
    const [first] = timeline.segments;
    const parameters = first && parametersOf(first);
    const current = groups.at(-1);
    if (current === undefined) {
      groups.push({ parameters, timelines: [timeline] });
    } else if (parameters === undefined || (current.parameters ?? parameters) === parameters) {
      current.parameters ??= parameters;
      current.timelines.push(timeline);
    } else {
      groups.push({ parameters, timelines: [timeline] });
    }
  }
  return groups.map(({ timelines }) => ({ ...run, timelines }));
}

/** Renditions belong together when they break at the same places; then the n-th timelines share one clock. */
const fitTogether = (main: readonly Run[], other: readonly Run[]): boolean =>
  main.length === other.length &&
  main.every((run, index) => run.timelines.length === other[index]?.timelines.length);
