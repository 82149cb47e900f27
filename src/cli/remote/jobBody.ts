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

/** What is to be recorded, in the terms of the API: seconds for milliseconds. When it ends is left out. */
export function recordingBody(request: JobRequest) {
  const { durationMs: _length, endAt: _end, waitMs, patienceMs, watch, ...its } = request;
  const { fallbacks, allow, headers, ...rest } = its;
  return {
    ...rest,
    ...(fallbacks && fallbacks.length > 0 && { fallbacks: [...fallbacks] }),
    ...(allow && allow.length > 0 && { allow: [...allow] }),
    ...(headers && { headers: { ...headers } }),
    waitSeconds: seconds(waitMs),
    patienceSeconds: seconds(patienceMs),
    firstMediaSeconds: seconds(watch?.firstMediaMs),
    staleAfterSeconds: seconds(watch?.staleMs),
  };
}

/** The same with when it ends. */
export function jobBody(request: JobRequest): NewJobBody {
  const { durationMs, endAt } = request;
  return {
    ...recordingBody(request),
    durationSeconds: seconds(durationMs),
    endAt: endAt === undefined ? undefined : new Date(endAt).toISOString(),
  };
}
