import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KennelError, systemCodeOf } from '../core/errors.ts';
import { readJournal } from '../ledger/journal.ts';
import { Ledger } from '../ledger/ledger.ts';

/** Below the data directory: one directory for each job, named by its id. */
const RECORDINGS = 'recordings';

export const recordingDirectory = (dataDir: string, jobId: string): string =>
  join(dataDir, RECORDINGS, jobId);

/** What a recording's journal adds up to. A recording without a journal is empty. */
export async function ledgerOf(directory: string): Promise<Ledger> {
  const ledger = new Ledger();
  for (const record of (await readJournal(directory)).records) ledger.apply(record);
  return ledger;
}

/**
 * The id of the one recording whose id begins or ends so. Needs no database: journals are the truth of media.
 *
 * @throws KennelError `job.notFound`, or `job.conflict` when several fit
 */
export async function findRecording(dataDir: string, part: string): Promise<string> {
  const ids = await recordingIds(dataDir);
  const found = ids.filter((id) => id.startsWith(part) || id.endsWith(part));
  const [only, ...others] = found;
  if (only === undefined || part === '')
    throw new KennelError(
      'job.notFound',
      `No recording in ${dataDir} has an id that begins or ends with ${JSON.stringify(part)}; "kennel jobs" lists them.`,
    );
  if (others.length > 0)
    throw new KennelError(
      'job.conflict',
      `${found.length} recordings fit ${part}: ${found.join(', ')}. Give more of the id.`,
    );
  return only;
}

async function recordingIds(dataDir: string): Promise<string[]> {
  try {
    return await readdir(join(dataDir, RECORDINGS));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
