import { isKennelError, KennelError, messageOf } from '../core/errors.ts';

/**
 * SQLSTATE classes and codes that pass by themselves (PostgreSQL manual, appendix A): connection, resources, operator
 * intervention, system, transaction rollback, authorization (a password is being rotated), read-only (a failover is going
 * on), lock timeout, idle timeout. All others are answers to a wrong question.
 */
const PASSING_CLASSES = new Set(['08', '53', '57', '58', '40', '28']);
const PASSING_CODES = new Set(['25006', '55P03', '25P03']);

/** What sockets and postgres.js say when the server is not there. */
const CONNECTION_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The first code in the chain of causes: Drizzle wraps what the driver threw. */
function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

/** Whether the same statement can succeed later, without anybody changing it. */
export function isOutage(error: unknown): boolean {
  const thrown = unwrapped(error);
  if (isKennelError(thrown)) return thrown.retryable;
  const code = codeOf(thrown);
  if (code === undefined) return false;
  return (
    CONNECTION_CODES.has(code) || PASSING_CODES.has(code) || PASSING_CLASSES.has(code.slice(0, 2))
  );
}

/** The text of the innermost cause. */
export function causeOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return messageOf(at);
}

export const unavailable = (cause: unknown): KennelError =>
  new KennelError(
    'database.unavailable',
    `the database does not answer: ${causeOf(cause)}; check that it runs and DATABASE_URL is right`,
    { cause, retryable: true },
  );

/** What the driver threw. Drizzle's own error shows the statement with its parameters, and those may be secret. */
export const unwrapped = (error: unknown): unknown =>
  error instanceof Error && 'params' in error && error.cause !== undefined ? error.cause : error;

/** Asks once; an outage becomes `database.unavailable`, for callers who rather hear that than wait. */
export async function askOnce<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const thrown = unwrapped(error);
    throw isKennelError(thrown) || !isOutage(thrown) ? thrown : unavailable(thrown);
  }
}
