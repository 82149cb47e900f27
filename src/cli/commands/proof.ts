import { loadConfig } from '../../config/load.ts';
import { exitCodeOfError } from '../../jobs/exitCode.ts';
import { findRecording, ledgerOf, recordingDirectory } from '../../jobs/recordings.ts';
import { type NamedLoss, type Proof, proofOf } from '../../ledger/proof.ts';
import { verifyFiles } from '../../ledger/verifyFiles.ts';
import { bytesText } from '../bytes.ts';
import type { CliContext } from '../context.ts';
import { clockText } from '../duration.ts';

export interface ProofOptions {
  readonly id: string;
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly verify?: boolean;
}

/** `kennel proof ID`: read from the journal alone, so it works while the recording goes on, and without a database. */
export async function proof(context: CliContext, options: ProofOptions): Promise<number> {
  const { terminal, env } = context;
  const { dataDir } = loadConfig(
    env,
    options.dataDir === undefined ? {} : { dataDir: options.dataDir },
  );
  const directory = recordingDirectory(dataDir, await findRecording(dataDir, options.id));
  const ledger = await ledgerOf(directory);
  const proven = proofOf(ledger);
  const found = options.verify ? await verifyFiles(directory, ledger) : [];
  const damaged = found.filter(({ kind }) => kind !== 'missing');
  // Segments go once their file is verified and stored: that they are missing is no damage, but worth a number.
  const verified = options.verify && { damaged, missing: found.length - damaged.length };
  if (options.json || !terminal.isOutLive)
    terminal.out(JSON.stringify({ ...proven, ...(verified && { verified }) }, undefined, 2));
  else for (const line of linesOf(proven)) terminal.out(line);
  if (damaged.length > 0)
    terminal.err(`${damaged.length} segment files are not what the journal says.`);
  return damaged.length > 0 ? exitCodeOfError('disk.failed') : 0;
}

function linesOf(proven: Proof): string[] {
  const lost = proven.advertised - proven.stored;
  return [
    `job         ${proven.jobId}`,
    `advertised  ${proven.advertised} = stored ${proven.stored} + lost ${lost}; duplicates ${proven.duplicates}`,
    `media       ${clockText(proven.durationMs)}, ${bytesText(proven.bytes)}, in ${proven.attempts} attempts`,
    `rests on    ${basisText(proven)}`,
    `ended       ${proven.ended ? proven.ended.why : 'not yet'}`,
    `checksum    ${proven.checksum}`,
    ...proven.unheard.map(
      (track) => `unheard     ${track}: its playlist could not be read for a time, or ever`,
    ),
    ...proven.lost.map(gapLine),
  ];
}

function basisText({ basis, recorders }: Proof): string {
  const who = recorders.join(', ');
  if (recorders.length === 0) return 'nothing yet';
  return basis === 'playlist'
    ? `what the playlists offered (recorded by ${who})`
    : `the timestamps of what programs put out (recorded by ${who}): a program tells nobody what it was offered`;
}

const gapLine = ({ track, epoch, msn, count, cause, detail, durationMs }: NamedLoss): string =>
  `gap         ${track}, epoch ${epoch}, segment ${msn}${count > 1 ? ` to ${msn + count - 1}` : ''}, ` +
  `${clockText(durationMs)}: ${cause} (${detail})`;
