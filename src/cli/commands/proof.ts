import { loadConfig } from '../../config/load.ts';
import { KennelError } from '../../core/errors.ts';
import { exitCodeOfError } from '../../jobs/exitCode.ts';
import { findRecording, ledgerOf, recordingDirectory } from '../../jobs/recordings.ts';
import { type Proof, proofOf } from '../../ledger/proof.ts';
import { verifyFiles } from '../../ledger/verifyFiles.ts';
import type { CliContext } from '../context.ts';
import { proofLines } from '../lines/proofLines.ts';
import { findJob } from '../remote/findJob.ts';
import { namedServer, type ServerOptions } from '../remote/server.ts';

export interface ProofOptions extends ServerOptions {
  readonly id: string;
  readonly json?: boolean;
  readonly verify?: boolean;
}

/**
 * `kennel proof ID`: read from the journal alone, so it works while the recording goes on, without a database, and beside a service
 * that runs here. One that is named is asked.
 */
export async function proof(context: CliContext, options: ProofOptions): Promise<number> {
  const { terminal } = context;
  const server = namedServer(context, options);
  if (server && options.verify)
    throw new KennelError(
      'usage.invalid',
      '--verify reads files: run it where the recording is, without --server and KENNEL_SERVER.',
    );
  const { proven, verified } = server
    ? { proven: await provenBy(server, options.id), verified: undefined }
    : await provenHere(context, options);
  const damaged = verified?.damaged.length ?? 0;
  if (options.json || !terminal.isOutLive)
    terminal.out(JSON.stringify({ ...proven, ...(verified && { verified }) }, undefined, 2));
  else for (const line of proofLines(proven)) terminal.out(line);
  if (damaged > 0) terminal.err(`${damaged} segment files are not what the journal says.`);
  return damaged > 0 ? exitCodeOfError('disk.failed') : 0;
}

async function provenHere({ env }: CliContext, { id, dataDir: given, verify }: ProofOptions) {
  const { dataDir } = loadConfig(env, given === undefined ? {} : { dataDir: given });
  const directory = recordingDirectory(dataDir, await findRecording(dataDir, id));
  const ledger = await ledgerOf(directory);
  const found = verify ? await verifyFiles(directory, ledger) : [];
  const damaged = found.filter(({ kind }) => kind !== 'missing');
  // Segments go once their file is verified and stored: that they are missing is no damage, but worth a number.
  const verified = verify ? { damaged, missing: found.length - damaged.length } : undefined;
  return { proven: proofOf(ledger), verified };
}

async function provenBy(server: NonNullable<ReturnType<typeof namedServer>>, id: string) {
  const jobId = await findJob(server, id);
  const answer = await server.api.jobs[':jobId'].proof.$get({ param: { jobId } });
  // The API shows a proof whole, and promises its first numbers alone.
  return (await answer.json()) as unknown as Proof;
}
