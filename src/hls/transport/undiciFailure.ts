import { errors } from 'undici';
import { isKennelError, KennelError, messageOf, systemCodeOf } from '../../core/errors.ts';
import type { AnswerBody } from './answerBody.ts';
import type { HopRequest } from './hop.ts';
import { HEAD_BYTES_MAX } from './limits.ts';
import { malformed, socketFailure, unavailable } from './transportError.ts';

/** Words of undici for a connection that closed; none of them is the system's. */
const CLOSED = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

/** Who was asked. */
export interface Party {
  /** For people. No user, no password. */
  readonly host: string;
  readonly proxied: boolean;
}

export const partyOf = ({ url, proxy }: HopRequest): Party =>
  proxy === undefined
    ? { host: url.host, proxied: false }
    : { host: `${url.host} through the proxy ${proxy.host}`, proxied: true };

/** An error of undici in Kennel's words, the same as the lean client has. */
export function undiciFailure(party: Party, error: unknown, body: AnswerBody): KennelError {
  if (isKennelError(error)) return error;
  const { host } = party;
  const code = systemCodeOf(error) ?? '';
  const truncated = body.begun ? { truncated: true } : {};
  if (code === 'UND_ERR_PRX_TLS' && error instanceof Error) {
    return socketFailure(host, error.cause, truncated);
  }
  if (party.proxied && /\(407\)/.test(messageOf(error))) return refusedByProxy(host);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new KennelError('timeout.exceeded', `${host}: no connection in time`, {
      retryable: true,
      details: { host, phase: 'connect' },
    });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return malformed(host, `a head of more than ${HEAD_BYTES_MAX} bytes`);
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return body.begun ? wrongLength(host) : malformed(host, 'conflicting framing');
  }
  if (error instanceof errors.HTTPParserError) return malformed(host, messageOf(error), truncated);
  if (CLOSED.has(code)) return unavailable(host, messageOf(error), truncated);
  return socketFailure(host, error, truncated);
}

export const wrongLength = (host: string): KennelError =>
  unavailable(host, 'the body is not as long as announced', { truncated: true });

/** Whether the connection closed before anything was answered: a kept one may have been closed by its server meanwhile. */
export function closedUnanswered(error: unknown, body: AnswerBody): boolean {
  const code = systemCodeOf(error) ?? '';
  return !body.begun && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code);
}

/** The password of a proxy is changed by a person; until then every request fails alike. */
export const refusedByProxy = (host: string): KennelError =>
  new KennelError('source.refused', `${host}: the proxy wants another user or password`, {
    retryable: true,
    details: { host, status: 407 },
  });
