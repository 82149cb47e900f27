import type { Ledger } from '../ledger/ledger.ts';
import type { InitStored, SegmentStored } from '../ledger/record.ts';

/**
 * Segments of one track whose timestamps follow one clock: neither a discontinuity nor an epoch lies between them, nor a change
 * to another link's encoder.
 */
export interface Timeline {
  readonly segments: readonly SegmentStored[];
  /** Their initialisation section, where they have one. */
  readonly init?: InitStored;
  /** How many times sequence numbers are missing between neighbours: the clock jumps forward there. */
  readonly holes: number;
}

/**
 * Segments of one track that fit into one file: one container, the same codec parameters, and one initialisation section for all
 * of them unless the sections are known to say the same.
 */
export interface TrackRun {
  readonly track: string;
  readonly container: SegmentStored['container'];
  /** Of its first timeline. */
  readonly init?: InitStored;
  readonly timelines: readonly Timeline[];
  /** As `ParametersOf` told it; undefined where nobody could read them. */
  readonly parameters?: string;
}

/**
 * Whether a segment from another of the job's links continues the one before it, on the same clock and with the same parameters,
 * as a mirror's does.
 */
export type GoesOn = (before: SegmentStored, next: SegmentStored) => boolean;

/** The codec parameters of a segment as one comparable text; undefined when nobody could read them. */
export type ParametersOf = (segment: SegmentStored) => string | undefined;

export interface TrackRunsOptions {
  /**
   * Tells MPEG-TS runs apart, which carry their codec parameters inside: it is asked for the first segment of every timeline.
   * What nobody could read splits nothing.
   */
  readonly parametersOf?: ParametersOf;
  /** Asked where neighbours come from different links. Default: another link has another encoder, with a clock of its own. */
  readonly goesOn?: GoesOn;
  /** Stored, but not usable any more: these count as missing. */
  readonly leftOut?: ReadonlySet<SegmentStored>;
}

/** Groups a track's segments into runs, in order. */
export function trackRuns(
  ledger: Ledger,
  track: string,
  { parametersOf = () => undefined, goesOn = () => false, leftOut }: TrackRunsOptions = {},
): TrackRun[] {
  const segments = ledger.segments(track).filter((segment) => leftOut?.has(segment) !== true);
  const runs = groupByFile({ ledger, track, goesOn }, segments);
  return joinAlike(runs.flatMap((run) => splitByParameters(run, parametersOf)));
}

/** A program that begins again writes another initialisation section, of which the bit rate may be all that differs. */
function joinAlike(runs: readonly TrackRun[]): TrackRun[] {
  const joined: TrackRun[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    const isAlike =
      last?.container === 'fmp4' &&
      run.container === 'fmp4' &&
      run.parameters !== undefined &&
      last.parameters === run.parameters;
    if (isAlike) {
      joined[joined.length - 1] = { ...last, timelines: [...last.timelines, ...run.timelines] };
    } else {
      joined.push(run);
    }
  }
  return joined;
}

/** The segments that decide where runs end and where timelines stand: the first and the last of every timeline. */
export const decisiveSegments = (runs: readonly TrackRun[]): SegmentStored[] => [
  ...new Set(
    runs.flatMap(({ timelines }) =>
      timelines.flatMap(({ segments }) => [...segments.slice(0, 1), ...segments.slice(-1)]),
    ),
  ),
];

/** Every segment of a run. */
export const segmentsOf = (run: Pick<TrackRun, 'timelines'>): SegmentStored[] =>
  run.timelines.flatMap((timeline) => [...timeline.segments]);

/** Whether timestamps of a run jump anywhere. */
export const isBroken = (run: Pick<TrackRun, 'timelines'>): boolean =>
  run.timelines.length > 1 || run.timelines.some((timeline) => timeline.holes > 0);

/** Whether two segments come from the same of the job's links. */
export const isSameSource = (one: SegmentStored, other: SegmentStored): boolean =>
  (one.source ?? 0) === (other.source ?? 0);

/** Segments of one timeline, which may be fewer than it had, as a timeline. */
export const timelineOf = (segments: readonly SegmentStored[]): Timeline => ({
  segments,
  holes: segments.filter(({ msn }, index) => {
    const before = segments[index - 1];
    return before !== undefined && msn !== before.msn + 1;
  }).length,
});

function groupByFile(
  {
    ledger,
    track,
    goesOn,
  }: { readonly ledger: Ledger; readonly track: string; readonly goesOn: GoesOn },
  segments: readonly SegmentStored[],
): TrackRun[] {
  const runs: { run: Omit<TrackRun, 'timelines'>; timelines: MutableTimeline[] }[] = [];
  let previous: SegmentStored | undefined;
  for (const segment of segments) {
    const init = segment.init === undefined ? undefined : ledger.init(segment.init);
    const { container } = segment;
    let current = runs.at(-1);
    if (
      current === undefined ||
      current.run.container !== container ||
      current.run.init?.checksum !== init?.checksum
    ) {
      const run = { track, container, ...(init !== undefined && { init }) };
      current = { run, timelines: [] };
      runs.push(current);
      previous = undefined;
    }
    let timeline = current.timelines.at(-1);
    const joint = jointBetween(previous, segment, goesOn);
    if (timeline === undefined || joint === 'break') {
      timeline = { segments: [], holes: 0, ...(init !== undefined && { init }) };
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
  readonly init?: InitStored;
}

function jointBetween(
  previous: SegmentStored | undefined,
  next: SegmentStored,
  goesOn: GoesOn,
): 'break' | 'hole' | 'none' {
  if (previous === undefined || previous.epoch !== next.epoch) return 'break';
  if (previous.discontinuity !== next.discontinuity) return 'break';
  if (!isSameSource(previous, next) && !goesOn(previous, next)) return 'break';
  return next.msn === previous.msn + 1 ? 'none' : 'hole';
}

function splitByParameters(run: TrackRun, parametersOf: ParametersOf): TrackRun[] {
  const groups: { parameters: string | undefined; timelines: Timeline[] }[] = [];
  for (const timeline of run.timelines) {
    const [first] = timeline.segments;
    const parameters = first && parametersOf(first);
    const current = groups.at(-1);
    if (current === undefined) {
      groups.push({ parameters, timelines: [timeline] });
    } else if (
      // One initialisation section, one set of parameters.
      run.container === 'fmp4' ||
      parameters === undefined ||
      (current.parameters ?? parameters) === parameters
    ) {
      current.parameters ??= parameters;
      current.timelines.push(timeline);
    } else {
      groups.push({ parameters, timelines: [timeline] });
    }
  }
  return groups.map(({ parameters, timelines }) => ({
    ...run,
    timelines,
    ...(parameters !== undefined && { parameters }),
  }));
}
