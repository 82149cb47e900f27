import type { InferRequestType, InferResponseType } from 'hono/client';
import type { KennelClient } from '../../client/kennelClient.ts';
import type { JobRequest } from '../../jobs/jobRequest.ts';

type JobsApi = KennelClient['api']['jobs'];

/** What `POST /jobs` takes. */
export type NewJobBody = InferRequestType<JobsApi['$post']>['json'];
/** A job, as the API shows it. */
export type JobBody = InferResponseType<JobsApi[':jobId']['$get']>;

const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / 1_000;

/** What is asked for, in the terms of the API: seconds, and moments as ISO 8601. */
export function jobBody(request: JobRequest): NewJobBody {
  const { durationMs, waitMs, patienceMs, endAt, watch, fallbacks, allow, headers, ...rest } =
    request;
  return {
    ...rest,
    ...(fallbacks && fallbacks.length > 0 && { fallbacks: [...fallbacks] }),
    ...(allow && allow.length > 0 && { allow: [...allow] }),
    ...(headers && { headers: { ...headers } }),
    durationSeconds: seconds(durationMs),
    waitSeconds: seconds(waitMs),
    patienceSeconds: seconds(patienceMs),
    firstMediaSeconds: seconds(watch?.firstMediaMs),
    staleAfterSeconds: seconds(watch?.staleMs),
    endAt: endAt === undefined ? undefined : new Date(endAt).toISOString(),
  };
}
