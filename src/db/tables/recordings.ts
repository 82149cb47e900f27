import type { GapCause } from '../../ledger/record.ts';
import { count, hexBytes, instant, json, words } from '../columns.ts';
import { doublePrecision, integer, pgTable, primaryKey, text, uuid } from '../drizzle.ts';
import { jobs } from './jobs.ts';

/** One recording's sums, and how much of its journal they stand for. */
export const recordings = pgTable('recordings', {
  jobId: uuid('job_id')
    .primaryKey()
    .references(() => jobs.id, { onDelete: 'cascade' }),
  /** Bytes of the journal that are indexed. */
  journalOffset: count('journal_offset').notNull().default(0),
  /** Segments stored. */
  segments: integer('segments').notNull().default(0),
  /** Segments named as lost: the sum of the gaps' counts. */
  lost: integer('lost').notNull().default(0),
  bytes: count('bytes').notNull().default(0),
  /** Media time stored of each track, milliseconds. */
  durationsMs: json<Readonly<Record<string, number>>>('durations_ms').notNull().default({}),
  startedAt: instant('started_at'),
});

const segmentKey = () => ({
  jobId: uuid('job_id')
    .notNull()
    .references(() => recordings.jobId, { onDelete: 'cascade' }),
  track: text('track').notNull(),
  epoch: integer('epoch').notNull(),
  msn: count('msn').notNull(),
});

export const segments = pgTable(
  'segments',
  {
    ...segmentKey(),
    at: instant('at').notNull(),
    durationMs: doublePrecision('duration_ms').notNull(),
    bytes: count('bytes').notNull(),
    /** SHA-256. */
    checksum: hexBytes('checksum').notNull(),
    container: text('container', { enum: ['ts', 'fmp4', 'packed', 'webvtt'] }).notNull(),
    discontinuity: integer('discontinuity').notNull(),
    init: integer('init'),
    wallClock: instant('wall_clock'),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.track, table.epoch, table.msn] })],
);

export const gaps = pgTable(
  'gaps',
  {
    ...segmentKey(),
    count: integer('count').notNull(),
    cause: words('cause').$type<GapCause>().notNull(),
    detail: words('detail').notNull(),
    durationMs: doublePrecision('duration_ms').notNull(),
    at: instant('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.track, table.epoch, table.msn] })],
);
