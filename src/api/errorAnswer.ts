import { HTTPException } from 'hono/http-exception';
import { isKennelError, KennelError, type KennelErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { ApiContext } from './apiEnv.ts';
import type { ApiError } from './schemas/error.ts';
import { type ErrorStatus, statusOfError } from './statusOfError.ts';

/** Of failures that are Kennel's own, these are explained to the caller; all others may tell of what is none of theirs. */
const EXPLAINED: ReadonlySet<KennelErrorCode> = new Set([
  'capacity.exceeded',
  'service.unavailable',
  'tool.missing',
]);

/** What is said instead. */
const UNEXPLAINED = {
  500: 'something went wrong inside Kennel; its log has more under this request id',
  503: 'the database does not answer; try again later',
  507: 'the disk of the service is full',
} as const;

/** When nobody knows better: by then a database has failed over, or a burst is over. Seconds. */
const RETRY_AFTER_SECONDS_DEFAULT = 5;

/** The answer to a failure, in the shape that the caller asks for. */
export function errorAnswer(c: ApiContext, error: KennelError): Response {
  const status: ErrorStatus = statusOfError(error.code);
  const { message, details } = told(error, status);
  const { code } = error;
  const requestId = c.get('requestId');
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="kennel"');
  if (status === 429 || status === 503) c.header('Retry-After', retryAfterSeconds(details));
  if (wantsProblem(c)) {
    const problem = {
      type: `urn:kennel:error:${code}`,
      title: code,
      status,
      detail: message,
      instance: `urn:kennel:request:${requestId}`,
      code,
      details,
      request_id: requestId,
    };
    return c.body(JSON.stringify(problem), status, { 'Content-Type': 'application/problem+json' });
  }
  return c.json({ error: { code, message, details, request_id: requestId } }, status);
}

function told(error: KennelError, status: number): Pick<KennelError, 'message' | 'details'> {
  if (status < 500 || EXPLAINED.has(error.code)) return error;
  const message = status === 503 || status === 507 ? UNEXPLAINED[status] : UNEXPLAINED[500];
  return { message, details: {} };
}

const retryAfterSeconds = ({ retryAfterMs }: KennelError['details']): string =>
  typeof retryAfterMs === 'number' && retryAfterMs > 0
    ? String(Math.ceil(retryAfterMs / 1_000))
    : String(RETRY_AFTER_SECONDS_DEFAULT);

const wantsProblem = (c: ApiContext): boolean =>
  /\bapplication\/problem\+json\b/i.test(c.req.header('accept') ?? '');

/** Whatever a handler threw: Kennel's own failures as they are, what the framework refused as such, and all else is a bug. */
export function errorOf(thrown: unknown): KennelError {
  if (isKennelError(thrown)) return thrown;
  if (!(thrown instanceof HTTPException) || thrown.status >= 500)
    return new KennelError('bug', 'not expected', { cause: thrown });
  if (thrown.status === 413)
    return new KennelError('request.tooLarge', 'the body is too large', { cause: thrown });
  const message =
    thrown.status === 415
      ? 'the body must be sent as application/json'
      : 'the body cannot be read as JSON';
  return new KennelError('request.invalid', message, { cause: thrown });
}

/** A failure as it is told on a channel that stays open, in the same shape. */
export function failureShown(
  thrown: unknown,
  { log, requestId }: { readonly log: Log; readonly requestId: string },
): ApiError['error'] {
  const error = errorOf(thrown);
  const status = statusOfError(error.code);
  if (status >= 500) logFailure(error, { log, requestId });
  const { message, details } = told(error, status);
  return { code: error.code, message, details, request_id: requestId };
}

function logFailure(
  { code, message, cause, stack: own }: KennelError,
  { log, requestId }: { readonly log: Log; readonly requestId: string },
): void {
  const stack = cause instanceof Error ? cause.stack : own;
  log('error', 'A request failed', { requestId, code, message, stack });
}

/** The one place where failures become answers. What is Kennel's own fault is logged whole, under the request's id. */
export const answerFailures =
  (log: Log) =>
  (thrown: unknown, c: ApiContext): Response => {
    const error = errorOf(thrown);
    const requestId = c.get('requestId');
    if (statusOfError(error.code) >= 500) logFailure(error, { log, requestId });
    return errorAnswer(c, error);
  };
