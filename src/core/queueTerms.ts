/** What the operator wants to find a job by again. */
export type Labels = Readonly<Record<string, string>>;

/** How often, and how soon, a job that failed is tried again as a new job. */
export interface RetryTerms {
  /** Tries after the first one. */
  readonly attempts: number;
  /** From the end of one to the beginning of the next, milliseconds; doubled each time up to an hour. */
  readonly delayMs: number;
}

/**
 * What a point of priority is worth, milliseconds of age. So a job of priority 10 goes before what may begin up to ten minutes
 * earlier, and even the lowest priority is overtaken by the highest only by what comes within 200 minutes after it: whatever is
 * submitted meanwhile, no job of a tenant waits for ever behind others of that tenant.
 */
export const PRIORITY_POINT_MS = 60_000;

/** What the queue has to know of a job; what its recorder has to know is its spec. */
export interface QueueTerms {
  /** Higher goes first among the jobs of a tenant, -100 to 100. Default: 0. */
  readonly priority?: number;
  /** When it may begin, milliseconds since the epoch. Default: now. */
  readonly startAt?: number;
  /** When waiting is over, milliseconds since the epoch. Default: never. */
  readonly expiresAt?: number;
  /** Whether it may wait for room on the node. Default: true. */
  readonly mayWait?: boolean;
  readonly retry?: RetryTerms;
  readonly labels?: Labels;
  /** Record it although another unfinished job of the tenant records the same. Default: false. */
  readonly isDuplicateWanted?: boolean;
}
