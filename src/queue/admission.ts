import type { Overload, Resource } from '../capacity/capacity.ts';
import type { WaitingJob } from './queueRecords.ts';

/**
 * Whether a job whose turn it is begins now.
 *
 * A job may need more than is free although smaller ones still fit. While it waits they may pass it, and it may not starve of that. So
 * once it has been passed, phases follow each other in which others pass it freely and in which nothing is added before it, each pair
 * twice as long as the one before: 10 minutes of passing, 10 of holding, 20 and 20, 40 and 40, and so on. Others are never
 * kept waiting for longer than they could go on before; and sooner or later a phase of holding outlasts every recording that ends at
 * all, so that the large job finds room. While room is held, jobs that are known to end before it is needed still begin.
 */

/** The first time of passing, and of holding, milliseconds: recordings of a broadcast's length need not be waited for at once. */
const PHASE_FIRST_MS = 600_000;

/** What differs by job. Slots and the pressure on the machine are the same for all. */
const BY_SIZE: readonly Resource[] = [
  'cpu',
  'memory',
  'network',
  'disk.bandwidth',
  'disk.space',
  'descriptors',
];

/** What a machine has is not more tomorrow. Space on a disk may be. */
const FIXED: readonly Resource[] = ['cpu', 'memory', 'network', 'disk.bandwidth', 'descriptors'];

/** The job that was passed by others for the longest time. */
export interface PassedJob {
  readonly jobId: string;
  /** When it was first passed, milliseconds since the epoch. */
  readonly since: number;
  readonly overload: Overload;
}

export interface AdmissionQuestion {
  readonly job: Pick<WaitingJob, 'id' | 'mayWait' | 'durationMs' | 'endAt'>;
  /** Why it does not fit; undefined when it does. */
  readonly overload: Overload | undefined;
  readonly passed: PassedJob | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Admission =
  | { readonly verdict: 'admit' }
  | {
      readonly verdict: 'wait' | 'reject';
      /** The resource, `held` (room is kept for another job), or `never` (the whole node is too small). */
      readonly why: Resource | 'held' | 'never';
      readonly overload: Overload;
    };

export function admission({ job, overload, passed, now }: AdmissionQuestion): Admission {
  const otherwise = job.mayWait ? 'wait' : 'reject';
  if (overload) {
    if (isTooSmallANode(overload)) return { verdict: 'reject', why: 'never', overload };
    return { verdict: otherwise, why: overload.resource, overload };
  }
  if (!passed || passed.jobId === job.id || !isHolding(now - passed.since))
    return { verdict: 'admit' };
  const { fitsAt, explanation } = passed.overload;
  const endsAt = endOf(job, now);
  if (fitsAt !== undefined && endsAt !== undefined && endsAt <= fitsAt) return { verdict: 'admit' };
  return {
    verdict: otherwise,
    why: 'held',
    overload: {
      ...passed.overload,
      explanation: `Room is kept for the job ${passed.jobId}, which others passed for too long. ${explanation}`,
    },
  };
}

/** When a job that begins now ends at the latest, milliseconds since the epoch; undefined where that is not known. */
export function endOf(
  { durationMs, endAt }: Pick<WaitingJob, 'durationMs' | 'endAt'>,
  now: number,
): number | undefined {
  const ends = [durationMs === undefined ? undefined : now + durationMs, endAt];
  const known = ends.filter((end) => end !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** Whether others can pass it for being smaller. */
export const isBySize = ({ resource }: Overload): boolean => BY_SIZE.includes(resource);

/** Neighbours that are busy now are no reason: they may go. */
const isTooSmallANode = ({ resource, needed, limit, whole = limit }: Overload): boolean =>
  FIXED.includes(resource) && needed > whole;

/** Whether nothing may pass a job any more that was first passed so long ago, milliseconds. */
export function isHolding(passedForMs: number): boolean {
  let left = passedForMs;
  for (let phaseMs = PHASE_FIRST_MS; ; phaseMs *= 2) {
    if (left < phaseMs) return false;
    if (left < 2 * phaseMs) return true;
    left -= 2 * phaseMs;
  }
}
