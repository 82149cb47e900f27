import type { CliContext } from '../context.ts';
import { durationMs } from '../duration.ts';
import { type JobOptions, jobRequest } from '../jobOptions.ts';
import { columns } from '../lines/columns.ts';
import { recordingBody } from '../remote/jobBody.ts';
import { demandServer, type ServerOptions } from '../remote/server.ts';
import { showList } from '../remote/show.ts';
import { type TermOptions, termsOf } from '../termOptions.ts';

interface SchedulesOptions extends ServerOptions {
  readonly json?: boolean;
}

export interface NewScheduleOptions extends JobOptions, TermOptions, SchedulesOptions {
  readonly name: string;
  readonly cron: string;
  readonly window: string;
  readonly timeZone?: string;
}

/** `kennel schedules add URL [QUALITY]`: each window becomes a job. */
export async function addSchedule(
  context: CliContext,
  options: NewScheduleOptions,
): Promise<number> {
  const { name, cron, window } = options;
  const { timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone } = options;
  const recording = recordingBody(await jobRequest(options, context.terminal));
  const windowSeconds = durationMs(window) / 1_000;
  const { api } = await demandServer(context, options);
  const json = { name, cron, timeZone, windowSeconds, recording, ...termsOf(options) };
  const schedule = await (await api.schedules.$post({ json })).json();
  const { id, nextAt = 'never' } = schedule;
  context.terminal.out(
    options.json
      ? JSON.stringify(schedule)
      : `schedule ${id}: ${cron} (${timeZone}), next at ${nextAt}`,
  );
  return 0;
}

/** `kennel schedules list` */
export async function listSchedules(
  context: CliContext,
  options: SchedulesOptions,
): Promise<number> {
  const { api } = await demandServer(context, options);
  const { schedules } = await (await api.schedules.$get()).json();
  showList(context.terminal, schedules, {
    json: options.json,
    lines: (all) =>
      columns([
        ['ID', 'NAME', 'WHEN', 'TIME ZONE', 'SECONDS', 'NEXT', 'LINK'],
        ...all.map(({ id, name, cron, timeZone, windowSeconds, enabled, nextAt, spec }) => [
          ...[id, name, cron, timeZone, String(windowSeconds)],
          ...[enabled ? (nextAt ?? 'never') : 'off', spec.url],
        ]),
      ]),
  });
  return 0;
}

/** `kennel schedules remove ID` */
export async function removeSchedule(
  context: CliContext,
  options: SchedulesOptions & { readonly id: string },
): Promise<number> {
  const { api } = await demandServer(context, options);
  await api.schedules[':scheduleId'].$delete({ param: { scheduleId: options.id } });
  context.terminal.out(`${options.id} makes no more jobs; those that it made stay`);
  return 0;
}
