import type { JobSpec } from '../../machines/vocabulary.ts';
import type { QueueTerms, RetryTerms } from '../core/queueTerms.ts';

/** A job as the queue takes it in. Times are milliseconds since the epoch. */
export interface QueuedJob {
  readonly id: string;
  readonly spec: JobSpec;
  readonly tenantId: string;
  readonly keyId?: string;
  /** What it records, as far as two jobs can be seen to record the same (`sourceKey.ts`). */
  readonly sourceKey: string;
  /** What its cost is learnt and looked up by (`capacity/costKey.ts`). */
  readonly costKey: string;
  readonly terms: QueueTerms;
  /** The job that this one tries again, and the how manieth try it is. */
  readonly retryOf?: string;
  readonly tries?: number;
  readonly scheduleId?: string;
  /** Who is told of this job, from its beginning: a receiver of webhooks that is made with it, or not at all. */
  readonly callback?: JobCallback;
}

export interface JobCallback {
  readonly id: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
}

/** What is answered to a request that carried an Idempotency-Key; stored with the job, in its transaction. */
export interface IdempotentAnswer {
  readonly key: string;
  /** SHA-256 of what was asked for, hex. */
  readonly fingerprint: string;
  readonly expiresAt: number;
}

/** A job that stands in the queue. */
export interface WaitingJob {
  readonly id: string;
  readonly tenantId: string;
  readonly costKey: string;
  readonly priority: number;
  readonly runAt: number;
  readonly createdAt: number;
  readonly mayWait: boolean;
  readonly expiresAt?: number;
  /** How long it is to record, and until when at the latest, as far as that is asked for. */
  readonly durationMs?: number;
  readonly endAt?: number;
}

/** How a tenant stands. */
export interface TenantStanding {
  readonly tenantId: string;
  readonly weight: number;
  readonly runningMax?: number;
  readonly waitingMax?: number;
  /** Jobs that are admitted and have not ended. */
  readonly running: number;
  readonly waiting: number;
}

/** A job that has failed and has terms of retry that nobody has settled yet. */
export interface RetryDue {
  readonly id: string;
  readonly tenantId: string;
  readonly tries: number;
  readonly retry: RetryTerms;
  readonly endedAt: number;
  /** Why it failed: an error code, or a verdict of the supervision tree. */
  readonly verdict?: string;
  /** When it was to end at the latest. */
  readonly endAt?: number;
}

/** What the queue asks of the database. Every call asks once and throws `database.unavailable` when there is no answer. */
export interface QueueRecords {
  /**
   * Adds a job to the queue. With an answer to store, the same key and fingerprint again gives the job of the first time and
   * `isReplayed`. The same try of a job (`retryOf`) and the same window of a schedule (`scheduleId`, `terms.startAt`) are one job
   * too, however often they are added.
   *
   * @throws KennelError `idempotency.conflict` (same key, something else asked for), `idempotency.busy` (the first one is still
   *   being taken in), `job.duplicate` (another job of the tenant records the same or is about to: `details.jobId`),
   *   `tenant.full`, `tenant.notFound`
   */
  enqueue(
    job: QueuedJob,
    answer?: IdempotentAnswer,
  ): Promise<{ readonly id: string; readonly isReplayed: boolean }>;
  /** A job as the queue took it in: what another try of it is made from. Throws `job.notFound`. */
  queued(id: string): Promise<QueuedJob>;
  /**
   * The first `limit` jobs of each tenant that may begin now, in the order of their queue (`queueOrder.ts`), and all of those
   * that may not wait.
   */
  due(now: number, limit: number): Promise<readonly WaitingJob[]>;
  /** The tenants that have jobs which have not ended. */
  standings(): Promise<readonly TenantStanding[]>;
  /** Takes a job out of the queue; false when somebody else did. Its Big Dog begins it, or says that it will not. */
  takeOut(id: string): Promise<boolean>;
  /** Puts back what was taken out and could not be begun. */
  putBack(id: string): Promise<void>;
  /** Jobs in the queue whose time to wait is over. */
  overdue(now: number): Promise<readonly WaitingJob[]>;
  /** When the next job may begin or expires, after `now`; undefined when nothing waits for a time. */
  nextMoment(now: number): Promise<number | undefined>;
  retriesDue(): Promise<readonly RetryDue[]>;
  /** Nobody will try this job again by itself. */
  settleRetry(id: string): Promise<void>;
}

export type { QueueTerms, RetryTerms };
