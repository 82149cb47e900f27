import type { Job } from '../../machines/ports.ts';
import type { JobState, Outcome } from '../../machines/vocabulary.ts';
import type { Labels, RetryTerms } from '../core/queueTerms.ts';
import type { decisions, jobs } from './schema.ts';

/** A job as it is stored. Times are milliseconds since the epoch. */
export interface JobRecord extends Job {
  /** Moves so far. */
  readonly version: number;
  /** The newest owner's fencing token. */
  readonly token: number;
  readonly sourceUrl: string;
  readonly output: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly outcome?: Outcome;
  /** Why of the last move, and the facts it was made on. */
  readonly cause?: string;
  readonly evidence?: Readonly<Record<string, unknown>>;

  readonly tenantId: string;
  readonly keyId?: string;
  readonly labels: Labels;
  /** Stands in the queue: neither admitted nor ended. */
  readonly waiting: boolean;
  readonly priority: number;
  readonly runAt: number;
  readonly expiresAt?: number;
  readonly mayWait: boolean;
  readonly sourceKey: string;
  readonly costKey: string;
  readonly retry?: RetryTerms;
  readonly retryOf?: string;
  readonly tries: number;
  readonly retrySettled: boolean;
  readonly scheduleId?: string;
  readonly endedAt?: number;
}

/** One line of a job's history. */
export interface TransitionRecord {
  readonly jobId: string;
  /** 1 for the first move, without holes. */
  readonly version: number;
  readonly from: JobState;
  readonly to: JobState;
  readonly cause: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly token: number;
  readonly attempt: number;
  readonly at: number;
}

export type DecisionRecord = Omit<typeof decisions.$inferSelect, 'key'>;

export function jobRecord(row: typeof jobs.$inferSelect): JobRecord {
  const { startedAt, ending, verdict, outcome, cause, evidence, ...known } = row;
  const { keyId, expiresAt, retry, retryOf, scheduleId, endedAt, ...rest } = known;
  return {
    ...rest,
    ...(startedAt !== null && { startedAt }),
    ...(ending !== null && { ending }),
    ...(verdict !== null && { verdict }),
    ...(outcome !== null && { outcome }),
    ...(cause !== null && { cause }),
    ...(evidence !== null && { evidence }),
    ...(keyId !== null && { keyId }),
    ...(expiresAt !== null && { expiresAt }),
    ...(retry !== null && { retry }),
    ...(retryOf !== null && { retryOf }),
    ...(scheduleId !== null && { scheduleId }),
    ...(endedAt !== null && { endedAt }),
  };
}

/** The part that a Big Dog works with. */
export function jobOf(record: JobRecord): Job {
  const { id, state, attempt, spec, startedAt, ending, verdict } = record;
  return {
    id,
    state,
    attempt,
    spec,
    ...(startedAt !== undefined && { startedAt }),
    ...(ending !== undefined && { ending }),
    ...(verdict !== undefined && { verdict }),
  };
}
