import { ERROR_CODES, type Fault } from '../core/errors.ts';
import type { RetryDue } from './queueRecords.ts';

/** The longest time between two tries, milliseconds. */
const DELAY_LONGEST_MS = 3_600_000;
/** A failure that is older than that is not tried again, milliseconds: what was live then is over, and nobody waits for it. */
const TOO_LATE_MS = 24 * 3_600_000;

/**
 * Who has to be at fault for another try to help: not whoever asked, since the same would be asked again.
 */
const HELPS: Readonly<Record<Fault, boolean>> = {
  caller: false,
  source: true,
  destination: true,
  kennel: true,
};

/**
 * What another recording does not change: what the source is, and who owns the job; and what is recorded already, but could not be
 * finished, would only be recorded a second time.
 */
const HOPELESS: ReadonlySet<string> = new Set([
  'source.encrypted',
  'source.unsupported',
  'source.geo',
  'destination.conflict',
  'database.fenced',
  'bug',
  'mux.failed',
  'mux.unverified',
  'mux.spent',
  'upload.failed',
  'upload.spent',
]);

export type RetryAnswer =
  | { readonly isTried: true; readonly at: number }
  | { readonly isTried: false; readonly why: 'spent' | 'hopeless' | 'late' | 'over' };

/** Whether a job that has failed is tried again, and when, milliseconds since the epoch. */
export function nextTry(failed: RetryDue, now: number): RetryAnswer {
  const { tries, retry, endedAt, verdict = '', endAt } = failed;
  if (tries > retry.attempts) return { isTried: false, why: 'spent' };
  if (!mayHelp(verdict)) return { isTried: false, why: 'hopeless' };
  if (now - endedAt > TOO_LATE_MS) return { isTried: false, why: 'late' };
  const delayMs = Math.min(DELAY_LONGEST_MS, retry.delayMs * 2 ** (tries - 1));
  const at = Math.max(now, endedAt + delayMs);
  if (endAt !== undefined && endAt <= at) return { isTried: false, why: 'over' };
  return { isTried: true, at };
}

/** Verdicts that are no error codes are those of the supervision tree: something fell too often. */
const mayHelp = (verdict: string): boolean => {
  if (HOPELESS.has(verdict)) return false;
  const fault = Object.entries(ERROR_CODES).find(([code]) => code === verdict)?.[1];
  return fault === undefined || HELPS[fault];
};
