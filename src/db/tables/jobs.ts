import { JOB_STATES, type JobSpec, OUTCOMES } from '../../../machines/vocabulary.ts';
import { DEFAULT_TENANT } from '../../core/access.ts';
import type { Labels, RetryTerms } from '../../core/queueTerms.ts';
import { count, instant, json, words } from '../columns.ts';
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  sql,
  text,
  uniqueIndex,
  uuid,
} from '../drizzle.ts';
import { schedules } from './schedules.ts';
import { tenants } from './tenants.ts';

type Evidence = Readonly<Record<string, unknown>>;

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

    /** Who asked for it, and under which name. */
    tenantId: text('tenant_id')
      .notNull()
      .default(DEFAULT_TENANT)
      .references(() => tenants.id),
    keyId: text('key_id'),
    labels: json<Labels>('labels').notNull().default({}),
    /** Stands in the queue: neither admitted nor ended. Whoever sets it to false has taken the job out of the queue. */
    waiting: boolean('waiting').notNull().default(false),
    /** Higher goes first among the jobs of a tenant. */
    priority: integer('priority').notNull().default(0),
    /** When it may begin; until then it waits whatever room there is. */
    runAt: instant('run_at').notNull(),
    /** When waiting is over: then it ends as `expired`. */
    expiresAt: instant('expires_at'),
    /** Whether it may wait for room. If not, it ends as `rejected` where there is none. */
    mayWait: boolean('may_wait').notNull().default(true),
    /** What it records, as far as two jobs can be seen to record the same: hex of a hash (`jobs/sourceKey.ts`). */
    sourceKey: text('source_key').notNull().default(''),
    /** What learnt costs are kept by, such as `hls|example.org` (`capacity/`). */
    costKey: words('cost_key').notNull().default(''),
    retry: json<RetryTerms>('retry'),
    /** The job that this one tries again, and the how manieth try it is. */
    retryOf: uuid('retry_of'),
    /** Whether another try was made or decided against; a job that has not failed has nothing to settle. */
    retrySettled: boolean('retry_settled').notNull().default(false),
    tries: integer('tries').notNull().default(1),
    scheduleId: uuid('schedule_id').references(() => schedules.id, { onDelete: 'set null' }),
    /** When it came to its end; null: it has not. Set by the move that ends it. */
    endedAt: instant('ended_at'),
  },
  // Not on the state: an update that touches no indexed column stays on its page, and needs no vacuum. `waiting` and `endedAt`
  // change once.
  (table) => [
    index('jobs_created_at').on(table.createdAt),
    index('jobs_tenant').on(table.tenantId, table.createdAt.desc(), table.id.desc()),
    // What has not ended is little, however many have: who records what, and how many of whom run.
    index('jobs_unfinished')
      .on(table.tenantId, table.sourceKey)
      .where(sql`${table.endedAt} is null`),
    index('jobs_waiting')
      .on(table.tenantId, table.priority.desc(), table.runAt, table.id)
      .where(sql`${table.waiting}`),
    index('jobs_retry')
      .on(table.endedAt)
      .where(sql`${table.retry} is not null and not ${table.retrySettled}`),
    uniqueIndex('jobs_retry_of').on(table.retryOf),
    uniqueIndex('jobs_schedule_run').on(table.scheduleId, table.runAt),
  ],
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
