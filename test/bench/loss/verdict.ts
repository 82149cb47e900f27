import { existsSync } from 'node:fs';
import { readPackets } from '../../support/oracle/packets.ts';
import { type Reference, type Tally, tally } from '../../support/oracle/tally.ts';
import type { Ending } from './ending.ts';
import { accountOf, flawsOf } from './kennelAccount.ts';
import type { Stage } from './stage.ts';

/** Whether a recorder's word about its own result holds. `lied`: it said that all is well although something is missing. */
export type Truthfulness = 'true' | 'lied' | 'false alarm' | 'hung';

export interface Verdict {
  readonly scenario: string;
  readonly recorder: string;
  /** Indexes that were to be had and are not there, from the first recorded one on. */
  readonly lost: readonly number[];
  /** Indexes of which nobody could have had anything, and nothing is there. */
  readonly unavoidable: readonly number[];
  /** Indexes that were in the first playlist it got, and that it left out at its start. */
  readonly skipped: readonly number[];
  readonly duplicated: readonly number[];
  /** Indexes of which only a part is there. */
  readonly torn: readonly number[];
  /** Packets that are no segment's. */
  readonly strangePackets: number;
  readonly exitCode: number | null;
  readonly truth: Truthfulness;
  /** What is wrong with Kennel's own account; empty for the others, who give none. */
  readonly flaws: readonly string[];
  readonly said: string;
}

/** Judges what a recorder left by the payload of every packet, and then its word by that. */
export async function verdictOf(stage: Stage, ending: Ending, ffmpeg: string): Promise<Verdict> {
  const count = stage.picture.length;
  const reference = Array.from({ length: count }, (_, index) => ({
    video: stage.picture.packetsOf(index).video,
    audio: stage.sound.packetsOf(index).audio,
  }));
  const found = { video: [] as string[], audio: [] as string[] };
  for (const file of ending.files.filter((one) => existsSync(one))) {
    const packets = await readPackets(ffmpeg, file);
    found.video.push(...packets.video);
    found.audio.push(...packets.audio);
  }
  const counted = countPackets(reference, found);
  const there = [...counted.segments, ...counted.partial.map(({ position }) => position)];
  // Who recorded nothing lost everything from the start.
  const from = there.length === 0 ? 0 : Math.min(...there);
  const missing = counted.missing.filter((index) => index >= from);
  const { sure, never } = stage.reach();
  const seen = new Set(stage.picture.truth().advertised.map(({ index }) => index));
  // Of what only luck would have shown, nobody can be expected to know.
  const told = missing.filter(
    (index) => seen.has(index) || sure.includes(index) || never.includes(index),
  );
  const account = ending.recording && (await accountOf(ending.recording, stage));
  const flaws = account ? flawsOf({ stage, account, missing: counted.missing, ending }) : [];
  return {
    scenario: stage.scenario.name,
    recorder: stage.recorder,
    lost: missing.filter((index) => sure.includes(index)),
    unavoidable: missing.filter((index) => never.includes(index)),
    skipped: skippedAtStart(stage, counted, from),
    duplicated: counted.duplicated,
    torn: counted.partial.map(({ position }) => position),
    strangePackets: counted.unknownPackets,
    exitCode: ending.exitCode,
    truth: truthOf(ending, { isWhole: isWhole(counted, told), flaws }),
    flaws,
    said: ending.said,
  };
}

/** Sets of other pictures have the same sound: a stream that changes from one to another is judged by its picture alone. */
function countPackets(reference: readonly Reference[], found: Reference): Tally {
  const sounds = reference.flatMap(({ audio }) => audio);
  const isUnique = new Set(sounds).size === sounds.length;
  const silent = (one: Reference): Reference => (isUnique ? one : { ...one, audio: [] });
  return tally(reference.map(silent), silent(found), [...reference.keys()]);
}

const isWhole = ({ partial, duplicated, unknownPackets }: Tally, missing: number[]): boolean =>
  missing.length + partial.length + duplicated.length + unknownPackets === 0;

/** What the first playlist that it was sent had, and it did not take. */
function skippedAtStart({ picture }: Stage, counted: Tally, from: number): number[] {
  const { advertised } = picture.truth();
  const [first] = advertised;
  return counted.missing.filter(
    (index) => index < from && first !== undefined && index >= first.index,
  );
}

function truthOf(
  { exitCode, hung }: Ending,
  { isWhole: whole, flaws }: { isWhole: boolean; flaws: readonly string[] },
): Truthfulness {
  if (hung) return 'hung';
  if (flaws.length > 0 || (exitCode === 0 && !whole)) return 'lied';
  return exitCode !== 0 && whole ? 'false alarm' : 'true';
}

/** Whether Kennel kept its promise. */
export const keptPromise = (verdict: Verdict): boolean =>
  verdict.lost.length + verdict.skipped.length === 0 &&
  verdict.duplicated.length + verdict.torn.length + verdict.strangePackets === 0 &&
  verdict.truth === 'true';
