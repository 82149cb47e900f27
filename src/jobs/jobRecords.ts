import type { Move, Store } from '../../machines/ports.ts';
import type { Decision, JobSpec, JobState, Outcome } from '../../machines/vocabulary.ts';

/** A job as the database has it. Times are milliseconds since the epoch. */
export interface JobRecord {
  readonly id: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly spec: JobSpec;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt?: number | undefined;
  readonly ending?: string | undefined;
  readonly verdict?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly cause?: string | undefined;
  /** Stands in the queue of a service: neither admitted nor ended. */
  readonly waiting?: boolean;
}

/** What the use cases ask of the database. */
export interface JobRecords extends Store {
  create(job: { readonly id: string; readonly spec: JobSpec }): Promise<unknown>;
  /** Replaces what an unfinished job asks for: its next recorder does so. Nothing happens to one that has ended. */
  respec(jobId: string, spec: JobSpec): Promise<void>;
  get(jobId: string): Promise<JobRecord | undefined>;
  /** The one job whose id begins or ends so. Rejects with `job.notFound` or `job.conflict`. */
  findByPrefix(part: string): Promise<JobRecord>;
  /** Newest first. */
  list(options: {
    readonly limit: number;
    readonly state?: JobState;
  }): Promise<readonly JobRecord[]>;
  /** All that have not ended, oldest first. */
  findUnfinished(): Promise<readonly JobRecord[]>;
  transitions(jobId: string): Promise<readonly (Move & { readonly at: number })[]>;
  decisions(jobId: string): Promise<readonly (Decision & { readonly at: number })[]>;
  /** Resolves when everything that is written behind is on disk. */
  flush(): Promise<void>;
}
