import type { JobSpec } from '../../../machines/vocabulary.ts';
import type { QueueTerms } from '../../core/queueTerms.ts';
import { instant, json, words } from '../columns.ts';
import { boolean, doublePrecision, index, pgTable, text, uuid } from '../drizzle.ts';
import { tenants } from './tenants.ts';

/** Recordings that come again: each window becomes one job. */
export const schedules = pgTable(
  'schedules',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    keyId: text('key_id'),
    name: words('name').notNull(),
    /** When windows begin: five or six fields of cron, and the time zone (IANA) that they are meant in. */
    cron: words('cron').notNull(),
    timeZone: words('time_zone').notNull(),
    /** How long a window lasts, milliseconds. */
    windowMs: doublePrecision('window_ms').notNull(),
    /** What each window records; its end comes on top. */
    spec: json<JobSpec>('spec').notNull(),
    terms: json<QueueTerms>('terms').notNull(),
    enabled: boolean('enabled').notNull().default(true),
    /** When the next window begins; null: never again. */
    nextAt: instant('next_at'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [index('schedules_next').on(table.nextAt)],
);
