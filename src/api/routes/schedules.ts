import { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ApiEnv } from '../apiEnv.ts';
import type { ApiParts } from '../apiParts.ts';
import { jsonAnswer, jsonBody, operation } from '../operation.ts';
import { isoOf } from '../schemas/instant.ts';
import { submissionOf } from '../schemas/newJob.ts';
import {
  NewSchedule,
  OneSchedule,
  ScheduleChanges,
  ScheduleList,
  ScheduleShown,
  scheduleShown,
  WindowList,
} from '../schemas/schedule.ts';

const WINDOWS_MAX = 100;
const WINDOWS_DEFAULT = 10;

const create = operation('POST /schedules', {
  summary: 'Record again and again',
  description: 'Each window becomes one job, which ends with it.',
  request: { body: jsonBody(NewSchedule) },
  answers: { 201: jsonAnswer(ScheduleShown, 'The schedule') },
  errors: ['usage.invalid', 'url.invalid', 'tenant.notFound'],
});

const list = operation('GET /schedules', {
  summary: 'List schedules',
  answers: { 200: jsonAnswer(ScheduleList, 'By name') },
});

const get = operation('GET /schedules/{scheduleId}', {
  summary: 'Show a schedule',
  request: { params: OneSchedule },
  answers: { 200: jsonAnswer(ScheduleShown, 'The schedule') },
  errors: ['schedule.notFound'],
});

const change = operation('PATCH /schedules/{scheduleId}', {
  summary: 'Change a schedule',
  description: 'Windows that have become jobs go on as they are.',
  request: { params: OneSchedule, body: jsonBody(ScheduleChanges) },
  answers: { 200: jsonAnswer(ScheduleShown, 'As it is now') },
  errors: ['schedule.notFound', 'usage.invalid', 'url.invalid'],
});

const remove = operation('DELETE /schedules/{scheduleId}', {
  summary: 'Remove a schedule',
  description: 'Jobs that came of it stay.',
  request: { params: OneSchedule },
  answers: { 204: { description: 'It is gone' } },
  errors: ['schedule.notFound'],
});

const windows = operation('GET /schedules/{scheduleId}/windows', {
  summary: 'Show the next windows',
  request: {
    params: OneSchedule,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(WINDOWS_MAX).default(WINDOWS_DEFAULT),
    }),
  },
  answers: { 200: jsonAnswer(WindowList, 'Whether the schedule is enabled or not') },
  errors: ['schedule.notFound'],
});

/** Recordings that come again. */
export const scheduleRoutes = ({ schedules, specOf }: Pick<ApiParts, 'schedules' | 'specOf'>) =>
  new OpenAPIHono<ApiEnv>()
    .openapi(create, async (c) => {
      const { name, cron, timeZone, windowSeconds, enabled, recording, ...terms } =
        c.req.valid('json');
      const submission = submissionOf({ ...recording, ...terms });
      const { principal } = c.var;
      const schedule = await schedules.create(principal, {
        ...{ name, cron, timeZone, enabled },
        windowMs: windowSeconds * 1_000,
        spec: specOf(principal, submission.request),
        terms: submission.terms,
      });
      c.header('Location', `${new URL(c.req.url).pathname}/${schedule.id}`);
      return c.json(scheduleShown(schedule), 201);
    })
    .openapi(list, async (c) => {
      const found = await schedules.list(c.var.principal);
      return c.json({ schedules: found.map(scheduleShown) }, 200);
    })
    .openapi(get, async (c) => {
      const { scheduleId } = c.req.valid('param');
      return c.json(scheduleShown(await schedules.get(c.var.principal, scheduleId)), 200);
    })
    .openapi(change, async (c) => {
      const { principal } = c.var;
      const { scheduleId } = c.req.valid('param');
      const { name, cron, timeZone, windowSeconds, enabled, recording } = c.req.valid('json');
      const changed = await schedules.change(principal, scheduleId, {
        ...(name !== undefined && { name }),
        ...(cron !== undefined && { cron }),
        ...(timeZone !== undefined && { timeZone }),
        ...(enabled !== undefined && { enabled }),
        ...(windowSeconds !== undefined && { windowMs: windowSeconds * 1_000 }),
        ...(recording && { spec: specOf(principal, submissionOf(recording).request) }),
      });
      return c.json(scheduleShown(changed), 200);
    })
    .openapi(remove, async (c) => {
      await schedules.remove(c.var.principal, c.req.valid('param').scheduleId);
      return c.body(null, 204);
    })
    .openapi(windows, async (c) => {
      const { scheduleId } = c.req.valid('param');
      const { limit } = c.req.valid('query');
      const next = await schedules.preview(c.var.principal, scheduleId, limit);
      const shown = next.map(({ startAt, endAt }) => ({
        startAt: isoOf(startAt),
        endAt: isoOf(endAt),
      }));
      return c.json({ windows: shown }, 200);
    });
