import type { JobSpec, JobState, Outcome } from '../../machines/vocabulary.ts';
import type { Principal } from '../core/access.ts';
import type { Labels, QueueTerms } from '../core/queueTerms.ts';
import type { Proof } from '../ledger/proof.ts';
import type { SegmentLost, SegmentStored } from '../ledger/record.ts';
import type { JobCallback } from '../queue/queueRecords.ts';
import type { EndWish } from './changedEnd.ts';
import type { JobRequest } from './jobRequest.ts';

/** A job, as it is shown to whoever may see it. Times are milliseconds since the epoch; secrets are left out of the spec. */
export interface JobView {
  readonly id: string;
  readonly tenantId: string;
  readonly state: JobState;
  /** Grows with every move; what ETags are made of. */
  readonly version: number;
  readonly attempt: number;
  readonly spec: JobSpec;
  readonly labels: Labels;
  readonly priority: number;
  readonly waiting: boolean;
  readonly runAt: number;
  readonly expiresAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt?: number;
  readonly outcome?: Outcome;
  readonly verdict?: string;
  readonly ending?: string;
  /** Why of the last move, and the facts it was made on. */
  readonly cause?: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly retryOf?: string;
  readonly tries: number;
  readonly scheduleId?: string;
  /** What is recorded so far, as the index has it; absent before anything is. */
  readonly recorded?: {
    readonly segments: number;
    readonly lost: number;
    readonly bytes: number;
    readonly durationMs: number;
  };
}

export interface JobQuery {
  readonly states?: readonly JobState[];
  /** Jobs that have all of these. */
  readonly labels?: Labels;
  /** Part of the link. */
  readonly text?: string;
  /** Jobs that were created in this span, milliseconds since the epoch. */
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  /** Admins may look at one tenant's jobs, or at everybody's (absent); others see their own. */
  readonly tenantId?: string;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after?: { readonly createdAt: number; readonly id: string };
}

export interface JobPage {
  readonly jobs: readonly JobView[];
  /** Of the whole query. */
  readonly totalCount: number;
  readonly next?: { readonly createdAt: number; readonly id: string };
}

/** A move or a decision, with its evidence: why did it do that. */
export interface HistoryEntry {
  readonly at: number;
  readonly kind: 'move' | 'decision';
  /** Who decided: `bigDog`, `heartbeatDoggy`, `queue`, … */
  readonly by: string;
  /** `recording → retrying`, or what was done: `recorder.kill`. */
  readonly what: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface Submission {
  readonly request: JobRequest;
  readonly terms: QueueTerms;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /** Who is told of the job: `Webhooks.prepare`. */
  readonly callback?: JobCallback;
}

/**
 * What can be asked of a service, whoever asks: API, control channels, command line. Every call is made by somebody: what
 * they may not see is `job.notFound`, what they may not do `access.forbidden`.
 */
export interface Operations {
  /**
   * @throws KennelError what `jobSpec` throws; `idempotency.conflict`, `idempotency.busy`, `job.duplicate`, `tenant.full`;
   *   `capacity.exceeded` when the job does not fit and may not wait (it stands as `rejected` then: `details.job`, `details.overload`)
   */
  submit(
    who: Principal,
    submission: Submission,
  ): Promise<{ readonly job: JobView; readonly isReplayed: boolean }>;
  list(who: Principal, query: JobQuery): Promise<JobPage>;
  get(who: Principal, jobId: string): Promise<JobView>;
  /** Finishes well. `job.conflict` when it has ended. With `version`: `precondition.failed` when it has moved since. */
  stop(who: Principal, jobId: string, version?: number): Promise<JobView>;
  /** Now. What is on disk stays. As soon as this is heard by the tree, it resolves. */
  kill(who: Principal, jobId: string, version?: number): Promise<JobView>;
  /** Another try of a job that has ended, as a new job. */
  retry(who: Principal, jobId: string): Promise<JobView>;
  /** Another end for an unfinished job. */
  extend(
    who: Principal,
    jobId: string,
    wish: { readonly by: EndWish; readonly version?: number },
  ): Promise<JobView>;
  segments(
    who: Principal,
    jobId: string,
    page: { readonly after?: SegmentPlace; readonly limit: number },
  ): Promise<readonly Omit<SegmentStored, 't' | 'init' | 'file'>[]>;
  gaps(who: Principal, jobId: string): Promise<readonly SegmentLost[]>;
  history(who: Principal, jobId: string): Promise<readonly HistoryEntry[]>;
  proof(who: Principal, jobId: string): Promise<Proof>;
  /** The last lines of the job's log, oldest first: pino's JSON. */
  logs(
    who: Principal,
    jobId: string,
    lines: number,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The newest picture, or the one nearest to a wall-clock time: a JPEG. `job.notFound` when there is nothing to show yet. */
  thumbnail(who: Principal, jobId: string, at?: number): Promise<Uint8Array>;
  watchdogs(who: Principal): Promise<readonly WatchdogReport[]>;
}

export interface SegmentPlace {
  readonly track: string;
  readonly epoch: number;
  readonly msn: number;
}

/** One Big Dog, and what watches its recorder. Times are milliseconds. */
export interface WatchdogReport {
  readonly jobId: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly layers: readonly LayerReport[];
}

export interface LayerReport {
  /** The restart layers (`recorder`, `bigDog`, `bigDogDog`) and the doggies. */
  readonly layer:
    | 'recorder'
    | 'durationDoggy'
    | 'tempFileDoggy'
    | 'heartbeatDoggy'
    | 'bigDog'
    | 'bigDogDog';
  readonly isRunning: boolean;
  /** When it last saw something move, milliseconds since the epoch. */
  readonly lastProgressAt?: number;
  /** Looks without progress since then. */
  readonly misses: number;
  /** Times that this layer barked or restarted what is below it. */
  readonly recoveries: number;
  /** Of the last recovery, and of the slowest: from the fall to media again, milliseconds. */
  readonly lastRecoveryMs?: number;
  readonly worstRecoveryMs?: number;
}
