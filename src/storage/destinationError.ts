import { KennelError, type KennelErrorCode, messageOf, systemCodeOf } from '../core/errors.ts';

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

/** A failed file operation at the destination. `doing` completes the sentence "could not …". */
export function destinationError(error: unknown, doing: string, path: string): KennelError {
  const system = systemCodeOf(error);
  const [code, next] = codeOf(system);
  return new KennelError(code, `could not ${doing} ${path}: ${messageOf(error)}; ${next}`, {
    cause: error,
    retryable: code === 'disk.full' || (system !== undefined && PASSING.has(system)),
    details: { path, ...(system !== undefined && { system }) },
  });
}

function codeOf(system: string | undefined): [code: KennelErrorCode, next: string] {
  if (system !== undefined && FULL.has(system)) return ['disk.full', 'free some space'];
  return system === 'EEXIST'
    ? ['destination.conflict', 'choose another name or remove what is there']
    : ['destination.unwritable', 'check that the directory exists and may be written'];
}
