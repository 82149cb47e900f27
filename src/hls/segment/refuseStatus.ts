import { KennelError } from '../../core/errors.ts';

/**
 * Throws what a status that is not 2xx means: `source.notFound` (404, 410), `source.refused` (401, 403, 451) or
 * `source.unavailable` (any other), each with `details.status`.
 */
export function refuseStatus({ host }: URL, status: number): void {
  if (status >= 200 && status < 300) return;
  const missing = status === 404 || status === 410;
  const refused = status === 401 || status === 403 || status === 451;
  throw new KennelError(
    missing ? 'source.notFound' : refused ? 'source.refused' : 'source.unavailable',
    `${host} answered ${status}`,
    { retryable: true, details: { host, status } },
  );
}
