import { randomUUID } from 'node:crypto';
import { systemClock } from '../../core/clock.ts';
import { KennelError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { durationMs } from '../duration.ts';
import { type JobOptions, jobRequest } from '../jobOptions.ts';
import { jobLines } from '../lines/jobLines.ts';
import { isoMoment } from '../moment.ts';
import { wholeNumber } from '../numbers.ts';
import { follow } from '../remote/follow.ts';
import { jobBody, type NewJobBody } from '../remote/jobBody.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';

export interface SubmitOptions extends JobOptions, ServerOptions, TermOptions {
  readonly endAt?: string;
  readonly callback?: string;
  readonly idempotencyKey?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

interface TermOptions {
  readonly startAt?: string;
  readonly expires?: string;
  readonly priority?: string;
  readonly retries?: string;
  readonly retryDelay?: string;
  readonly label: readonly string[];
  readonly allowDuplicate?: boolean;
  /** `--no-queue` makes it false: without room, the job is rejected at once. */
  readonly queue?: boolean;
}

const PRIORITY_MAX = 100;
const RETRIES_MAX = 100;

/** `kennel submit URL [QUALITY]`: hands a job to a service. */
export async function submit(context: CliContext, options: SubmitOptions): Promise<number> {
  const { terminal } = context;
  const { callback, json, quiet, idempotencyKey = randomUUID() } = options;
  const until = options.until ?? options.endAt;
  const request = await jobRequest({ ...options, ...(until !== undefined && { until }) }, terminal);
  const body = {
    ...jobBody(request),
    ...termsOf(options, systemClock.now()),
    ...(callback !== undefined && { callback_url: callback }),
  };
  const client = await demandServer(context, options);
  // With a key of its own, the request may be sent again when its answer was lost, and makes one job all the same.
  const header = { 'idempotency-key': idempotencyKey };
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

function termsOf(options: TermOptions, now: number): Partial<NewJobBody> {
  const { startAt, expires, priority, label, queue, allowDuplicate } = options;
  const retry = retryOf(options);
  return {
    ...(startAt !== undefined && { startAt: isoMoment(startAt, now) }),
    ...(expires !== undefined && { expiresAt: isoMoment(expires, now) }),
    ...(priority !== undefined && {
      priority: wholeNumber('--priority', priority, [-PRIORITY_MAX, PRIORITY_MAX]),
    }),
    ...(label.length > 0 && { labels: Object.fromEntries(label.map(labelOf)) }),
    ...(queue === false && { mayWait: false }),
    ...(allowDuplicate && { allowDuplicate }),
    ...(retry && { retry }),
  };
}

function retryOf({ retries, retryDelay }: TermOptions): NewJobBody['retry'] {
  if (retries === undefined && retryDelay !== undefined)
    throw new KennelError(
      'usage.invalid',
      '--retry-delay needs --retries: how often to try again.',
    );
  if (retries === undefined) return undefined;
  return {
    attempts: wholeNumber('--retries', retries, [0, RETRIES_MAX]),
    ...(retryDelay !== undefined && { delaySeconds: durationMs(retryDelay) / 1_000 }),
  };
}

function labelOf(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^:=]+)[:=](.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new KennelError(
      'usage.invalid',
      `A label is written as --label name:value, not ${text}.`,
    );
  return [name, value];
}
