import type { JobSpec } from '../../machines/vocabulary.ts';
import type { QueueTerms } from '../core/queueTerms.ts';

/** A job as it comes into the queue. Times are milliseconds since the epoch. */
export interface QueueEntry {
  readonly id: string;
  readonly spec: JobSpec;
  readonly tenantId: string;
  readonly keyId?: string;
  readonly sourceKey: string;
  readonly costKey: string;
  readonly terms: QueueTerms;
  readonly retryOf?: string;
  readonly tries?: number;
  readonly scheduleId?: string;
  /** Who is told of this job: a receiver of webhooks that comes with it. */
  readonly callback?: { readonly id: string; readonly url: string; readonly secret: string };
}

/** A request that carried an Idempotency-Key. */
export interface KeyedRequest {
  readonly key: string;
  /** SHA-256 of what was asked for, hex. */
  readonly fingerprint: string;
  readonly expiresAt: number;
}
