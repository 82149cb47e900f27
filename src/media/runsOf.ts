import type { Ledger } from '../ledger/ledger.ts';
import type { SegmentStored } from '../ledger/record.ts';
import { type Run, runAlone } from './joinedRun.ts';
import { joinRenditions } from './joinRenditions.ts';
import { MAIN_TRACK, renditionsOf } from './renditions.ts';
import { type Timeline, type TrackRun, type TrackRunsOptions, trackRuns } from './runs.ts';
import {
  type MeasuredOf,
  placeTimeline,
  positionsOf,
  type TimelinePlace,
} from './timing/timelinePlace.ts';

export interface RunsOptions extends TrackRunsOptions {
  /** Asked for the first and the last segment of every timeline, and for every segment of packed audio. */
  readonly measuredOf?: MeasuredOf;
  /** Tracks that are no part of any file. Without the main one the others are put together with the first of them. */
  readonly without?: ReadonlySet<string>;
}

/** A run, and what each of its companions would be as files of their own. */
export interface RunWithParts {
  readonly run: Run;
  readonly apart: readonly Run[];
}

type PlaceOf = (timeline: Timeline) => TimelinePlace;

/** The files that a ledger's segments make: its runs, with the renditions that were recorded beside them. Subtitles are none. */
export function runsOf(ledger: Ledger, options: RunsOptions = {}): RunWithParts[] {
  const { measuredOf = () => undefined, without = new Set() } = options;
  const infos = renditionsOf(ledger).filter(
    ({ kind, track }) => kind !== 'subtitles' && !without.has(track),
  );
  const positions = new Map(infos.map(({ track }) => [track, positionsOf(ledger, track)]));
  const none: ReadonlyMap<SegmentStored, number> = new Map();
  const placeOf: PlaceOf = (timeline) =>
    placeTimeline(timeline, positions.get(timeline.segments[0]?.track ?? '') ?? none, measuredOf);
  const renditions = infos
    .map((info) => ({ info, runs: trackRuns(ledger, info.track, options) }))
    .filter(({ runs }) => runs.length > 0);
  const main = without.has(MAIN_TRACK)
    ? renditions[0]
    : renditions.find(({ info }) => info.track === MAIN_TRACK);
  const others = renditions.filter((rendition) => rendition !== main);
  const runs =
    main === undefined
      ? others.flatMap(({ info, runs: own }) => own.map((run) => runAlone(run, info, placeOf)))
      : joinRenditions({ main, others, placeOf });
  return runs.map((run) => ({ run, apart: apart(run, placeOf) }));
}

/** Each companion of a run by itself; a run for each initialisation section, since that is what fits into a file. */
function apart(run: Run, placeOf: PlaceOf): Run[] {
  return run.companions.flatMap((info, index) => {
    const runs: { run: TrackRun; timelines: Timeline[] }[] = [];
    const parts = run.sections.flatMap(({ parts: all }) =>
      all.filter((part) => part.rendition === index + 1),
    );
    for (const { container, init, timeline } of parts) {
      let last = runs.at(-1);
      if (last === undefined || last.run.init?.checksum !== init?.checksum) {
        const timelines: Timeline[] = [];
        const { track } = info;
        const own = { track, container, timelines, ...(init !== undefined && { init }) };
        last = { run: own, timelines };
        runs.push(last);
      }
      last.timelines.push(timeline);
    }
    return runs.map((each) => runAlone(each.run, info, placeOf));
  });
}
