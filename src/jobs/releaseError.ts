import type { JobReleased } from '../../machines/bigDogDog.ts';
import { KennelError, messageOf } from '../core/errors.ts';

/** What whoever waits for the job's end is told instead. */
export function releaseError(
  jobId: string,
  why: Exclude<JobReleased['why'], 'ended'>,
  cause: unknown,
): KennelError {
  switch (why) {
    case 'fenced':
      return new KennelError(
        'database.fenced',
        `Another Kennel has taken the job ${jobId} over and goes on with it; this one has let go of it.`,
        { cause },
      );
    case 'spent':
      return new KennelError(
        'recorder.crashed',
        `Not even the end of the job ${jobId} could be written (${messageOf(cause)}). What is recorded stays; ` +
          `"kennel resume ${jobId}" tries again.`,
        { cause },
      );
    case 'draining':
      return new KennelError(
        'job.conflict',
        `The job ${jobId} was not begun, since this Kennel was told to end; "kennel resume ${jobId}" begins it.`,
      );
    case 'full':
      return new KennelError(
        'job.conflict',
        `This node has as many jobs as it may; the job ${jobId} waits for another.`,
      );
  }
}
