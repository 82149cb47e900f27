import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../../../src/ledger/contentHash.ts';
import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerRecord, SegmentLost } from '../../../src/ledger/record.ts';
import { type Judgement, type JudgeOptions, judge } from '../oracle.ts';
import { describeSet, type SetDescription } from '../origin/mediaSet.ts';

/** Finished media; beside it are the manifest, pictures and such. */
const MEDIA_FILE = /\.(mp4|m4a|mkv|webm|ts|mov)$/;
export const mediaFiles = (files: readonly string[]): string[] =>
  files.filter((file) => MEDIA_FILE.test(file));

/** Without the line by which ffmpeg shortens its complaints: what is repeated stands before it, and may be no more than a step of time. */
const realErrors = ({ decodeErrors }: Judgement): string[] =>
  decodeErrors.filter((line) => !/Last message repeated/.test(line));

/** A recording by programs, held against what its source really played. */
export interface RecordingAccount {
  readonly records: readonly LedgerRecord[];
  readonly ledger: Ledger;
  readonly judgement: Judgement;
  /** What is not in the finished files between their first and their last picture, milliseconds. */
  readonly missingMs: number;
  /** What the proof names as lost, milliseconds. */
  readonly namedMs: number;
  readonly gaps: readonly SegmentLost[];
  /** Whatever makes the proof untrue, in words; empty when it is true. */
  readonly untruths: readonly string[];
}

export interface AccountOptions {
  readonly ffmpeg: string;
  /** The recording's directory, with its segments (`--keep-segments`). */
  readonly directory: string;
  /** The finished files in order. */
  readonly files: readonly string[];
  readonly truth: SetDescription | string;
  /** false: only sound was recorded. */
  readonly video?: boolean;
}

/**
 * By how much a named gap may differ from what is missing, milliseconds: it is known by timestamps, but where one program's
 * clock begins anew, by the wall clock, and a program may come back to what was on before it fell.
 */
const GAP_TOLERANCE_MS = 2_500;

/** Takes the whole account. A recording longer than its set, a minute, cannot be judged. */
export async function accountOf(options: AccountOptions): Promise<RecordingAccount> {
  const { ffmpeg, directory, files, truth } = options;
  const { records } = await readJournal(directory);
  const ledger = new Ledger();
  for (const record of records) ledger.apply(record);
  const judgement = await judgeInTurn({ ffmpeg, files, set: truth });
  const gaps = ledger.gaps();
  const namedMs = gaps.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const missingMs = options.video === false ? 0 : missingOf(judgement);
  const untruths = [
    ...filesUntrue(directory, { records, ledger }),
    ...mediaUntrue(judgement, options),
    ...gapsUntrue({ gaps: gaps.length, namedMs, missingMs }),
  ];
  return { records, ledger, judgement, missingMs, namedMs, gaps, untruths };
}

export interface LongAccount {
  readonly ledger: Ledger;
  readonly namedMs: number;
  readonly untruths: readonly string[];
}

/** By how much media and gaps together may differ from the time that was recorded, milliseconds: starts take their time, and begin behind the live edge. */
const LENGTH_TOLERANCE_MS = 15_000;

/**
 * The account of a recording that is longer than its set: where everything comes again every minute, what is missing cannot be told
 * by its packets, but that nothing is foreign or broken can, and whether media and gaps fill the time.
 *
 * @param options.durationMs what was asked for; absent: as long as it is
 */
export async function longAccountOf(
  options: AccountOptions & { readonly durationMs?: number | undefined },
): Promise<LongAccount> {
  const { ffmpeg, directory, files, truth, durationMs } = options;
  const { records } = await readJournal(directory);
  const ledger = new Ledger();
  for (const record of records) ledger.apply(record);
  const judgement = await judge({ ffmpeg, files, set: truth });
  const { unknownPackets, packets } = judgement;
  const decodeErrors = realErrors(judgement);
  const gaps = ledger.gaps();
  const namedMs = gaps.reduce((sum, gap) => sum + gap.durationMs, 0);
  const told = ledger.durationMs + namedMs;
  const toleranceMs = LENGTH_TOLERANCE_MS + GAP_TOLERANCE_MS * gaps.length;
  const pictureMs = packets.video * PICTURE_MS;
  const untruths = [
    ...filesUntrue(directory, { records, ledger }),
    ...(unknownPackets > 0 ? [`${unknownPackets} packets that the source never played`] : []),
    ...(decodeErrors.length > 0
      ? [`it does not decode: ${decodeErrors.slice(0, 3).join('; ')}`]
      : []),
    ...(Math.abs(pictureMs - ledger.durationMs) > ledger.stored * PICTURE_MS + 1_000
      ? [`${ledger.durationMs} ms are claimed, the files have ${pictureMs} ms of picture`]
      : []),
    ...(durationMs !== undefined && Math.abs(told - durationMs) > toleranceMs
      ? [`media and gaps are ${Math.round(told)} ms of ${durationMs}`]
      : []),
  ];
  return { ledger, namedMs, untruths };
}

/** All sets have 25 pictures a second. */
const PICTURE_MS = 40;

/**
 * Judges a recording that may run through the end of its set: it begins behind the longest part of the set that it has nothing of,
 * which is what was not on while it was made.
 */
async function judgeInTurn(options: JudgeOptions): Promise<Judgement> {
  const first = await judge(options);
  const count = (typeof options.set === 'string' ? describeSet(options.set) : options.set).segments
    .length;
  const there = positionsIn(first).toSorted((a, b) => a - b);
  const [lowest, highest] = [there.at(0), there.at(-1)];
  if (lowest === undefined || highest === undefined) return first;
  let [from, to, longest] = [lowest, highest, lowest + count - highest];
  for (const [at, position] of there.entries()) {
    const next = there[at + 1];
    if (next === undefined || next - position <= longest) continue;
    [from, to, longest] = [next, position, next - position];
  }
  return from === lowest ? first : await judge({ ...options, from, to });
}

const positionsIn = ({ segments, partial }: Judgement): number[] => [
  ...segments,
  ...partial.map(({ position }) => position),
];

/** Pictures that are missing, leaving out seconds at an edge, which were not recorded from their beginning or to their end. */
function missingOf(judgement: Judgement): number {
  const there = new Set(positionsIn(judgement));
  const isEdge = (position: number) => !there.has(position - 1) || !there.has(position + 1);
  // Beside a hole a second may be cut as well: what it lacks belongs to the hole, within the tolerance for it.
  const inside = judgement.partial.filter(({ position }) => !isEdge(position));
  const shares = inside.reduce((sum, { video: [have, of] }) => sum + (of - have) / of, 0);
  return Math.round((judgement.missing.length + shares) * 1_000);
}

function filesUntrue(
  directory: string,
  { records, ledger }: { records: readonly LedgerRecord[]; ledger: Ledger },
): string[] {
  const opened = records.find((record) => record.t === 'recording');
  const algorithm = (opened?.t === 'recording' ? opened.checksums : undefined) ?? 'sha256';
  return ledger.segments().flatMap(({ file, bytes, checksum, msn }) => {
    const body = readFileSync(join(directory, file));
    const hash = contentHash(algorithm);
    hash.update(body);
    return hash.digest() === checksum && body.length === bytes
      ? []
      : [`segment ${msn} is not what it was`];
  });
}

function mediaUntrue(judgement: Judgement, { video = true }: AccountOptions): string[] {
  const { unknownPackets, duplicated, outOfOrder, packets } = judgement;
  const decodeErrors = realErrors(judgement);
  return [
    ...(unknownPackets > 0 ? [`${unknownPackets} packets that the source never played`] : []),
    ...(duplicated.length > 0 ? [`seconds ${duplicated.join(', ')} more than once`] : []),
    ...(outOfOrder > 0 ? [`${outOfOrder} packets out of order`] : []),
    ...(decodeErrors.length > 0
      ? [`it does not decode: ${decodeErrors.slice(0, 3).join('; ')}`]
      : []),
    ...(packets.audio === 0 ? ['no sound'] : []),
    ...(video === packets.video > 0 ? [] : [`${packets.video} packets of picture`]),
  ];
}

function gapsUntrue(found: { gaps: number; namedMs: number; missingMs: number }): string[] {
  const { gaps, namedMs, missingMs } = found;
  if (gaps === 0) return missingMs > 0 ? [`${missingMs} ms are missing and not named`] : [];
  const toleranceMs = GAP_TOLERANCE_MS * gaps;
  return Math.abs(namedMs - missingMs) <= toleranceMs
    ? []
    : [`${namedMs} ms in ${gaps} gaps are named, ${missingMs} ms are missing`];
}
