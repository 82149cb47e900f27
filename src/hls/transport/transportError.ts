import { isKennelError, KennelError, messageOf, systemCodeOf } from '../../core/errors.ts';

/** An answer that could not be used, or none at all. `host` only: paths and queries may hold tokens. */
export const unavailable = (
  host: string,
  reason: string,
  details: Readonly<Record<string, unknown>> = {},
): KennelError =>
  new KennelError('source.unavailable', `${host}: ${reason}`, {
    retryable: true,
    details: { host, reason, ...details },
  });

/** A socket's error in Kennel's words; a KennelError stays what it is. */
export function socketFailure(
  host: string,
  error: unknown,
  details: Readonly<Record<string, unknown>> = {},
): KennelError {
  if (isKennelError(error)) return error;
  const system = systemCodeOf(error);
  const reason = messageOf(error) || system || 'the connection failed';
  return new KennelError('source.unavailable', `${host}: ${reason}`, {
    cause: error,
    retryable: true,
    details: { host, reason, ...(system === undefined ? {} : { system }), ...details },
  });
}
