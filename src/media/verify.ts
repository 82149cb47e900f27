import { open } from 'node:fs/promises';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { diskError } from '../ledger/diskError.ts';
import type { Run } from './joinedRun.ts';
import { type AskOptions, askInspect } from './mediabunny/askMediabunny.ts';
import type { MediaInfo } from './mediabunny/protocol.ts';
import { renditionOrder } from './mux/fileTracks.ts';
import type { TrackCount, TrackSpan, Verification } from './mux/muxResult.ts';
import { segmentsOf } from './runs.ts';
import { outputTime, reckonedMap } from './timing/outputMap.ts';
import type { Raggedness } from './timing/raggedness.ts';

/** What a file's duration may differ from the playlist's: half a second, or a thousandth (measured on ten muxers' output). */
const TOLERANCE_MS = 500;
const TOLERANCE_SHARE = 0.001;
/** Old playlists give whole seconds: each EXTINF may then be wrong by half of one. */
const ROUNDED_EXTINF_MS = 500;
/** A measured segment that differs by more shows that EXTINFs are rounded: its tracks' ends are ragged by about a tenth. */
const ROUNDED_SIGN_MS = 150;
/**
 * Sound and picture of a segment neither begin nor end together; where a clock changes or a hole is closed, the later end and
 * the earlier beginning meet. Measured with 48 kHz AAC: 60 to 90 ms for each joint.
 */
const JOINT_MS = 120;
/**
 * By so much more than each other the tracks of one file may stand beside their places: both ends are measured, however long the
 * recording is. Less than what separate playlists of whole seconds are off where a file is divided.
 */
const SKEW_MAX_MS = 1_000;

export interface VerifyOptions extends AskOptions {
  readonly run: Run;
  /** Packets read from the segments. */
  readonly source: readonly TrackCount[];
  /** What the first segment of each timeline is; without tracks where it could not be read. */
  readonly firsts: readonly MediaInfo[];
  /** What the first segment of each companion is. */
  readonly companionFirsts: readonly MediaInfo[];
  readonly ragged: Raggedness;
  /** Sound and picture are known to have come apart by so much, seconds. */
  readonly outOfStep?: number;
}

/**
 * Compares a finished MP4 with what it was made from. The reader is never the program that made it with ffmpeg, and a fresh
 * process otherwise: it takes packet counts and duration from the file's index. That the data behind the index is there is
 * shown by walking the file's boxes. Rejects with `disk.failed` or `mux.failed` when it cannot be judged at all.
 */
export async function verifyFile(
  file: string,
  options: VerifyOptions,
): Promise<{ verification: Verification; info: MediaInfo }> {
  const [answer] = (await askInspect({ inputs: [[file]], count: true }, options)).inputs;
  const info: MediaInfo =
    answer !== undefined && 'info' in answer ? answer.info : { format: 'unknown', tracks: [] };
  const complaints: string[] = [];
  if (answer !== undefined && 'unreadable' in answer) {
    complaints.push(`the file cannot be read: ${answer.unreadable}`);
  }
  const broken = await boxError(file);
  if (broken !== undefined) complaints.push(broken);
  const kinds = [options.firsts[0], ...options.companionFirsts].flatMap((first) =>
    (first?.tracks ?? []).filter(({ packets }) => packets !== 0).map(({ kind }) => kind),
  );
  const counted: TrackCount[] = info.tracks.map(({ kind, packets = 0 }) => ({ kind, packets }));
  const equal = sameCounts(options.source, counted) && hasKinds(counted, kinds);
  if (!equal) {
    complaints.push(
      `packets differ: the segments have ${listed(options.source)}, the file has ${listed(counted)}` +
        (hasKinds(counted, kinds) ? '' : `; expected were ${kinds.join(', ')}`),
    );
  }
  const packetsGood = complaints.length === 0;
  complaints.push(...leftUnread(options, counted, kinds));
  const fileMs = info.durationMs ?? 0;
  const { expectedMs, toleranceMs, joints } = nearestTo(
    fileMs,
    expectedDuration(options.run, options.firsts),
    options,
  );
  if (options.outOfStep !== undefined) {
    complaints.push(`sound and picture come apart by ${options.outOfStep.toFixed(3)} s at a joint`);
  }
  const fits = Math.abs(fileMs - expectedMs) <= toleranceMs;
  if (!fits) {
    complaints.push(
      `the file lasts ${(fileMs / 1_000).toFixed(3)} s, the playlists said ` +
        `${(expectedMs / 1_000).toFixed(3)} s (± ${(toleranceMs / 1_000).toFixed(3)} s)`,
    );
  }
  const spans =
    options.run.companions.length > 0
      ? judged(spansOf(info, options), { toleranceMs, skewMs: SKEW_MAX_MS + joints * JOINT_MS })
      : undefined;
  complaints.push(...(spans ?? []).flatMap((span) => (span.fits ? [] : [outOfPlace(span)])));
  return {
    info,
    verification: {
      verified: complaints.length === 0,
      packets: { source: [...options.source], file: counted, equal: packetsGood },
      duration: { fileMs, expectedMs, toleranceMs, fits },
      ...(spans !== undefined && { spans }),
      complaints,
    },
  };
}

/** What was said counts the pictures, or all there is: nobody tells which where sound begins before them or goes on after. */
function nearestTo(
  fileMs: number,
  said: ReturnType<typeof expectedDuration>,
  { run, ragged }: Pick<VerifyOptions, 'run' | 'ragged'>,
): ReturnType<typeof expectedDuration> {
  if (run.companions.length > 0) return said;
  const whole = said.expectedMs + ragged.overhangMs;
  const isNearer = Math.abs(fileMs - whole) < Math.abs(fileMs - said.expectedMs);
  return isNearer ? { ...said, expectedMs: whole } : said;
}

/**
 * What the playlists said a run lasts, and how far the file may be from that, both in milliseconds. With several renditions it
 * lasts as long as any of them plays: they need not begin and end together. Whole seconds count as rounded only when a segment
 * that was measured shows it: many streams have segments of exactly two seconds.
 */
export function expectedDuration(
  run: Run,
  firsts: readonly MediaInfo[],
): { expectedMs: number; toleranceMs: number; joints: number } {
  const segments = segmentsOf(run);
  const saidMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const map = run.companions.length > 0 ? reckonedMap(run) : undefined;
  const expectedMs =
    map === undefined
      ? saidMs
      : map.reduce((sum, part) => sum + (part.toSeconds - part.fromSeconds) * 1_000, 0);
  const rounded =
    segments.every(({ durationMs }) => durationMs % 1_000 === 0) &&
    run.timelines.some((timeline, index) => {
      const said = timeline.segments[0]?.durationMs ?? 0;
      return Math.abs((firsts[index]?.durationMs ?? said) - said) > ROUNDED_SIGN_MS;
    });
  const joints = Math.max(
    0,
    run.timelines.reduce((sum, { holes }) => sum + holes + 1, -1),
    (map?.length ?? 0) - 1,
  );
  const toleranceMs =
    Math.max(
      TOLERANCE_MS,
      expectedMs * TOLERANCE_SHARE,
      rounded ? ROUNDED_EXTINF_MS * segments.length : 0,
    ) +
    joints * JOINT_MS;
  return { expectedMs, toleranceMs, joints };
}

type Span = Omit<TrackSpan, 'fits'>;

/** Which spans are in their place, and in step with the first one, which is the main track's. */
export function judged(
  spans: readonly Span[],
  { toleranceMs, skewMs }: { readonly toleranceMs: number; readonly skewMs: number },
): TrackSpan[] {
  const [main] = spans;
  const startOff = (span: Span): number => span.startMs - span.expectedStartMs;
  const endOff = (span: Span): number => span.endMs - span.expectedEndMs;
  return spans.map((span) => {
    const skews =
      main === undefined ? [] : [startOff(span) - startOff(main), endOff(span) - endOff(main)];
    const fits =
      [startOff(span), endOff(span)].every((off) => Math.abs(off) <= toleranceMs) &&
      skews.every((skew) => Math.abs(skew) <= skewMs);
    return { ...span, fits };
  });
}

/** Where each track of the file stands, and where the segments of its rendition say that it must. */
function spansOf(info: MediaInfo, options: VerifyOptions): Span[] {
  const { run } = options;
  const map = reckonedMap(run);
  const orders = {
    video: renditionOrder(options, 'video'),
    audio: renditionOrder(options, 'audio'),
  };
  const counts = { video: 0, audio: 0 };
  return info.tracks.flatMap(({ kind, startSeconds = 0, endSeconds = 0 }) => {
    const rendition = orders[kind][counts[kind]++] ?? run.info;
    const number = 1 + run.companions.findIndex(({ track }) => track === rendition.track);
    const parts = run.sections.flatMap((section, index) =>
      section.parts
        .filter((part) => part.rendition === number)
        .map((part) => ({ part, section: index })),
    );
    const [first] = parts;
    const last = parts.at(-1);
    if (first === undefined || last === undefined) return [];
    const from = outputTime(map, first.section, first.part.startsSeconds[0] ?? 0) ?? 0;
    const to = outputTime(map, last.section, last.part.endSeconds) ?? 0;
    const span = {
      startMs: startSeconds * 1_000,
      endMs: endSeconds * 1_000,
      expectedStartMs: from * 1_000,
      expectedEndMs: to * 1_000,
    };
    return [{ track: rendition.track, kind, ...span }];
  });
}

function outOfPlace(span: TrackSpan): string {
  const text = (ms: number): string => (ms / 1_000).toFixed(3);
  return (
    `${span.kind} of ${span.track} plays from ${text(span.startMs)} s to ${text(span.endMs)} s of the file, ` +
    `expected was ${text(span.expectedStartMs)} s to ${text(span.expectedEndMs)} s`
  );
}

function sameCounts(one: readonly TrackCount[], other: readonly TrackCount[]): boolean {
  const text = (counts: readonly TrackCount[]): string =>
    listed(counts.filter(({ packets }) => packets > 0));
  return one.some(({ packets }) => packets > 0) && text(one) === text(other);
}

/** Whether there are as many tracks of each kind as the first segments have. */
const hasKinds = (counts: readonly TrackCount[], kinds: readonly TrackCount['kind'][]): boolean =>
  kinds.every(
    (kind) =>
      counts.filter((count) => count.kind === kind && count.packets > 0).length >=
      kinds.filter((each) => each === kind).length,
  );

/**
 * Streams that the reader of the segments passed over, and that the file has no track for either. The muxer that reads with the
 * same eyes loses them without a word; what it makes is better than nothing, but it is not what was recorded.
 */
function leftUnread(
  { firsts, companionFirsts }: VerifyOptions,
  counts: readonly TrackCount[],
  kinds: readonly TrackCount['kind'][],
): string[] {
  const unread = [firsts[0], ...companionFirsts].flatMap((first) => first?.unread ?? []);
  return (['video', 'audio'] as const).flatMap((kind) => {
    const own = unread.filter((stream) => stream.kind === kind);
    const expected = own.length + kinds.filter((each) => each === kind).length;
    const found = counts.filter((count) => count.kind === kind && count.packets > 0).length;
    if (own.length === 0 || found >= expected) return [];
    const named = own.map(({ id, type }) => `${type} (packet identifier ${id})`).join(', ');
    return [`the segments have ${kind} that is not in the file: ${named}`];
  });
}

/** Tracks in order of their kind: muxers put them into the file in different orders. */
const listed = (counts: readonly TrackCount[]): string =>
  (['video', 'audio'] as const)
    .flatMap((kind) => counts.filter((count) => count.kind === kind))
    .map(({ kind, packets }) => `${packets} ${kind}`)
    .join(', ') || 'none';

/** A box header is 8 bytes, or 16 with a large size. */
const BOX_HEADER_BYTES = 16;
/** An MP4 of ours has five boxes at its top; a file with very many is not one. */
const BOXES_MAX = 1_000;

/** Walks the boxes at the top of an MP4: each must end inside the file, the last at its end, and an index must be there. */
async function boxError(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const header = Buffer.alloc(BOX_HEADER_BYTES);
      const names: string[] = [];
      let at = 0;
      while (at < size && names.length < BOXES_MAX) {
        const { bytesRead } = await handle.read(header, 0, BOX_HEADER_BYTES, at);
        if (bytesRead < 8) return `the file ends inside a box header at byte ${at}`;
        const name = header.toString('latin1', 4, 8);
        const short = header.readUInt32BE(0);
        const bytes =
          short === 1 ? Number(header.readBigUInt64BE(8)) : short === 0 ? size - at : short;
        if (bytes < 8 || at + bytes > size) return `the file ends inside its ${name} box`;
        names.push(name);
        at += bytes;
      }
      return names.includes('moov') && names.includes('mdat')
        ? undefined
        : `the file has no index or no data (boxes: ${names.slice(0, 10).join(' ')})`;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof RangeError) return `a box is malformed: ${messageOf(error)}`;
    if (systemCodeOf(error) === 'ENOENT') return 'there is no file';
    throw diskError(error, 'read', file);
  }
}
