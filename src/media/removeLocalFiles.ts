import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Job } from '../../machines/ports.ts';
import { diskError } from '../ledger/diskError.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { syncDirectory } from '../ledger/syncDirectory.ts';
import type { Receipt } from './receipt.ts';

export interface RemovalOptions {
  readonly job: Job;
  readonly ledger: Ledger;
  /** The recording's. */
  readonly directory: string;
  readonly finishDirectory: string;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly before: (step: string) => void;
}

/**
 * Removes what is safely elsewhere: the segments, unless they are to be kept or a finished file differs from what was
 * expected, and the copies of the finished files. The journal always stays. Rejects with `disk.failed`.
 */
export async function removeLocalFiles(options: RemovalOptions, receipt: Receipt): Promise<void> {
  const { directory, finishDirectory, ledger, job, before } = options;
  const { outcome, verified, local } = receipt;
  const keep = job.spec.keepSegments || !verified;
  if (keep) options.log('segments are kept', { jobId: job.id, verified, outcome });
  const segments = keep ? [] : [...ledger.segments(), ...ledger.inits].map(({ file }) => file);
  try {
    for (const path of [
      ...segments.map((file) => join(directory, file)),
      ...local.map((file) => join(finishDirectory, file)),
    ]) {
      before(`remove ${path}`);
      await rm(path, { force: true });
    }
    await removeEmptyDirectories(directory, segments);
  } catch (error) {
    throw diskError(error, 'clean up', directory);
  }
  await syncDirectory(directory);
}

async function removeEmptyDirectories(directory: string, files: readonly string[]): Promise<void> {
  const directories = new Set<string>();
  for (const file of files) {
    for (let parent = dirname(file); parent !== '.'; parent = dirname(parent))
      directories.add(parent);
  }
  // Longer paths first: a directory is empty only when those below it are gone.
  for (const name of [...directories].sort((one, other) => other.length - one.length)) {
    // Something else in it, or gone already: it is not ours to force.
    await rmdir(join(directory, name)).catch(() => undefined);
  }
}
