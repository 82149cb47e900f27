import { randomUUID } from 'node:crypto';
import { systemClock } from '../../core/clock.ts';
import type { CliContext } from '../context.ts';
import { type JobOptions, jobRequest } from '../jobOptions.ts';
import { jobLines } from '../lines/jobLines.ts';
import { isoMoment } from '../moment.ts';
import { follow } from '../remote/follow.ts';
import { jobBody } from '../remote/jobBody.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { type TermOptions, termsOf } from '../termOptions.ts';

export interface SubmitOptions extends JobOptions, ServerOptions, TermOptions {
  readonly endAt?: string;
  readonly startAt?: string;
  readonly expires?: string;
  readonly callback?: string;
  readonly idempotencyKey?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `kennel submit URL [QUALITY]`: hands a job to a service. */
export async function submit(context: CliContext, options: SubmitOptions): Promise<number> {
  const { terminal } = context;
  const { callback, startAt, expires, json, quiet } = options;
  const until = options.until ?? options.endAt;
  const request = await jobRequest({ ...options, ...(until !== undefined && { until }) }, terminal);
  const now = systemClock.now();
  const body = {
    ...jobBody(request),
    ...termsOf(options),
    ...(startAt !== undefined && { startAt: isoMoment(startAt, now) }),
    ...(expires !== undefined && { expiresAt: isoMoment(expires, now) }),
    ...(callback !== undefined && { callback_url: callback }),
  };
  const client = await demandServer(context, options);
  // With a key of its own, the request may be sent again when its answer was lost, and makes one job all the same.
  const header = { 'idempotency-key': options.idempotencyKey ?? randomUUID() };
  const job = await (await client.api.jobs.$post({ json: body, header })).json();
  if (options.follow) {
    if (!json && !quiet) terminal.err(`submitted as job ${job.id}`);
    return await follow(context, { client, jobId: job.id, json, quiet });
  }
  if (json) terminal.out(JSON.stringify(job));
  else if (quiet) terminal.out(job.id);
  else for (const line of jobLines(job)) terminal.out(line);
  return 0;
}
