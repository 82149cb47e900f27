import { z } from 'zod';
import { JOB_STATES, OUTCOMES } from '../../machines/vocabulary.ts';
import { DISK_LEVELS } from './diskForecast.ts';

/** Facts that something was decided on. Which ones there are depends on what was decided. */
const evidence = z.record(z.string(), z.unknown());

/**
 * What the log of events tells, by type. A field may be added within version 1 of the API; none is removed or changes its
 * meaning. The types of the log and those of `--json` (`events.ts`) that have the same name tell the same.
 */
export const EVENT_DATA = {
  'job.submitted': z
    .object({
      url: z.string().meta({ description: 'The link, without credentials, query and fragment' }),
      waiting: z.boolean().meta({ description: 'Whether it stands in the queue' }),
    })
    .meta({ description: 'A job was accepted.' }),
  'job.moved': z
    .object({
      from: z.enum(JOB_STATES),
      to: z.enum(JOB_STATES),
      cause: z.string().meta({ description: 'Why, in a word' }),
      attempt: z.number().int(),
      outcome: z
        .enum(OUTCOMES)
        .optional()
        .meta({ description: 'How whole the recording is, once that is known' }),
      evidence,
    })
    .meta({ description: 'A committed move of a job from one state to another.' }),
  'job.decided': z
    .object({ dog: z.string(), decision: z.string(), why: z.string(), evidence })
    .meta({
      description:
        'A decision that is no move: a kill, a restart, an adoption, a budget that is spent.',
    }),
  'segment.lost': z
    .object({
      track: z.string(),
      epoch: z.number().int(),
      msn: z.number().int().meta({ description: 'The first number that is lost' }),
      count: z.number().int().meta({ description: 'How many segments' }),
      cause: z.string(),
      detail: z.string(),
      durationMs: z.number(),
    })
    .meta({
      description: 'A gap: media that the source offered, or was to offer, and that is not there.',
    }),
  'disk.outlook': z
    .object({
      level: z.enum(DISK_LEVELS),
      freeBytes: z.number(),
      bytesPerSecond: z.number(),
      leftMs: z.number().optional().meta({ description: 'Until the disk is full' }),
    })
    .meta({
      description:
        'When the disk will be full has changed: less than 30 minutes (`low`), less than 5 (`critical`), it is (`full`), there is time again (`good`). Of the node, for all jobs at once.',
    }),
  'capacity.strained': z
    .object({
      resource: z.enum(['memory', 'io', 'disk']),
      explanation: z.string(),
      evidence,
      policy: z.enum(['keep', 'stop']).meta({ description: 'What is done about it' }),
    })
    .meta({ description: 'What records on the node holds itself up, for half a minute by now.' }),
  'capacity.relieved': z.object({}).meta({ description: 'That is over.' }),
  'schedule.skipped': z.looseObject({ scheduleId: z.string(), why: z.string() }).meta({
    description:
      'A window of a schedule became no job: it was over, or another job records the same.',
  }),
  'webhook.ping': z
    .object({ webhookId: z.string() })
    .meta({ description: 'A test that somebody asked for; it is sent to that receiver alone.' }),
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type LoggedType = keyof typeof EVENT_DATA;

/** Narrow to the keys that the table has, in its order. */
export const LOGGED_TYPES = Object.keys(EVENT_DATA) as readonly LoggedType[];

const logged = <Type extends LoggedType>(type: Type) =>
  z.object({
    place: z.string(),
    tenantId: z.string(),
    jobId: z.string().optional(),
    type: z.literal(type),
    at: z.number(),
    data: EVENT_DATA[type],
  });

/** Every event that Kennel itself writes to the log. */
export const loggedEventSchema = z.discriminatedUnion('type', [
  logged('job.submitted'),
  logged('job.moved'),
  logged('job.decided'),
  logged('segment.lost'),
  logged('disk.outlook'),
  logged('webhook.ping'),
]);
