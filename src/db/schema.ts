import { JOB_STATES, type JobSpec, OUTCOMES } from '../../machines/vocabulary.ts';
import type { GapCause } from '../ledger/record.ts';
import { hexBytes, instant, json, words } from './columns.ts';
import {
  bigint,
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from './drizzle.ts';

type Evidence = Readonly<Record<string, unknown>>;

/** Bytes, offsets and tokens: exact in a JavaScript number up to 9 PB. */
const count = (name: string) => bigint(name, { mode: 'number' });

/** A job as it is now. Only the statement that also writes `job_transitions` changes its state. */
export const jobs = pgTable(
  'jobs',
  {
    id: uuid('id').primaryKey(),
    state: text('state', { enum: JOB_STATES }).notNull().default('pending'),
    /** Moves so far; the history's newest row has this number. */
    version: integer('version').notNull().default(0),
    /** Fencing token: grows with every owner, and only the newest owner may write. */
    token: count('token').notNull().default(0),
    attempt: integer('attempt').notNull().default(0),
    spec: json<JobSpec>('spec').notNull(),
    sourceUrl: words('source_url').notNull(),
    output: words('output').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    startedAt: instant('started_at'),
    ending: words('ending'),
    verdict: words('verdict'),
    outcome: text('outcome', { enum: OUTCOMES }),
    /** Why of the last move. */
    cause: words('cause'),
    evidence: json<Evidence>('evidence'),
  },
  // Not on the state: an update that touches no indexed column stays on its page, and needs no vacuum.
  (table) => [index('jobs_created_at').on(table.createdAt)],
);

/** The moves that the statechart allows. The foreign key on it makes Postgres refuse all others. */
export const legalMoves = pgTable(
  'legal_moves',
  {
    from: text('from_state', { enum: JOB_STATES }).notNull(),
    to: text('to_state', { enum: JOB_STATES }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.from, table.to] })],
);

/** Every move of every job, append-only. */
export const jobTransitions = pgTable(
  'job_transitions',
  {
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    version: integer('version').notNull(),
    from: text('from_state', { enum: JOB_STATES }).notNull(),
    to: text('to_state', { enum: JOB_STATES }).notNull(),
    cause: words('cause').notNull(),
    evidence: json<Evidence>('evidence').notNull(),
    token: count('token').notNull(),
    attempt: integer('attempt').notNull(),
    at: instant('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.jobId, table.version] }),
    foreignKey({
      name: 'job_transitions_legal',
      columns: [table.from, table.to],
      foreignColumns: [legalMoves.from, legalMoves.to],
    }),
  ],
);

/** What was decided about jobs, by whom and why, append-only. */
export const decisions = pgTable(
  'decisions',
  {
    id: count('id').primaryKey().generatedAlwaysAsIdentity(),
    /** Made by the writer, so that a batch whose answer was lost can be sent again. */
    key: uuid('key').notNull().unique(),
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    at: instant('at').notNull(),
    dog: words('dog').notNull(),
    decision: words('decision').notNull(),
    why: words('why').notNull(),
    evidence: json<Evidence>('evidence').notNull(),
  },
  (table) => [index('decisions_job').on(table.jobId, table.id)],
);

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
