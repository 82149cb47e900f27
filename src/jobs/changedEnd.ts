import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';

/** Another end of a job: so much longer, so long in all, or until then (milliseconds since the epoch). */
export type EndWish =
  | { readonly moreMs: number }
  | { readonly durationMs: number }
  | { readonly endAt: number };

/** As long as a job may be asked to record, milliseconds: what is longer is meant to have no end. */
const DURATION_MS_MAX = 366 * 24 * 3_600_000;

/**
 * The end of a job after a wish. One that has a duration and an end time moves both by `moreMs`; a new duration or end takes the
 * place of both.
 *
 * @throws KennelError `usage.invalid` for an end that is past, or longer than anything; `job.conflict` for "longer" where there is no end
 */
export function changedEnd(
  { spec, startedAt }: { readonly spec: JobSpec; readonly startedAt?: number | undefined },
  by: EndWish,
  now: number,
): Pick<JobSpec, 'durationMs' | 'endAt'> {
  const end = wishedEnd(spec, by);
  const { durationMs, endAt } = end;
  if (durationMs !== undefined && !(durationMs > 0 && durationMs <= DURATION_MS_MAX))
    throw new KennelError(
      'usage.invalid',
      'The duration is longer than nothing and shorter than a year.',
    );
  const endsAt = Math.min(
    endAt ?? Number.POSITIVE_INFINITY,
    startedAt !== undefined && durationMs !== undefined ? startedAt + durationMs : Infinity,
  );
  if (endsAt <= now)
    throw new KennelError(
      'usage.invalid',
      `That end (${new Date(endsAt).toISOString()}) is over already; to end the job now, stop it.`,
    );
  return end;
}

function wishedEnd(spec: JobSpec, by: EndWish): Pick<JobSpec, 'durationMs' | 'endAt'> {
  if ('durationMs' in by) return { durationMs: by.durationMs };
  if ('endAt' in by) return { endAt: by.endAt };
  const { durationMs, endAt } = spec;
  if (durationMs === undefined && endAt === undefined)
    throw new KennelError(
      'job.conflict',
      'The job has no end that could be moved: it records until the stream ends. Give it a duration or an end time.',
    );
  return {
    ...(durationMs !== undefined && { durationMs: durationMs + by.moreMs }),
    ...(endAt !== undefined && { endAt: endAt + by.moreMs }),
  };
}
