import { v7 } from 'uuid';
import { systemClock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import type { Schedule, ScheduleRecords } from '../../../src/queue/scheduleRecords.ts';
import { Schedules } from '../../../src/queue/schedules.ts';

/** The real schedules over records in memory; no window is ever opened. */
export function memorySchedules(): Schedules {
  const held = new Map<string, Schedule>();
  const seen = (id: string): Schedule => {
    const schedule = held.get(id);
    if (schedule) return schedule;
    throw new KennelError('schedule.notFound', `there is no schedule ${id}`);
  };
  const records: ScheduleRecords = {
    create: async (schedule) => void held.set(schedule.id, schedule),
    list: async (tenantId) =>
      [...held.values()].filter((one) => tenantId === undefined || one.tenantId === tenantId),
    get: async (id) => seen(id),
    change: async (id, fields) => {
      const { tenantId, createdAt } = seen(id);
      held.set(id, { id, tenantId, createdAt, ...fields });
    },
    remove: async (id) => {
      seen(id);
      held.delete(id);
    },
    due: async () => [],
    advance: async () => undefined,
    nextMoment: async () => undefined,
  };
  return new Schedules({ records, clock: systemClock, newId: v7, poke: () => undefined });
}
