import { isDiskFull, isPassingDiskError } from '../core/diskCodes.ts';
import { KennelError, type KennelErrorCode, messageOf, systemCodeOf } from '../core/errors.ts';

/** A failed file operation at the destination. `doing` completes the sentence "could not …". */
export function destinationError(error: unknown, doing: string, path: string): KennelError {
  const system = systemCodeOf(error);
  const [code, next] = codeOf(system);
  return new KennelError(code, `could not ${doing} ${path}: ${messageOf(error)}; ${next}`, {
    cause: error,
    retryable: isPassingDiskError(system),
    details: { path, ...(system !== undefined && { system }) },
  });
}

function codeOf(system: string | undefined): [code: KennelErrorCode, next: string] {
  if (isDiskFull(system)) return ['disk.full', 'free some space'];
  return system === 'EEXIST'
    ? ['destination.conflict', 'choose another name or remove what is there']
    : ['destination.unwritable', 'check that the directory exists and may be written'];
}
