import { KennelError, messageOf, systemCodeOf } from '../core/errors.ts';

/** No space, no quota, or the file system's largest file. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Failures that pass by themselves on network and overlay file systems. */
const PASSING = new Set([
  'EIO',
  'EAGAIN',
  'EBUSY',
  'EINTR',
  'ESTALE',
  'ETIMEDOUT',
  'EMFILE',
  'ENFILE',
]);

/** A failed file operation as `disk.full` or `disk.failed`. `doing` completes the sentence "could not …". */
export function diskError(error: unknown, doing: string, path: string): KennelError {
  const system = systemCodeOf(error);
  const full = system !== undefined && FULL.has(system);
  const next = full ? 'free some space' : 'check the disk and the permissions';
  return new KennelError(
    full ? 'disk.full' : 'disk.failed',
    `could not ${doing} ${path}: ${messageOf(error)}; ${next}`,
    {
      cause: error,
      retryable: full || (system !== undefined && PASSING.has(system)),
      details: { path, ...(system === undefined ? {} : { system }) },
    },
  );
}
