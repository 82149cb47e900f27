import { expect, test } from 'vitest';
import type { Principal } from '../../../src/core/access.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { OpenWindows, type ScheduleEvent } from '../../../src/queue/openWindows.ts';
import type { QueuedJob } from '../../../src/queue/queueRecords.ts';
import type { Schedule, ScheduleRecords } from '../../../src/queue/scheduleRecords.ts';
import { type ScheduleRequest, Schedules } from '../../../src/queue/schedules.ts';
import { SPEC } from '../../support/database.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon of a day. */
const NOON = Date.UTC(2026, 5, 1, 12);
const OWNER: Principal = { tenantId: 'a', keyId: 'key', scopes: ['jobs.read', 'jobs.write'] };
const REQUEST: ScheduleRequest = {
  name: 'news',
  cron: '0 20 * * *',
  windowMs: HOUR,
  spec: SPEC,
  terms: { priority: 3 },
};

class MemorySchedules implements ScheduleRecords {
  readonly rows = new Map<string, Schedule>();
  create = async (schedule: Schedule) => void this.rows.set(schedule.id, schedule);
  list = async (tenantId?: string) =>
    [...this.rows.values()].filter((one) => tenantId === undefined || one.tenantId === tenantId);
  get = async (id: string) => {
    const row = this.rows.get(id);
    if (!row) throw new KennelError('schedule.notFound', id);
    return row;
  };
  change = async (id: string, fields: Partial<Schedule>) => {
    const { nextAt: _, ...row } = await this.get(id);
    this.rows.set(id, { ...row, ...fields });
  };
  remove = async (id: string) => void this.rows.delete(id);
  due = async (now: number) =>
    [...this.rows.values()].filter(({ enabled, nextAt = now + 1 }) => enabled && nextAt <= now);
  advance = async (id: string, from: number, to: number | undefined) => {
    const { nextAt, ...row } = await this.get(id);
    if (nextAt === from) this.rows.set(id, { ...row, ...(to !== undefined && { nextAt: to }) });
  };
  nextMoment = async () =>
    [...this.rows.values()].flatMap(({ nextAt }) => nextAt ?? []).toSorted((a, b) => a - b)[0];
}

function setup() {
  const time = { now: NOON };
  const schedulesInMemory = new MemorySchedules();
  const jobs: QueuedJob[] = [];
  const told: ScheduleEvent[] = [];
  const refusal: { error: KennelError | undefined } = { error: undefined };
  const pokes: number[] = [];
  const clock = {
    now: () => time.now,
    elapsed: () => time.now,
    setTimeout: () => 0,
    clearTimeout: () => undefined,
  };
  let count = 0;
  const newId = () => `id-${++count}`;
  const schedules = new Schedules({
    records: schedulesInMemory,
    clock,
    newId,
    poke: () => void pokes.push(time.now),
  });
  const windows = new OpenWindows({
    schedules: schedulesInMemory,
    records: {
      enqueue: async (job) => {
        if (refusal.error) throw refusal.error;
        jobs.push(job);
        return { id: job.id, isReplayed: false };
      },
    },
    clock,
    log: () => undefined,
    newId,
    keysOf: () => ({ sourceKey: 'source', costKey: 'cost' }),
    tell: async (event) => void told.push(event),
  });
  const openAt = async (at: number) => {
    time.now = at;
    await windows.open(at);
  };
  const begun = () => jobs.map(({ terms }) => terms.startAt);
  return { time, schedules, windows, jobs, told, refusal, openAt, begun, pokes, schedulesInMemory };
}

const EVENING = NOON + 8 * HOUR;

test('each window becomes a job with its beginning, its end, and the terms of the schedule', async () => {
  const { schedules, windows, jobs, openAt } = setup();
  const { id } = await schedules.create(OWNER, REQUEST);
  expect(await windows.nextMoment()).toBe(EVENING);
  await openAt(EVENING - 1);
  expect(jobs).toEqual([]);
  await openAt(EVENING);
  expect(jobs).toMatchObject([
    {
      tenantId: 'a',
      keyId: 'key',
      scheduleId: id,
      sourceKey: 'source',
      costKey: 'cost',
      spec: { ...SPEC, endAt: EVENING + HOUR },
      terms: { priority: 3, startAt: EVENING, expiresAt: EVENING + HOUR },
    },
  ]);
  expect(await windows.nextMoment()).toBe(EVENING + DAY);
  await openAt(EVENING);
  expect(jobs).toHaveLength(1);
});

test('a window that began while the service was down is recorded for its rest', async () => {
  const { schedules, openAt, jobs, told } = setup();
  await schedules.create(OWNER, REQUEST);
  await openAt(EVENING + HOUR - 1);
  expect(jobs).toMatchObject([{ spec: { endAt: EVENING + HOUR }, terms: { startAt: EVENING } }]);
  expect(told).toEqual([]);
});

test('windows that are over are skipped, which is told once with how many, and the open one is recorded', async () => {
  const { schedules, openAt, begun, told } = setup();
  const { id } = await schedules.create(OWNER, REQUEST);
  await openAt(EVENING + 3 * DAY + 1);
  expect(begun()).toEqual([EVENING + 3 * DAY]);
  expect(told).toMatchObject([
    {
      tenantId: 'a',
      type: 'schedule.skipped',
      data: { scheduleId: id, why: 'over', windows: 3, from: EVENING, to: EVENING + 3 * DAY },
    },
  ]);
  await openAt(EVENING + 5 * DAY + HOUR);
  expect(begun()).toHaveLength(1);
  expect(told[1]?.data).toMatchObject({ windows: 2, from: EVENING + 4 * DAY });
});

test('a window whose source is recorded already is skipped, and told with the job that does', async () => {
  const { schedules, openAt, refusal, told, windows } = setup();
  await schedules.create(OWNER, REQUEST);
  refusal.error = new KennelError('job.duplicate', 'twice', { details: { jobId: 'other' } });
  await openAt(EVENING);
  expect(told).toMatchObject([{ data: { why: 'duplicate', jobId: 'other', windows: 1 } }]);
  expect(await windows.nextMoment()).toBe(EVENING + DAY);
});

test('a window that the queue has no room for is asked for again while it is open', async () => {
  const { schedules, openAt, refusal, told, begun } = setup();
  await schedules.create(OWNER, REQUEST);
  refusal.error = new KennelError('tenant.full', 'full');
  await openAt(EVENING);
  await openAt(EVENING + 1_000);
  refusal.error = undefined;
  await openAt(EVENING + 2_000);
  expect(begun()).toEqual([EVENING]);
  expect(told).toEqual([]);
});

test('an absent database stops the round, and another fault only its schedule', async () => {
  const { schedules, openAt, refusal, begun, windows } = setup();
  await schedules.create(OWNER, REQUEST);
  refusal.error = new KennelError('database.unavailable', 'away');
  await expect(openAt(EVENING)).rejects.toMatchObject({ code: 'database.unavailable' });
  refusal.error = new KennelError('bug', 'bug');
  await openAt(EVENING);
  expect(await windows.nextMoment()).toBe(EVENING);
  refusal.error = undefined;
  await openAt(EVENING);
  expect(begun()).toEqual([EVENING]);
});

test('what is changed counts from the next window on, and what is switched off waits for nothing', async () => {
  const { schedules, windows, pokes } = setup();
  const { id } = await schedules.create(OWNER, REQUEST);
  await schedules.change(OWNER, id, { cron: '30 21 * * *', timeZone: 'Europe/Berlin' });
  expect(await windows.nextMoment()).toBe(NOON + 7.5 * HOUR);
  expect(await schedules.get(OWNER, id)).toMatchObject({ name: 'news', keyId: 'key' });
  await schedules.change(OWNER, id, { enabled: false });
  expect(await windows.nextMoment()).toBeUndefined();
  expect(await schedules.preview(OWNER, id, 2)).toEqual([
    { startAt: NOON + 7.5 * HOUR, endAt: NOON + 8.5 * HOUR },
    { startAt: NOON + 31.5 * HOUR, endAt: NOON + 32.5 * HOUR },
  ]);
  expect(pokes).toHaveLength(3);
  await schedules.remove(OWNER, id);
  await expect(schedules.get(OWNER, id)).rejects.toMatchObject({ code: 'schedule.notFound' });
});

test("others' schedules are unknown, admins see all, and readers change nothing", async () => {
  const { schedules } = setup();
  const { id } = await schedules.create(OWNER, REQUEST);
  const other: Principal = { ...OWNER, tenantId: 'b' };
  for (const ask of [
    () => schedules.get(other, id),
    () => schedules.change(other, id, { name: 'mine' }),
    () => schedules.remove(other, id),
    () => schedules.preview(other, id, 1),
  ])
    await expect(ask()).rejects.toMatchObject({ code: 'schedule.notFound' });
  expect(await schedules.list(other)).toEqual([]);
  expect(await schedules.list({ tenantId: 'c', scopes: ['admin'] })).toHaveLength(1);
  const reader: Principal = { ...OWNER, scopes: ['jobs.read'] };
  await expect(schedules.remove(reader, id)).rejects.toMatchObject({ code: 'access.forbidden' });
  await expect(schedules.create(reader, REQUEST)).rejects.toMatchObject({
    code: 'access.forbidden',
  });
});

test.each<[string, Partial<ScheduleRequest>]>([
  ['windows that overlap', { windowMs: 25 * HOUR }],
  ['a window of no time', { windowMs: 0 }],
  ['a file that each window would overwrite', { spec: { ...SPEC, output: '/tmp/one.mp4' } }],
  ['a beginning of its own', { terms: { startAt: 1 } }],
  ['no name', { name: ' ' }],
])('%s: refused', async (_, change) => {
  const { schedules } = setup();
  await expect(schedules.create(OWNER, { ...REQUEST, ...change })).rejects.toMatchObject({
    code: 'usage.invalid',
  });
});
