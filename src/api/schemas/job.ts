import { z } from 'zod';
import type { JobSpec } from '../../../machines/vocabulary.ts';
import { JOB_STATES, OUTCOMES } from '../../../machines/vocabulary.ts';
import type { JobView } from '../../jobs/operations.ts';
import { Instant, isoOf, isoWhen } from './instant.ts';
import { TenantId } from './tenant.ts';

export const JobId = z.uuid().meta({ description: 'The id of a job' });
export const OneJob = z.object({ jobId: JobId });

export const Evidence = z
  .record(z.string(), z.unknown())
  .meta({ description: 'The facts that it was decided on' });

const Track = z.string().meta({ description: '`main`, or a separate rendition' });

/** What is recorded, without its secrets. */
export const Spec = z
  .object({
    url: z.string(),
    fallbacks: z.array(z.string()).optional(),
    dual: z.boolean().optional(),
    quality: z.array(z.string()),
    durationSeconds: z.number().optional(),
    endAt: Instant.optional(),
    headers: z.record(z.string(), z.string()).optional().meta({ description: 'Names alone' }),
    proxy: z.string().optional(),
    audio: z.array(z.string()).optional(),
    audioOnly: z.boolean().optional(),
    subtitles: z.array(z.string()).optional(),
    recorder: z.string().optional(),
    format: z.string().optional(),
    cookies: z.string().optional(),
    allow: z.array(z.string()).optional(),
    bytesPerSecondMax: z.number().optional(),
    waitSeconds: z.number(),
    patienceSeconds: z.number(),
    firstMediaSeconds: z.number().optional(),
    staleAfterSeconds: z.number().optional(),
    output: z.string(),
    keepSegments: z.boolean(),
  })
  .meta({ id: 'JobSpec' });

export const Job = z
  .object({
    id: JobId,
    tenantId: TenantId,
    state: z.enum(JOB_STATES),
    version: z.number().int().meta({ description: 'Moves so far; If-Match asks for it' }),
    attempt: z.number().int().meta({ description: 'Recorder runs so far' }),
    waiting: z.boolean().meta({ description: 'Stands in the queue' }),
    priority: z.number().int(),
    labels: z.record(z.string(), z.string()),
    runAt: Instant.meta({ description: 'When it may begin' }),
    expiresAt: Instant.optional(),
    createdAt: Instant,
    updatedAt: Instant,
    startedAt: Instant.optional().meta({ description: 'When the first media was accepted' }),
    outcome: z.enum(OUTCOMES).optional(),
    verdict: z.string().optional(),
    ending: z.string().optional(),
    cause: z.string().optional().meta({ description: 'Why of the last move' }),
    evidence: Evidence.optional(),
    retryOf: JobId.optional(),
    tries: z.number().int(),
    scheduleId: z.uuid().optional(),
    recorded: z
      .object({
        segments: z.number().int(),
        lost: z.number().int(),
        bytes: z.number().int(),
        durationSeconds: z.number(),
      })
      .optional()
      .meta({ description: 'So far, as far as it is indexed' }),
    spec: Spec,
  })
  .meta({ id: 'Job' });

export const SubmittedJob = Job.extend({
  callback_secret: z.string().optional().meta({
    description: 'What webhooks to `callback_url` are signed with. It is told now and never again',
  }),
}).meta({ id: 'SubmittedJob' });

export const JobList = z
  .object({
    jobs: z.array(Job),
    total_count: z.number().int().meta({ description: 'Of the whole query' }),
    next_page_url: z.string().nullable(),
  })
  .meta({ id: 'JobList' });

export function jobShown(job: JobView): z.infer<typeof Job> {
  const { recorded, spec, outcome, verdict, ending, cause, evidence, retryOf, scheduleId } = job;
  const { id, tenantId, state, version, attempt, waiting, priority, labels, tries } = job;
  return {
    ...{ id, tenantId, state, version, attempt, waiting, priority, labels: { ...labels }, tries },
    runAt: isoOf(job.runAt),
    ...isoWhen('expiresAt', job.expiresAt),
    createdAt: isoOf(job.createdAt),
    updatedAt: isoOf(job.updatedAt),
    ...isoWhen('startedAt', job.startedAt),
    ...(outcome !== undefined && { outcome }),
    ...(verdict !== undefined && { verdict }),
    ...(ending !== undefined && { ending }),
    ...(cause !== undefined && { cause }),
    ...(evidence !== undefined && { evidence: { ...evidence } }),
    ...(retryOf !== undefined && { retryOf }),
    ...(scheduleId !== undefined && { scheduleId }),
    ...(recorded && {
      recorded: {
        segments: recorded.segments,
        lost: recorded.lost,
        bytes: recorded.bytes,
        durationSeconds: recorded.durationMs / 1_000,
      },
    }),
    spec: specShown(spec),
  };
}

export function specShown(spec: JobSpec): z.infer<typeof Spec> {
  const { durationMs, endAt, waitMs, patienceMs, watch, reach, fallbacks, quality } = spec;
  const { headers, audio, subtitles, ...rest } = spec;
  const { url, dual, proxy, audioOnly, recorder, format, cookies, bytesPerSecondMax } = rest;
  const seconds = <Name extends string>(name: Name, ms: number | undefined) =>
    // A computed key widens to an index signature; it is the one key that the type names.
    (ms === undefined ? {} : { [name]: ms / 1_000 }) as { readonly [Key in Name]?: number };
  return {
    url,
    ...(fallbacks && { fallbacks: [...fallbacks] }),
    ...(dual !== undefined && { dual }),
    quality: [...quality],
    ...seconds('durationSeconds', durationMs),
    ...isoWhen('endAt', endAt),
    ...(headers && { headers: { ...headers } }),
    ...(proxy !== undefined && { proxy }),
    ...(audio && { audio: [...audio] }),
    ...(audioOnly !== undefined && { audioOnly }),
    ...(subtitles && { subtitles: [...subtitles] }),
    ...(recorder !== undefined && { recorder }),
    ...(format !== undefined && { format }),
    ...(cookies !== undefined && { cookies }),
    ...(reach && { allow: [...reach] }),
    ...(bytesPerSecondMax !== undefined && { bytesPerSecondMax }),
    waitSeconds: waitMs / 1_000,
    patienceSeconds: patienceMs / 1_000,
    ...seconds('firstMediaSeconds', watch?.firstMediaMs),
    ...seconds('staleAfterSeconds', watch?.staleMs),
    output: rest.output,
    keepSegments: rest.keepSegments,
  };
}

export const HistoryEntryShown = z
  .object({
    at: Instant,
    kind: z.enum(['move', 'decision']),
    by: z.string().meta({ description: 'Who decided: `bigDog`, `heartbeatDoggy`, `queue`, …' }),
    what: z.string(),
    why: z.string(),
    evidence: Evidence,
  })
  .meta({ id: 'HistoryEntry' });

export const History = z.object({ transitions: z.array(HistoryEntryShown) }).meta({
  id: 'History',
  description: 'Every move and decision in the order in which they came about',
});

const place = { track: Track, epoch: z.number().int(), msn: z.number().int() };

export const SegmentList = z
  .object({
    segments: z.array(
      z
        .object({
          ...place,
          at: Instant.meta({ description: 'When it was stored' }),
          durationSeconds: z.number(),
          bytes: z.number().int(),
          checksum: z.string(),
          container: z.enum(['ts', 'fmp4', 'packed', 'webvtt']),
          discontinuity: z.number().int(),
          wallClock: Instant.optional(),
        })
        .meta({ id: 'Segment' }),
    ),
    next_page_url: z.string().nullable(),
  })
  .meta({ id: 'SegmentList' });

export const GapList = z
  .object({
    gaps: z.array(
      z
        .object({
          ...place,
          count: z.number().int(),
          cause: z.string(),
          detail: z.string(),
          durationSeconds: z.number(),
          at: Instant,
        })
        .meta({ id: 'Gap' }),
    ),
  })
  .meta({ id: 'GapList', description: 'What was offered and is not stored, with the reason' });

export const ProofShown = z
  .looseObject({
    advertised: z.number().int(),
    stored: z.number().int(),
    duplicates: z.number().int(),
    bytes: z.number().int(),
    durationMs: z.number(),
    checksum: z.string(),
  })
  .meta({ id: 'Proof', description: 'advertised = stored + the counts of lost' });

export const LogLines = z
  .object({ lines: z.array(z.record(z.string(), z.unknown())) })
  .meta({ id: 'LogLines' });
