import { type Clock, pause } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { JobRecord } from './jobRecords.ts';

export type CallOffOrder = 'job.stop' | 'job.kill';

export interface CallOffParts {
  readonly node: {
    /** Undefined for a job that is not in the tree. */
    status(jobId: string): unknown;
    stop(jobId: string): void;
    kill(jobId: string): void;
    cancel(job: JobRecord, order: CallOffOrder): Promise<unknown>;
  };
  readonly records: { get(jobId: string): Promise<JobRecord> };
  readonly queue: { takeOut(jobId: string): Promise<boolean> };
  readonly keeper: { doubt(jobId: string): void };
  readonly clock: Clock;
}

/** A job that was just taken out of the queue is on its way to the tree: it is there within so many looks. */
const LOOKS_MAX = 40;
const LOOK_EVERY_MS = 50;

/**
 * Stops or kills a job, wherever it stands: in the tree it is told; in the queue it is taken out and ended by its Big Dog. When the
 * database goes away in between, the queue has it again as soon as there is an answer, and whoever called it off asks again.
 *
 * @throws KennelError `job.conflict` when another node has it, `database.unavailable`
 */
export async function calledOff(
  parts: CallOffParts,
  jobId: string,
  order: CallOffOrder,
): Promise<void> {
  const { node, clock } = parts;
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (node.status(jobId)) return order === 'job.stop' ? node.stop(jobId) : node.kill(jobId);
    const job = await taken(parts, jobId);
    if (job) {
      await node.cancel(job, order);
      return;
    }
    await pause(clock, LOOK_EVERY_MS);
  }
  throw new KennelError('job.conflict', `The job ${jobId} has ended, or another node has it.`);
}

async function taken(
  { node, records, queue, keeper }: CallOffParts,
  jobId: string,
): Promise<JobRecord | undefined> {
  try {
    return (await queue.takeOut(jobId)) ? await records.get(jobId) : undefined;
  } catch (error) {
    // It may have left the queue without an answer; nobody else would put it back before the next start.
    if (!node.status(jobId)) keeper.doubt(jobId);
    throw error;
  }
}
