import { isDiskFull, isPassingDiskError } from '../core/diskCodes.ts';
import { KennelError, messageOf, systemCodeOf } from '../core/errors.ts';

/** A failed file operation as `disk.full` or `disk.failed`. `doing` completes the sentence "could not …". */
export function diskError(error: unknown, doing: string, path: string): KennelError {
  const system = systemCodeOf(error);
  const full = isDiskFull(system);
  const next = full ? 'free some space' : 'check the disk and the permissions';
  return new KennelError(
    full ? 'disk.full' : 'disk.failed',
    `could not ${doing} ${path}: ${messageOf(error)}; ${next}`,
    {
      cause: error,
      retryable: isPassingDiskError(system),
      details: { path, ...(system === undefined ? {} : { system }) },
    },
  );
}
