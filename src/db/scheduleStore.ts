import { validate as isUuid } from 'uuid';
import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';
import type { QueueTerms } from '../core/queueTerms.ts';
import type { Database, KennelDatabase } from './database.ts';
import { and, asc, eq, lte, sql } from './drizzle.ts';
import { askOnce } from './outage.ts';
import { schedules } from './schema.ts';

/** A schedule as it is stored. Times are milliseconds since the epoch. */
export interface ScheduleRecord {
  readonly id: string;
  readonly tenantId: string;
  readonly keyId?: string;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly windowMs: number;
  readonly spec: JobSpec;
  readonly terms: QueueTerms;
  readonly enabled: boolean;
  readonly nextAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Fields = Omit<ScheduleRecord, 'id' | 'tenantId' | 'keyId' | 'createdAt'>;

/** Recordings that come again. Every call asks once and throws `database.unavailable` when the database is away. */
export class ScheduleStore {
  readonly #queries: ReturnType<typeof scheduleQueries>;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#queries = scheduleQueries(db);
  }

  async create(schedule: ScheduleRecord): Promise<void> {
    const { nextAt = null, keyId = null } = schedule;
    await askOnce(() => this.#queries.insert({ ...schedule, nextAt, keyId }));
  }

  /** By name. */
  async list(tenantId?: string): Promise<readonly ScheduleRecord[]> {
    const rows = await askOnce(() => this.#queries.list(tenantId));
    return rows.map(scheduleRecord);
  }

  /** Throws `schedule.notFound`. */
  async get(id: string): Promise<ScheduleRecord> {
    const [row] = isUuid(id) ? await askOnce(() => this.#queries.byId(id)) : [];
    if (!row) throw notFound(id);
    return scheduleRecord(row);
  }

  /** Throws `schedule.notFound`. */
  async change(id: string, fields: Fields): Promise<void> {
    const { nextAt = null } = fields;
    const changed = await askOnce(() => this.#queries.change(id, { ...fields, nextAt }));
    if (changed.length === 0) throw notFound(id);
  }

  /** Throws `schedule.notFound`. */
  async remove(id: string): Promise<void> {
    const removed = await askOnce(() => this.#queries.remove(id));
    if (removed.length === 0) throw notFound(id);
  }

  /** Schedules with a window that has begun, the first first. */
  async due(now: number): Promise<readonly ScheduleRecord[]> {
    const rows = await askOnce(() => this.#queries.due(now));
    return rows.map(scheduleRecord);
  }

  /** Nothing happens to one that was changed meanwhile. */
  async advance(id: string, from: number, to: number | undefined): Promise<void> {
    await askOnce(() => this.#queries.advance(id, from, to ?? null));
  }

  async nextMoment(): Promise<number | undefined> {
    const [row] = await askOnce(() => this.#queries.first());
    return row?.nextAt ?? undefined;
  }
}

/** The statements on schedules, one function each. */
function scheduleQueries(database: KennelDatabase) {
  const isOn = and(eq(schedules.enabled, true), sql`${schedules.nextAt} is not null`);
  return {
    insert: (row: typeof schedules.$inferInsert) => database.insert(schedules).values(row),

    list: (tenantId: string | undefined) =>
      database
        .select()
        .from(schedules)
        .where(tenantId === undefined ? undefined : eq(schedules.tenantId, tenantId))
        .orderBy(asc(schedules.name), asc(schedules.id)),

    byId: (id: string) => database.select().from(schedules).where(eq(schedules.id, id)),

    change: (id: string, fields: Partial<typeof schedules.$inferInsert>) =>
      database
        .update(schedules)
        .set(fields)
        .where(eq(schedules.id, id))
        .returning({ id: schedules.id }),

    remove: (id: string) =>
      database.delete(schedules).where(eq(schedules.id, id)).returning({ id: schedules.id }),

    due: (now: number) =>
      database
        .select()
        .from(schedules)
        .where(and(isOn, lte(schedules.nextAt, now)))
        .orderBy(asc(schedules.nextAt), asc(schedules.id)),

    advance: (id: string, from: number, to: number | null) =>
      database
        .update(schedules)
        .set({ nextAt: to })
        .where(and(eq(schedules.id, id), eq(schedules.nextAt, from))),

    first: () =>
      database
        .select({ nextAt: schedules.nextAt })
        .from(schedules)
        .where(isOn)
        .orderBy(asc(schedules.nextAt))
        .limit(1),
  };
}

function scheduleRecord({ keyId, nextAt, ...row }: typeof schedules.$inferSelect): ScheduleRecord {
  return { ...row, ...(keyId !== null && { keyId }), ...(nextAt !== null && { nextAt }) };
}

const notFound = (id: string) =>
  new KennelError('schedule.notFound', `there is no schedule ${id}`, { details: { id } });

export const scheduleStore = (database: Pick<Database, 'db'>): ScheduleStore =>
  new ScheduleStore(database);
