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

/**
 * An answer that breaks the rules of HTTP by Kennel's reading. `details.malformed` says that another client might read it;
 * whether that helps is for whoever chooses the client.
 */
export const malformed = (
  host: string,
  reason: string,
  details: Readonly<Record<string, unknown>> = {},
): KennelError => unavailable(host, reason, { malformed: true, ...details });

/** What is wrong with a certificate, in words, by OpenSSL's and Node's codes. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or this machine's clock is wrong",
  CERT_REVOKED: 'its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is vouched for by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT:
    'its certificate is vouched for by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is vouched for by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate cannot be verified: the server leaves out the certificates between',
};

/** What names answer when they cannot be resolved, in words. */
const NAME_FAULTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name has no address',
  EAI_AGAIN: 'its name could not be resolved; the name server does not answer',
};

/**
 * A socket's error in Kennel's words; a KennelError stays what it is. Certificates are renewed and names come back, so all of
 * it is worth another try; `details.certificate` tells those that a person may have to mend.
 */
export function socketFailure(
  host: string,
  error: unknown,
  details: Readonly<Record<string, unknown>> = {},
): KennelError {
  if (isKennelError(error)) return error;
  const system = systemCodeOf(error);
  const word = system ?? '';
  const certificate = Object.hasOwn(CERTIFICATE_FAULTS, word)
    ? CERTIFICATE_FAULTS[word]
    : undefined;
  const name = Object.hasOwn(NAME_FAULTS, word) ? NAME_FAULTS[word] : undefined;
  const reason = certificate ?? name ?? (messageOf(error) || system || 'the connection failed');
  return new KennelError('source.unavailable', `${host}: ${reason}`, {
    cause: error,
    retryable: true,
    details: {
      host,
      reason,
      ...(system === undefined ? {} : { system }),
      ...(certificate === undefined ? {} : { certificate: true }),
      ...details,
    },
  });
}
