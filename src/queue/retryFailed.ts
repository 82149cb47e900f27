import type { Decision } from '../../machines/vocabulary.ts';
import { isKennelError } from '../core/errors.ts';
import type { QueueRecords, RetryDue } from './queueRecords.ts';
import { nextTry } from './retry.ts';

/** Windows begin at whole seconds; another try never does, since a job of a schedule is known by when it may begin. */
const BESIDE_WINDOWS_MS = 1;

export interface RetryParts {
  readonly records: QueueRecords;
  record(decision: Decision): void;
  newId(): string;
}

/** Puts another try of each job that failed into the queue, with the time before which it may not begin; or settles that there is none. */
export async function retryFailed(parts: RetryParts, now: number): Promise<void> {
  for (const failed of await parts.records.retriesDue()) await retry(parts, failed, now);
}

async function retry(parts: RetryParts, failed: RetryDue, now: number): Promise<void> {
  const { records } = parts;
  const answer = nextTry(failed, now);
  if (!answer.isTried) {
    await records.settleRetry(failed.id);
    decide(parts, failed, { why: answer.why });
    return;
  }
  const original = await records.queued(failed.id);
  const { expiresAt: _, ...terms } = original.terms;
  const startAt = answer.at % 1_000 === 0 ? answer.at + BESIDE_WINDOWS_MS : answer.at;
  const id = parts.newId();
  const tries = failed.tries + 1;
  try {
    await records.enqueue({
      ...original,
      id,
      tries,
      retryOf: failed.id,
      terms: { ...terms, startAt },
    });
    decide(parts, failed, { why: 'again', jobId: id, tries, startAt });
  } catch (error) {
    const code = isKennelError(error) ? error.code : undefined;
    // A full queue is asked again with the next round.
    if (code === 'tenant.full') return;
    if (!isKennelError(error) || code !== 'job.duplicate') throw error;
    await records.settleRetry(failed.id);
    decide(parts, failed, { why: 'duplicate', ...error.details });
  }
}

function decide(
  { record }: RetryParts,
  { id, tries, retry, verdict }: RetryDue,
  { why, ...more }: Readonly<Record<string, unknown>> & { readonly why: string },
): void {
  const decision = why === 'again' ? 'job.retry' : 'job.leave';
  const evidence = { ...more, attempts: retry.attempts, made: tries, verdict };
  record({ jobId: id, dog: 'queue', decision, why, evidence });
}
