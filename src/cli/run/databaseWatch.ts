import { isKennelError } from '../../core/errors.ts';
import type { JobRecords } from '../../jobs/jobRecords.ts';

/**
 * How long somebody who asked the process to end waits for an absent database, milliseconds: a restarted Postgres is back
 * in a few seconds, and Kubernetes kills 30 s after its SIGTERM.
 */
const AWAY_MS_MAX = 15_000;
const ASK_EVERY_MS = 1_000;
/** One question without an answer counts as away after this long, milliseconds. */
const ANSWER_WITHIN_MS = 5_000;

/**
 * Resolves once the database has not answered for AWAY_MS_MAX. The end of a job must be committed, and commits outlast
 * every outage: without this, whoever asked the process to end would wait as long as the outage lasts.
 *
 * @param signal ends the watch
 */
export function databaseGone(records: Pick<JobRecords, 'list'>, signal: AbortSignal) {
  return new Promise<void>((resolve) => {
    let answeredAt = performance.now();
    const look = async () => {
      if (signal.aborted) return;
      if (await answers(records)) answeredAt = performance.now();
      if (performance.now() - answeredAt >= AWAY_MS_MAX) resolve();
      else setTimeout(() => void look(), ASK_EVERY_MS).unref();
    };
    void look();
  });
}

async function answers(records: Pick<JobRecords, 'list'>): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
  const answered = records.list({ limit: 1 }).then(
    () => true,
    // Any other complaint is an answer too.
    (error: unknown) => !(isKennelError(error) && error.code === 'database.unavailable'),
  );
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
