import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ledgerOf, recordingDirectory } from '../../../src/jobs/recordings.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { Origin } from '../origin/origin.ts';
import { reconcile } from '../origin/reconcile.ts';
import type { Accepted } from './submitters.ts';

export interface RecordingParts {
  /** The service's own, and where its files go. */
  readonly dataDir: string;
  readonly outputDir: string;
  readonly origin: Origin;
  readonly accepted: readonly Accepted[];
  /** What the service told of each job at the end, by job. */
  readonly proofs: ReadonlyMap<string, unknown>;
  readonly isDone: (jobId: string) => boolean;
  readonly fault: (text: string) => void;
}

export interface MediaAccount {
  readonly advertised: number;
  readonly stored: number;
  /** Named as lost, with cause and detail. */
  readonly lost: readonly string[];
}

/** Holds every recording against what the origin really offered, and against the proof that the service gave. */
export async function judgeRecordings(parts: RecordingParts): Promise<MediaAccount> {
  const { dataDir, accepted, fault } = parts;
  const account = { advertised: 0, stored: 0, lost: [] as string[] };
  for (const one of accepted) {
    const own = await judgeOne(one, parts);
    account.advertised += own.advertised;
    account.stored += own.stored;
    account.lost.push(...own.lost);
  }
  const known = new Set(accepted.map(({ jobId }) => jobId));
  for (const path of globSync(join(dataDir, 'recordings', '*')))
    if (!known.has(basename(path))) fault(`nobody asked for the recording ${basename(path)}`);
  return account;
}

async function judgeOne(one: Accepted, parts: RecordingParts): Promise<MediaAccount> {
  const { dataDir, outputDir, origin, proofs, isDone, fault } = parts;
  const { jobId, stream } = one;
  const ledger = await ledgerOf(recordingDirectory(dataDir, jobId));
  const stored = ledger.segments();
  const gaps = ledger.gaps();
  const account = reconcile(origin.stream(stream), { stored, lost: gaps });
  const { unaccounted, inferred, twice, wrong, invented } = account;
  for (const [what, indexes] of Object.entries({ unaccounted, inferred, twice, wrong, invented }))
    if (indexes.length > 0) fault(`${stream} ${jobId}: ${what} ${JSON.stringify(indexes)}`);
  if (ledger.duplicates > 0) fault(`${stream} ${jobId}: stored twice: ${ledger.duplicates}`);
  const lost = gaps.map(
    ({ msn, count, cause, detail }) => `${stream} ${msn}+${count} ${cause}: ${detail}`,
  );
  const proof = proofs.get(jobId);
  const own = JSON.parse(JSON.stringify(proofOf(ledger)));
  if (isDone(jobId) && !sameAccount(proof, own))
    fault(`${stream} ${jobId}: proves ${JSON.stringify(proof)}, has ${JSON.stringify(own)}`);
  const files = globSync(join(outputDir, '**', `${stream}*.mp4`));
  if (isDone(jobId) && files.length !== 1)
    fault(`${stream} ${jobId}: its files are ${files.join(', ')}`);
  return { advertised: ledger.advertised, stored: ledger.stored, lost };
}

/** Members that tell of the media; what a finished file adds to a proof is no business of this. */
function sameAccount(proof: unknown, own: Readonly<Record<string, unknown>>): boolean {
  if (typeof proof !== 'object' || proof === null) return false;
  const told = new Map(Object.entries(proof));
  const members = ['advertised', 'stored', 'lost', 'duplicates', 'bytes', 'checksum'];
  return members.every((name) => JSON.stringify(told.get(name)) === JSON.stringify(own[name]));
}
