import { PRIORITY_POINT_MS } from '../core/queueTerms.ts';

interface Queued {
  readonly id: string;
  readonly priority: number;
  /** From when on it grows older. */
  readonly runAt: number;
}

/** Where a job stands among those of its tenant: as if it had come in so much earlier. It never changes while the job waits. */
const standsAt = ({ runAt, priority }: Queued): number => runAt - priority * PRIORITY_POINT_MS;

/** The order of one tenant's queue: priority, then age, and age makes up for priority. The database says the same in SQL. */
export const byQueueOrder = (one: Queued, other: Queued): number =>
  standsAt(one) - standsAt(other) || (one.id < other.id ? -1 : 1);
