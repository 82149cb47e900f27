import { globSync } from 'node:fs';
import { programsOf } from '../../support/worlds/processes.ts';
import { longAccountOf, mediaFiles } from '../../support/worlds/recordingAccount.ts';
import type { MixedJob } from './mixedNode.ts';
import type { NodeEnded } from './protocol.ts';
import type { MixedSource } from './sources.ts';

/** One job, at its end. */
export interface MixedAccount {
  readonly name: string;
  readonly exitCode: number | null;
  readonly said: string;
  readonly attempts: number;
  readonly stored: number;
  readonly mediaMs: number;
  readonly gaps: number;
  readonly namedMs: number;
  readonly orphans: number;
  readonly strays: readonly string[];
  readonly untruths: readonly string[];
}

/** What may be in a recording's directory at its end. */
const OF_A_RECORDING = /^(journal\.ndjson.*|media(\/.*)?|finish(\/\w+\.json)?|\.)?$/;

export async function mixedAccount(
  source: MixedSource,
  job: MixedJob,
  { ended, ffmpeg, durationMs }: { ended: NodeEnded; ffmpeg: string; durationMs: number },
): Promise<MixedAccount> {
  const { recording: directory = '', jobId = '' } = job;
  const told = await longAccountOf({
    ...{ ffmpeg, directory, truth: source.truth, files: mediaFiles(ended.files) },
    ...(source.isFile !== true && { durationMs }),
  });
  const { ledger, namedMs, untruths } = told;
  return {
    name: source.name,
    exitCode: ended.exitCode,
    said: ended.said,
    attempts: ledger.attempts,
    stored: ledger.stored,
    mediaMs: ledger.durationMs,
    gaps: ledger.gaps().length,
    namedMs,
    orphans: programsOf(jobId).length,
    strays: globSync('**', { cwd: directory }).filter((file) => !OF_A_RECORDING.test(file)),
    untruths,
  };
}
