import type { JobSpec } from '../../machines/vocabulary.ts';
import type { QueueTerms } from '../core/queueTerms.ts';

/** A recording that comes again. Times are milliseconds since the epoch. */
export interface Schedule {
  readonly id: string;
  readonly tenantId: string;
  readonly keyId?: string;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly windowMs: number;
  /** What each window records; there may be secrets in it. */
  readonly spec: JobSpec;
  readonly terms: QueueTerms;
  readonly enabled: boolean;
  /** When the next window begins; absent: never again, or not as long as it is not enabled. */
  readonly nextAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What can be changed of a schedule, all at once. */
export type ScheduleFields = Omit<Schedule, 'id' | 'tenantId' | 'keyId' | 'createdAt'>;

/** What schedules ask of the database. Every call asks once and throws `database.unavailable` when there is no answer. */
export interface ScheduleRecords {
  create(schedule: Schedule): Promise<void>;
  /** By name, of one tenant or of all. */
  list(tenantId?: string): Promise<readonly Schedule[]>;
  /** Throws `schedule.notFound`. */
  get(id: string): Promise<Schedule>;
  /** Throws `schedule.notFound`. */
  change(id: string, fields: ScheduleFields): Promise<void>;
  /** Jobs that came of it stay. Throws `schedule.notFound`. */
  remove(id: string): Promise<void>;
  /** Schedules with a window that has begun. */
  due(now: number): Promise<readonly Schedule[]>;
  /** Goes on to the next window, unless somebody has changed the schedule, or has gone on already. */
  advance(id: string, from: number, to: number | undefined): Promise<void>;
  /** When the next window of all begins. */
  nextMoment(): Promise<number | undefined>;
}
