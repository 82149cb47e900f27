import { z } from 'zod';
import { shownSpec } from '../../jobs/jobView.ts';
import type { Schedule } from '../../queue/scheduleRecords.ts';
import { Instant, isoOf, isoWhen } from './instant.ts';
import { Spec, specShown } from './job.ts';
import { RequestFields, Retry, TermFields } from './newJob.ts';
import { TenantId } from './tenant.ts';
import { Name, text } from './text.ts';

export const ScheduleId = z.uuid().meta({ description: 'The id of a schedule' });
export const OneSchedule = z.object({ scheduleId: ScheduleId });

const Cron = text(200).min(1).meta({
  description: 'When windows begin: five or six fields of cron',
  example: '0 20 * * 1-5',
});
const TimeZone = text(100).min(1).meta({ description: 'IANA name', example: 'Europe/Berlin' });
/** 31 days: longer ones are no windows. */
const WindowSeconds = z
  .number()
  .min(1)
  .max(31 * 24 * 3_600);

const Recording = z.strictObject(RequestFields);
const { priority, mayWait, retry, labels, allowDuplicate } = TermFields;

const fields = {
  name: Name,
  cron: Cron,
  windowSeconds: WindowSeconds.meta({ description: 'How long a window lasts' }),
  recording: Recording.meta({ id: 'RecordingRequest', description: 'What each window records' }),
};

export const NewSchedule = z
  .strictObject({
    ...fields,
    timeZone: TimeZone.default('UTC'),
    enabled: z.boolean().default(true),
    ...{ priority, mayWait, retry, labels, allowDuplicate },
  })
  .meta({ id: 'NewSchedule' });

export const ScheduleChanges = z
  .strictObject({ ...fields, timeZone: TimeZone, enabled: z.boolean() })
  .partial()
  .meta({ id: 'ScheduleChanges', description: 'What is absent stays' });

export const ScheduleShown = z
  .object({
    id: ScheduleId,
    tenantId: TenantId,
    name: z.string(),
    cron: z.string(),
    timeZone: z.string(),
    windowSeconds: z.number(),
    enabled: z.boolean(),
    nextAt: Instant.optional().meta({ description: 'When the next window begins' }),
    priority: z.number().int(),
    mayWait: z.boolean(),
    retry: Retry.optional(),
    labels: z.record(z.string(), z.string()),
    allowDuplicate: z.boolean(),
    spec: Spec,
    createdAt: Instant,
    updatedAt: Instant,
  })
  .meta({ id: 'Schedule' });

export const ScheduleList = z
  .object({ schedules: z.array(ScheduleShown) })
  .meta({ id: 'ScheduleList' });

export const WindowList = z
  .object({ windows: z.array(z.object({ startAt: Instant, endAt: Instant })) })
  .meta({ id: 'WindowList' });

export function scheduleShown(schedule: Schedule): z.infer<typeof ScheduleShown> {
  const { id, tenantId, name, cron, timeZone, windowMs, enabled, terms, spec } = schedule;
  const { priority = 0, mayWait = true, retry, labels = {}, isDuplicateWanted = false } = terms;
  return {
    ...{ id, tenantId, name, cron, timeZone, enabled, priority, mayWait },
    windowSeconds: windowMs / 1_000,
    ...isoWhen('nextAt', schedule.nextAt),
    ...(retry && { retry: { attempts: retry.attempts, delaySeconds: retry.delayMs / 1_000 } }),
    labels: { ...labels },
    allowDuplicate: isDuplicateWanted,
    spec: specShown(shownSpec(spec)),
    createdAt: isoOf(schedule.createdAt),
    updatedAt: isoOf(schedule.updatedAt),
  };
}
