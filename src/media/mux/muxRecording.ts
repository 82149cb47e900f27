import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKennelError } from '../../core/errors.ts';
import { diskError } from '../../ledger/diskError.ts';
import { proofOf } from '../../ledger/proof.ts';
import { type Damage, findDamage, NO_DAMAGE } from '../damagedEntries.ts';
import { readIfThere, UNFINISHED, writeDurably } from '../durableFile.ts';
import { type PlacedText, placeTexts } from '../subtitles/placeTexts.ts';
import { readTexts } from '../subtitles/readTexts.ts';
import type { MuxContext, MuxOptions } from './muxContext.ts';
import { type MuxedFile, type MuxResult, muxResultSchema, type Sidecar } from './muxResult.ts';
import { muxRun } from './muxRun.ts';
import { readRuns } from './readRuns.ts';

export type { MuxOptions } from './muxContext.ts';

/** The saved result. Written last: when it is there, all of it is. */
export const MUX_RESULT_FILE = 'mux.json';

/** How often damage that only shows while muxing is looked for again: a disk that spoils more each time is to be changed first. */
const DAMAGE_ROUNDS_MAX = 3;

/**
 * Puts a recording's segments into MP4 files, one for each run, with the renditions that were recorded beside it, and verifies
 * each; subtitles become WebVTT files beside them. Stored files that are not what was recorded any more are left out and named.
 * Repeatable after a crash at any point: a result that was saved for the same segments is returned, anything else that was left
 * is made anew. Throws `mux.failed`, `mux.unverified` when no muxer copied every packet, `disk.full`, `disk.failed` when nothing
 * that was stored can be used, or the signal's reason.
 */
export async function muxRecording(options: MuxOptions): Promise<MuxResult> {
  const { directory, ledger, outputDirectory, signal, log } = options;
  const source = proofOf(ledger).checksum;
  const saved = await savedResult(outputDirectory);
  const isAsWanted =
    saved?.source === source && (saved.soundOnly ?? false) === (options.soundOnly ?? false);
  if (isAsWanted && (await allThere(outputDirectory, saved))) {
    if (saved.damaged.length === 0) return saved;
    const still = await findDamage(directory, ledger, signal);
    if (still.findings.length >= saved.damaged.length) return saved;
    log('segments were put right: muxed again', { files: saved.damaged.length });
  }
  let damage = NO_DAMAGE;
  for (let round = 1; ; round++) {
    try {
      return await muxUndamaged(options, source, damage);
    } catch (error) {
      signal.throwIfAborted();
      const isSpoilt = isKennelError(error) && error.code === 'disk.failed';
      if (!isSpoilt || round > DAMAGE_ROUNDS_MAX) throw error;
      const found = await findDamage(directory, ledger, signal);
      // Not a segment then, or nothing is left: another look changes nothing.
      if (found.findings.length <= damage.findings.length) throw error;
      if (found.leftOut.size === ledger.stored) throw error;
      damage = found;
      log('stored segments are damaged and left out', { findings: damage.findings });
    }
  }
}

async function muxUndamaged(
  options: MuxOptions,
  source: string,
  damage: Damage,
): Promise<MuxResult> {
  const { ledger, outputDirectory, signal } = options;
  options.before?.('clear');
  await clear(outputDirectory);
  const environment = { ...options.environment, KENNEL_JOB: ledger.jobId ?? '' };
  const context: MuxContext = { ...options, environment, damage };
  const reads = await readRuns({ ...context, leftOut: damage.leftOut });
  const { texts, unjoined } = await readTexts({ ...context, leftOut: damage.leftOut });
  const runs = reads.map(({ run }) => run);
  const placed: readonly PlacedText[] = placeTexts(ledger, runs, texts);
  const files: MuxedFile[] = [];
  const sidecars: Sidecar[] = [];
  for (const [index, read] of reads.entries()) {
    signal.throwIfAborted();
    const own = placed.filter((text) => text.run === index);
    const made = await muxRun(context, { ...read, texts: own, number: files.length + 1 });
    files.push(...made.files);
    sidecars.push(...made.sidecars);
    unjoined.push(...made.unjoined);
  }
  const nowhere = texts.filter(({ info }) => !placed.some((text) => text.text.info === info));
  const result: MuxResult = {
    v: 2,
    source,
    ...(options.soundOnly === true && { soundOnly: true }),
    files,
    sidecars,
    damaged: [...damage.findings],
    unjoined: [
      ...unjoined,
      ...nowhere.map(({ info: { track } }) => ({ track, why: 'nothing to show it with' })),
    ],
  };
  options.before?.('save the result');
  await writeDurably(
    join(outputDirectory, MUX_RESULT_FILE),
    `${JSON.stringify(result, null, 2)}\n`,
  );
  return result;
}

/** The saved result of a directory, whatever it was made from; undefined when there is none. */
export async function savedResult(outputDirectory: string): Promise<MuxResult | undefined> {
  const text = await readIfThere(join(outputDirectory, MUX_RESULT_FILE));
  if (text === undefined) return undefined;
  try {
    return muxResultSchema.parse(JSON.parse(text));
  } catch {
    // Written by another version: as good as none, since everything can be made anew.
    return undefined;
  }
}

async function allThere(outputDirectory: string, { files, sidecars }: MuxResult): Promise<boolean> {
  for (const { file, bytes } of [...files, ...sidecars]) {
    const size = await stat(join(outputDirectory, file)).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes) return false;
  }
  return true;
}

async function clear(outputDirectory: string): Promise<void> {
  try {
    await mkdir(outputDirectory, { recursive: true });
    // First the result: it must never stand for files that are gone.
    await rm(join(outputDirectory, MUX_RESULT_FILE), { force: true });
    for (const name of await readdir(outputDirectory)) {
      const ours = /^run-\d+\./.test(name) || name.endsWith(UNFINISHED);
      if (ours) await rm(join(outputDirectory, name), { force: true });
    }
  } catch (error) {
    throw diskError(error, 'clear', outputDirectory);
  }
}
