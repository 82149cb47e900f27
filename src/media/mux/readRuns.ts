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
import { type Raggedness, raggednessOf } from '../timing/raggedness.ts';
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
  /** Of the stretches of its own track. */
  readonly ragged: Raggedness;
  /** The pictures in it stay out of its file; what is said of its segments is said of the rest. */
  readonly withoutPictures: boolean;
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
  /** Pictures, and tracks that have nothing else, are no part of what is made; unless nothing that was recorded has sound. */
  readonly soundOnly?: boolean;
}

/** Holes whose sides are looked at, so that a recording of a bad night is finished before the next one. */
const HOLES_READ_MAX = 200;

const UNREADABLE: MediaInfo = { format: 'unknown', tracks: [] };

/** The ledger's runs by what is really in the segments, renditions joined. Throws `mux.failed` when the reading process fails. */
export async function readRuns(options: ReadRunsOptions): Promise<ReadRun[]> {
  const { ledger, leftOut } = options;
  const infos = renditionsOf(ledger).filter(({ kind }) => kind !== 'subtitles');
  const rough = infos.flatMap(({ track }) => trackRuns(ledger, track, { leftOut }));
  const segments = await inspectSegments(options, [
    ...new Set([...decisiveSegments(rough), ...holeSides(rough).slice(0, 2 * HOLES_READ_MAX)]),
  ]);
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
    return tracks.length === 0 ? undefined : parametersText(segment.container, tracks);
  };
  const infoOf = (segment: SegmentStored | undefined): MediaInfo =>
    (segment && segments.get(segment)) ?? UNREADABLE;
  const goesOn = (before: SegmentStored, next: SegmentStored): boolean =>
    next.msn === before.msn + 1 && isSeamless(infoOf(before), infoOf(next));
  const isKnown = (segment: SegmentStored): boolean => segments.has(segment);
  const soundOnly = options.soundOnly === true && [...segments.values()].some(hasSound);
  const without = soundOnly ? silentTracks(segments) : new Set<string>();
  const runs = runsOf(ledger, { parametersOf, goesOn, measuredOf, leftOut, without });
  const reads = runs.map(({ run, apart }) => ({
    run,
    apart,
    ragged: raggednessOf(
      stretchesOf(run, isKnown).map((stretch) => ({
        first: infoOf(stretch[0]),
        last: infoOf(stretch.at(-1)),
      })),
      soundOnly ? isSound : undefined,
    ),
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
    withoutPictures: false,
  }));
  return soundOnly ? reads.filter(({ firsts }) => !firsts.every(isSilent)).map(soundOf) : reads;
}

const isSound = ({ kind }: { readonly kind: 'video' | 'audio' }): boolean => kind === 'audio';

const hasSound = ({ tracks, unread = [] }: MediaInfo): boolean =>
  [...tracks, ...unread].some(isSound);

/** What could not be read may have sound. */
const isSilent = (info: MediaInfo): boolean => info.tracks.length > 0 && !hasSound(info);

function silentTracks(segments: ReadonlyMap<SegmentStored, MediaInfo>): Set<string> {
  const silent = new Set<string>();
  const heard = new Set<string>();
  for (const [{ track }, info] of segments) (isSilent(info) ? silent : heard).add(track);
  return silent.difference(heard);
}

/** The run as if nothing but sound had been recorded. */
const soundOf = (read: ReadRun): ReadRun => ({
  ...read,
  firsts: read.firsts.map(withoutPictures),
  companionFirsts: read.companionFirsts.map(withoutPictures),
  withoutPictures: true,
});

const withoutPictures = ({ tracks, unread, ...info }: MediaInfo): MediaInfo => ({
  ...info,
  tracks: tracks.filter(isSound),
  ...(unread !== undefined && { unread: unread.filter(isSound) }),
});

/** The segments before and after every hole. */
const holeSides = (runs: readonly TrackRun[]): SegmentStored[] =>
  runs.flatMap(({ timelines }) =>
    timelines.flatMap(({ segments }) =>
      segments.filter(({ msn }, index) => {
        const before = segments[index - 1];
        const next = segments[index + 1];
        return (
          (before !== undefined && before.msn !== msn - 1) ||
          (next !== undefined && next.msn !== msn + 1)
        );
      }),
    ),
  );

/** The segments of a run between one break or hole and the next one; a hole whose sides were not looked at divides nothing. */
function stretchesOf(
  { timelines }: TrackRun,
  isKnown: (segment: SegmentStored) => boolean,
): SegmentStored[][] {
  return timelines.flatMap(({ segments }) => {
    const stretches: SegmentStored[][] = [];
    for (const segment of segments) {
      const stretch = stretches.at(-1);
      const before = stretch?.at(-1);
      const isHole = before !== undefined && before.msn !== segment.msn - 1;
      if (stretch === undefined || (isHole && isKnown(before) && isKnown(segment))) {
        stretches.push([segment]);
      } else {
        stretch.push(segment);
      }
    }
    return stretches;
  });
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

/** Undefined where two that look the same may be of different codecs. */
function parametersText(
  container: SegmentStored['container'],
  tracks: readonly MediaTrack[],
): string | undefined {
  if (container === 'fmp4' && tracks.some(({ codec }) => codec === null)) return undefined;
  return tracks
    .map(({ kind, codec, configuration, width, height, sampleRate, channels }) =>
      [kind, codec, configuration, width, height, sampleRate, channels].join(' '),
    )
    .join(', ');
}
