import type { Job, Ports, Progress } from './ports.ts';
import type { Layer, Recoveries } from './recoveries.ts';

interface Of {
  readonly context: { readonly job: Job; readonly isLastLife: boolean };
}

/** What is written into the book of recoveries, and the decisions that come of it. */
export function recoveryActions({ elapsed, store, leash }: Ports, recoveries: Recoveries) {
  const fell = (jobId: string, layer: Layer, why: string) =>
    recoveries.fell(jobId, layer, { at: elapsed(), why, seen: leash.progress(jobId) });
  return {
    fell: ({ context }: Of, why: string) => fell(context.job.id, 'recorder', why),
    barked: ({ context }: Of, doggy: Layer) => fell(context.job.id, doggy, 'barked'),
    /** It is up again after a fall. A last life, which only ends the job, is no recovery. */
    awoke: ({ context: { job, isLastLife } }: Of) => {
      const fall = isLastLife ? undefined : recoveries.recovered(job.id, 'bigDog', elapsed());
      if (fall === undefined) return;
      const { why, downMs } = fall;
      const evidence = { downMs };
      store.record({
        jobId: job.id,
        dog: 'bigDogDog',
        decision: 'bigDog.recovered',
        why,
        evidence,
      });
    },
    /** A recorder records again after a fall, its own or that of a node. */
    recovered: ({ context: { job } }: Of) => {
      const { id: jobId, attempt } = job;
      for (const doggy of ['heartbeatDoggy', 'tempFileDoggy'] as const)
        recoveries.recovered(jobId, doggy, elapsed());
      const fall = recoveries.recovered(jobId, 'recorder', elapsed());
      if (fall === undefined) return;
      const { why, downMs } = fall;
      const evidence = { downMs, attempt };
      store.record({ jobId, dog: 'bigDog', decision: 'recorder.recovered', why, evidence });
    },
  };
}

/**
 * Whether a new recorder has brought anything since the last numbers of the one that fell. Those may be a second old, so a segment
 * alone proves nothing: bytes have to come, too.
 */
export const hasGrown = ({ bytes, settled, program }: Progress, seen: Progress): boolean =>
  program === undefined
    ? bytes > 0 && settled > seen.settled
    : program.mediaMs > 0 && program.recordedMs > (seen.program?.recordedMs ?? 0);
