import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, operation } from '../operation.ts';
import { Cursor, nextPageUrl, placeOf } from '../pageCursor.ts';
import { InstantGiven, isoOf, isoWhen } from '../schemas/instant.ts';
import { GapList, History, LogLines, OneJob, ProofShown, SegmentList } from '../schemas/job.ts';

const SEGMENTS_MAX = 2_000;
const SEGMENTS_DEFAULT = 500;
const LINES_MAX = 2_000;
const LINES_DEFAULT = 200;

const Place = z.object({ track: z.string(), epoch: z.number().int(), msn: z.number().int() });

const segments = operation('GET /jobs/{jobId}/segments', {
  summary: 'List stored segments',
  request: {
    params: OneJob,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(SEGMENTS_MAX).default(SEGMENTS_DEFAULT),
      cursor: Cursor.optional(),
    }),
  },
  answers: { 200: jsonAnswer(SegmentList, 'By track, epoch and number') },
  errors: ['job.notFound'],
});

const gaps = operation('GET /jobs/{jobId}/gaps', {
  summary: 'List what is missing',
  request: { params: OneJob },
  answers: { 200: jsonAnswer(GapList, 'Every gap, with its cause') },
  errors: ['job.notFound'],
});

const transitions = operation('GET /jobs/{jobId}/transitions', {
  summary: 'Why did it do that',
  request: { params: OneJob },
  answers: { 200: jsonAnswer(History, 'Moves and decisions, each with its evidence') },
  errors: ['job.notFound'],
});

const proof = operation('GET /jobs/{jobId}/proof', {
  summary: 'Show what a recording can prove',
  request: { params: OneJob },
  answers: { 200: jsonAnswer(ProofShown, 'The proof, from the journal') },
  errors: ['job.notFound', 'journal.corrupt'],
});

const logs = operation('GET /jobs/{jobId}/logs', {
  summary: 'Show the log of a job',
  request: {
    params: OneJob,
    query: z.object({
      lines: z.coerce.number().int().min(1).max(LINES_MAX).default(LINES_DEFAULT),
    }),
  },
  answers: { 200: jsonAnswer(LogLines, 'The last lines, oldest first') },
  errors: ['job.notFound'],
});

const thumbnail = operation('GET /jobs/{jobId}/thumbnail', {
  summary: 'Show a picture of a recording',
  request: {
    params: OneJob,
    query: z.object({
      at: InstantGiven.optional().meta({ description: 'Nearest to then. Absent: the newest' }),
    }),
  },
  answers: {
    200: {
      description: 'A picture',
      content: { 'image/jpeg': { schema: z.string().meta({ format: 'binary' }) } },
    },
  },
  errors: ['job.notFound', 'tool.missing'],
});

/** What is recorded of a job, and what is known about it. */
export const recordingRoutes = ({ operations }: Pick<ApiParts, 'operations'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(segments, async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const after = cursor === undefined ? {} : { after: placeOf(Place, cursor) };
      const { jobId } = c.req.valid('param');
      const found = await operations.segments(c.var.principal, jobId, { limit, ...after });
      const last = found.length === limit ? found.at(-1) : undefined;
      const { track = '', epoch = 0, msn = 0 } = last ?? {};
      const next = nextPageUrl(c.req.url, last && { track, epoch, msn });
      if (next !== null) c.header('Link', `<${next}>; rel="next"`);
      return c.json({ segments: found.map(segmentShown), next_page_url: next }, 200);
    })
    .openapi(gaps, async (c) => {
      const found = await operations.gaps(c.var.principal, c.req.valid('param').jobId);
      const shown = found.map(({ track, epoch, msn, count, cause, detail, durationMs, at }) => ({
        ...{ track, epoch, msn, count, cause, detail },
        durationSeconds: durationMs / 1_000,
        at: isoOf(at),
      }));
      return c.json({ gaps: shown }, 200);
    })
    .openapi(transitions, async (c) => {
      const found = await operations.history(c.var.principal, c.req.valid('param').jobId);
      const shown = found.map(({ at, evidence, ...entry }) => ({
        at: isoOf(at),
        ...entry,
        evidence: { ...evidence },
      }));
      return c.json({ transitions: shown }, 200);
    })
    .openapi(proof, async (c) => {
      const found = await operations.proof(c.var.principal, c.req.valid('param').jobId);
      const body: z.infer<typeof ProofShown> = { ...found };
      return c.json(body, 200);
    })
    .openapi(logs, async (c) => {
      const { jobId } = c.req.valid('param');
      const found = await operations.logs(c.var.principal, jobId, c.req.valid('query').lines);
      return c.json({ lines: found.map((line) => ({ ...line })) }, 200);
    })
    .openapi(thumbnail, async (c) => {
      const { at } = c.req.valid('query');
      const { jobId } = c.req.valid('param');
      const moment = at === undefined ? undefined : Date.parse(at);
      const picture = await operations.thumbnail(c.var.principal, jobId, moment);
      return c.body(Uint8Array.from(picture), 200, { 'Content-Type': 'image/jpeg' });
    });

type Stored = Awaited<ReturnType<ApiParts['operations']['segments']>>[number];

const segmentShown = (segment: Stored) => {
  const { track, epoch, msn, at, durationMs, bytes, checksum, container, discontinuity } = segment;
  return {
    ...{ track, epoch, msn, bytes, checksum, container, discontinuity },
    at: isoOf(at),
    durationSeconds: durationMs / 1_000,
    ...isoWhen('wallClock', segment.wallClock ?? undefined),
  };
};
