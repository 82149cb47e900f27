import { join } from 'node:path';
import type { Ledger } from '../../ledger/ledger.ts';
import type { SegmentStored } from '../../ledger/record.ts';
import type { Part, Run } from '../joinedRun.ts';
import { askInspect } from '../mediabunny/askMediabunny.ts';
import type { MediaInfo, MediaTrack } from '../mediabunny/protocol.ts';
import { renditionsOf } from '../renditions.ts';
import { decisiveSegments, type TrackRun, trackRuns } from '../runs.ts';
import { runsOf } from '../runsOf.ts';
import { packedTimestamp } from '../timing/packedTimestamp.ts';
import { isSeamless } from '../timing/seam.ts';
import type { Measured } from '../timing/timelinePlace.ts';

/** A run, and what its segments are. */
export interface ReadRun {
  readonly run: Run;
  /** What the first segment of each timeline of its own track is; without tracks where it could not be read. */
  readonly firsts: readonly MediaInfo[];
  /** What the first segment of each companion is. */
  readonly companionFirsts: readonly MediaInfo[];
  /** What each companion would be as a file of its own, should the joint file not come about. */
  readonly apart: readonly Run[];
}

export interface ReadRunsOptions {
  readonly ledger: Ledger;
  /** The recording's. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Segments that are not usable any more. */
  readonly leftOut: ReadonlySet<SegmentStored>;
}

const UNREADABLE: MediaInfo = { format: 'unknown', tracks: [] };

/** The ledger's runs by what is really in the segments, renditions joined. Throws `mux.failed` when the reading process fails. */
export async function readRuns(options: ReadRunsOptions): Promise<ReadRun[]> {
  const { ledger, leftOut } = options;
  const infos = renditionsOf(ledger).filter(({ kind }) => kind !== 'subtitles');
  const rough = infos.flatMap(({ track }) => trackRuns(ledger, track, { leftOut }));
  const segments = await inspectSegments(options, decisiveSegments(rough));
  const packed = await packedStarts(options, rough);
  const measuredOf = (segment: SegmentStored): Measured => {
    const info = segments.get(segment);
    // What is read of packed audio begins at zero in each segment.
    const start = segment.container === 'packed' ? packed.get(segment) : info?.startSeconds;
    return {
      ...(start !== undefined && { startSeconds: start }),
      ...(info?.durationMs !== undefined && { durationSeconds: info.durationMs / 1_000 }),
    };
  };
  const parametersOf = (segment: SegmentStored): string | undefined => {
    const tracks = segments.get(segment)?.tracks ?? [];
    return tracks.length === 0 ? undefined : parametersText(tracks);
  };
  const infoOf = (segment: SegmentStored | undefined): MediaInfo =>
    (segment && segments.get(segment)) ?? UNREADABLE;
  const goesOn = (before: SegmentStored, next: SegmentStored): boolean =>
    next.msn === before.msn + 1 && isSeamless(infoOf(before), infoOf(next));
  const isKnown = (segment: SegmentStored): boolean => segments.has(segment);
  return runsOf(ledger, { parametersOf, goesOn, measuredOf, leftOut }).map(({ run, apart }) => ({
    run,
    apart,
    firsts: run.timelines.map((timeline) =>
      withLater(infoOf(timeline.segments[0]), infoOf(timeline.segments.at(-1))),
    ),
    companionFirsts: run.companions.map((_, index) => {
      const part = run.sections
        .flatMap((section) => section.parts)
        .find((each) => each.rendition === index + 1);
      // Where its time line was divided between files the first segment was not looked at, but others of its kind were.
      return infoOf(part && (part.timeline.segments.find(isKnown) ?? alike(part, segments)));
    }),
  }));
}

/** What a timeline's first segment is, and what its last one has beyond that: a demuxer may never notice what begins later. */
function withLater(first: MediaInfo, last: MediaInfo): MediaInfo {
  const known = new Set([...first.tracks, ...(first.unread ?? [])].map(({ id }) => id));
  const later = [
    ...last.tracks.map(({ kind, id, codec }) => ({ kind, id, type: codec ?? 'unknown' })),
    ...(last.unread ?? []),
  ].filter(({ id }) => !known.has(id));
  if (first.tracks.length === 0 || later.length === 0) return first;
  return { ...first, unread: [...(first.unread ?? []), ...later] };
}

/** A segment that was read and is what a part's segments are: of the same track, with the same initialisation section. */
const alike = (
  { timeline, container }: Part,
  read: ReadonlyMap<SegmentStored, MediaInfo>,
): SegmentStored | undefined => {
  const [first] = timeline.segments;
  return [...read.keys()].find(
    (segment) =>
      segment.track === first?.track &&
      segment.init === first.init &&
      segment.container === container,
  );
};

async function inspectSegments(
  options: ReadRunsOptions,
  segments: readonly SegmentStored[],
): Promise<Map<SegmentStored, MediaInfo>> {
  const { ledger, directory, environment, signal, log } = options;
  const infos = new Map<SegmentStored, MediaInfo>();
  if (segments.length === 0) return infos;
  const inputs = segments.map(({ file, init }) => {
    const initFile = init === undefined ? undefined : ledger.init(init)?.file;
    const names = initFile === undefined ? [file] : [initFile, file];
    return names.map((name) => join(directory, name));
  });
  const answer = await askInspect({ inputs, count: true }, { environment, signal });
  for (const [index, segment] of segments.entries()) {
    const read = answer.inputs[index];
    if (read !== undefined && 'info' in read) infos.set(segment, read.info);
    else log('segment could not be read', { file: segment.file, why: read?.unreadable });
  }
  return infos;
}

async function packedStarts(
  { directory, signal }: ReadRunsOptions,
  runs: readonly TrackRun[],
): Promise<Map<SegmentStored, number>> {
  const starts = new Map<SegmentStored, number>();
  for (const run of runs) {
    if (run.container !== 'packed') continue;
    for (const segment of run.timelines.flatMap((timeline) => timeline.segments)) {
      signal.throwIfAborted();
      const start = await packedTimestamp(join(directory, segment.file));
      if (start !== undefined) starts.set(segment, start);
    }
  }
  return starts;
}

const parametersText = (tracks: readonly MediaTrack[]): string =>
  tracks
    .map(({ kind, codec, width, height, sampleRate, channels }) =>
      [kind, codec, width, height, sampleRate, channels].join(' '),
    )
    .join(', ');
