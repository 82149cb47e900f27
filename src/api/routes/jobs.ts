import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { JOB_STATES } from '../../../machines/vocabulary.ts';
import type { ApiContext, ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { entityTag, versionWanted } from '../entityTag.ts';
import { IdempotencyHeaders, idempotencyOf } from '../idempotency.ts';
import { jsonAnswer, jsonBody, operation } from '../operation.ts';
import { Cursor, nextPageUrl, placeOf } from '../pageCursor.ts';
import { InstantGiven } from '../schemas/instant.ts';
import { Job, JobId, JobList, jobShown, OneJob, SubmittedJob } from '../schemas/job.ts';
import { Extension, extensionOf, NewJob, submissionOf } from '../schemas/newJob.ts';
import { TenantId } from '../schemas/tenant.ts';
import { text } from '../schemas/text.ts';

const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;

const Place = z.object({ createdAt: z.number().int(), id: JobId });

const listOf = (given: string | readonly string[]) =>
  typeof given === 'string' ? [given] : [...given];
/** Once, or several times. */
const several = <Schema extends z.ZodType<string>>(schema: Schema) =>
  z.union([schema, z.array(schema).max(50)]);

const submit = operation('POST /jobs', {
  summary: 'Submit a job',
  description:
    'The job waits in the queue until there is room for it. With `mayWait: false` it is admitted at once, or rejected with 503.',
  request: { headers: IdempotencyHeaders, body: jsonBody(NewJob) },
  answers: {
    201: jsonAnswer(SubmittedJob, 'The job'),
    200: jsonAnswer(Job, 'The job that the same Idempotency-Key made before'),
  },
  errors: [
    'usage.invalid',
    'url.invalid',
    'address.refused',
    'job.duplicate',
    'tenant.full',
    'capacity.exceeded',
    'idempotency.busy',
    'idempotency.conflict',
  ],
});

const list = operation('GET /jobs', {
  summary: 'List jobs',
  description: 'The newest first. Failed jobs (`?state=failed`) are the dead ones: retry them.',
  request: {
    query: z.object({
      state: several(z.enum(JOB_STATES)).optional(),
      label: several(text(700).regex(/^[^:]+:/))
        .optional()
        .meta({
          description: '`name:value`; several: jobs that have all of them',
        }),
      q: text(1_000).optional().meta({ description: 'Part of the link' }),
      createdFrom: InstantGiven.optional(),
      createdBefore: InstantGiven.optional(),
      tenantId: TenantId.optional().meta({ description: 'Admins only; absent: all tenants' }),
      limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
      cursor: Cursor.optional(),
    }),
  },
  answers: { 200: jsonAnswer(JobList, 'A page of jobs') },
});

const get = operation('GET /jobs/{jobId}', {
  summary: 'Show a job',
  request: { params: OneJob },
  answers: { 200: jsonAnswer(Job, 'The job. Its ETag changes with whatever is shown') },
  errors: ['job.notFound'],
});

const IfMatch = z.object({
  'if-match': z.string().max(200).optional().meta({
    description: 'Only when the job has not moved since: the ETag that it was shown with',
  }),
});
const changes = ['job.notFound', 'job.conflict', 'precondition.failed'] as const;

const stop = operation('POST /jobs/{jobId}/stop', {
  summary: 'Stop a job',
  description: 'It finishes well: what is recorded is joined, verified and stored.',
  request: { params: OneJob, headers: IfMatch },
  answers: { 202: jsonAnswer(Job, 'It was told; events tell when it has ended') },
  errors: changes,
});

const kill = operation('POST /jobs/{jobId}/kill', {
  summary: 'Kill a job',
  description: 'Now. What is on the disk stays there; nothing is finished.',
  request: { params: OneJob, headers: IfMatch },
  answers: { 202: jsonAnswer(Job, 'It was told; events tell when it has ended') },
  errors: changes,
});

const retry = operation('POST /jobs/{jobId}/retry', {
  summary: 'Try a job again',
  description: 'As a new job, which names this one in `retryOf`. Asking twice makes one job.',
  request: { params: OneJob },
  answers: { 201: jsonAnswer(Job, 'The new job') },
  errors: ['job.notFound', 'job.conflict', 'job.duplicate', 'tenant.full', 'tenant.notFound'],
});

const extend = operation('POST /jobs/{jobId}/extend', {
  summary: 'Move the end of a job',
  request: { params: OneJob, headers: IfMatch, body: jsonBody(Extension) },
  answers: { 200: jsonAnswer(Job, 'The job with its new end') },
  errors: [...changes, 'usage.invalid'],
});

const shown = (c: ApiContext, view: Parameters<typeof jobShown>[0]) => {
  const body = jobShown(view);
  c.header('ETag', entityTag(view.version, body));
  return body;
};

const versionOf = (c: ApiContext): { readonly version?: number } => {
  const version = versionWanted(c.req.header('if-match'));
  return version === undefined ? {} : { version };
};

/** Jobs: submit, look, change. */
export const jobRoutes = ({ operations, webhooks }: Pick<ApiParts, 'operations' | 'webhooks'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(submit, async (c) => {
      const given = c.req.valid('json');
      const idempotency = await idempotencyOf(c);
      const { callback_url: url, callback_secret: secret } = given;
      const callback =
        url === undefined ? undefined : webhooks.prepare({ url, ...(secret && { secret }) });
      const { job, isReplayed } = await operations.submit(c.var.principal, {
        ...submissionOf(given),
        ...(idempotency && { idempotency }),
        ...(callback && { callback }),
      });
      c.header('Location', `${new URL(c.req.url).pathname}/${job.id}`);
      if (isReplayed) return c.json(shown(c, job), 200);
      const made = { ...shown(c, job), ...(callback && { callback_secret: callback.secret }) };
      return c.json(made, 201);
    })
    .openapi(list, async (c) => {
      const { state, label, q, limit, cursor, createdFrom, createdBefore, tenantId } =
        c.req.valid('query');
      const labels = listOf(label ?? []).map((pair): [string, string] => {
        const colon = pair.indexOf(':');
        return [pair.slice(0, colon), pair.slice(colon + 1)];
      });
      const page = await operations.list(c.var.principal, {
        limit,
        ...(state !== undefined && { states: z.array(z.enum(JOB_STATES)).parse(listOf(state)) }),
        ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
        ...(q !== undefined && { text: q }),
        ...(createdFrom !== undefined && { createdFrom: Date.parse(createdFrom) }),
        ...(createdBefore !== undefined && { createdBefore: Date.parse(createdBefore) }),
        ...(tenantId !== undefined && { tenantId }),
        ...(cursor !== undefined && { after: placeOf(Place, cursor) }),
      });
      const next = nextPageUrl(c.req.url, page.next);
      if (next !== null) c.header('Link', `<${next}>; rel="next"`);
      return c.json(
        { jobs: page.jobs.map(jobShown), total_count: page.totalCount, next_page_url: next },
        200,
      );
    })
    .openapi(get, async (c) =>
      c.json(shown(c, await operations.get(c.var.principal, c.req.valid('param').jobId)), 200),
    )
    .openapi(stop, async (c) => {
      const { jobId } = c.req.valid('param');
      const { version } = versionOf(c);
      return c.json(shown(c, await operations.stop(c.var.principal, jobId, version)), 202);
    })
    .openapi(kill, async (c) => {
      const { jobId } = c.req.valid('param');
      const { version } = versionOf(c);
      return c.json(shown(c, await operations.kill(c.var.principal, jobId, version)), 202);
    })
    .openapi(retry, async (c) => {
      const job = await operations.retry(c.var.principal, c.req.valid('param').jobId);
      return c.json(shown(c, job), 201);
    })
    .openapi(extend, async (c) => {
      const { jobId } = c.req.valid('param');
      const by = extensionOf(c.req.valid('json'));
      const job = await operations.extend(c.var.principal, jobId, { by, ...versionOf(c) });
      return c.json(shown(c, job), 200);
    });
