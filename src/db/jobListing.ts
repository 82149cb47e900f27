import type { JobState } from '../../machines/vocabulary.ts';
import type { Database, KennelDatabase } from './database.ts';
import { and, desc, eq, gte, inArray, lt, or, sql } from './drizzle.ts';
import { type JobRecord, jobRecord } from './jobRecord.ts';
import { askOnce } from './outage.ts';
import { jobs, recordings } from './schema.ts';

export interface JobListQuery {
  readonly states?: readonly JobState[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Part of the link. */
  readonly text?: string;
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  /** Absent: everybody's. */
  readonly tenantId?: string;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after?: { readonly createdAt: number; readonly id: string };
}

/** A job, and what is recorded of it as far as that is indexed. */
export interface ListedJob extends JobRecord {
  readonly recorded?: {
    readonly segments: number;
    readonly lost: number;
    readonly bytes: number;
    readonly durationMs: number;
  };
}

/** Jobs as they are listed and shown. Every call asks once and throws `database.unavailable` when there is no answer. */
export class JobListing {
  readonly #database: KennelDatabase;

  constructor({ db }: Pick<Database, 'db'>) {
    this.#database = db;
  }

  /** The newest first: `limit` jobs at most, and how many the whole query has. */
  async page(
    query: JobListQuery,
  ): Promise<{ readonly jobs: readonly ListedJob[]; readonly totalCount: number }> {
    const { limit, after } = query;
    const wanted = this.#wanted(query);
    const behind = after && isBehind(after);
    const [rows, totalCount] = await Promise.all([
      askOnce(() =>
        this.#select()
          .where(and(wanted, behind))
          .orderBy(desc(jobs.createdAt), desc(jobs.id))
          .limit(limit),
      ),
      askOnce(() => this.#database.$count(jobs, wanted)),
    ]);
    return { jobs: rows.map(listed), totalCount };
  }

  async get(id: string): Promise<ListedJob | undefined> {
    const [row] = await askOnce(() => this.#select().where(eq(jobs.id, id)));
    return row && listed(row);
  }

  #select() {
    return this.#database
      .select({ job: jobs, recording: recordings })
      .from(jobs)
      .leftJoin(recordings, eq(recordings.jobId, jobs.id));
  }

  #wanted({ states, labels, text, createdFrom, createdBefore, tenantId }: JobListQuery) {
    return and(
      tenantId === undefined ? undefined : eq(jobs.tenantId, tenantId),
      states && states.length > 0 ? inArray(jobs.state, [...states]) : undefined,
      labels && Object.keys(labels).length > 0
        ? sql`${jobs.labels} @> ${JSON.stringify(labels)}::jsonb`
        : undefined,
      // `position` and not `like`: signs of patterns in a link are what they are.
      text === undefined || text === ''
        ? undefined
        : sql`position(${text} in ${jobs.sourceUrl}) > 0`,
      createdFrom === undefined ? undefined : gte(jobs.createdAt, createdFrom),
      createdBefore === undefined ? undefined : lt(jobs.createdAt, createdBefore),
    );
  }
}

const isBehind = ({ createdAt, id }: { readonly createdAt: number; readonly id: string }) =>
  or(lt(jobs.createdAt, createdAt), and(eq(jobs.createdAt, createdAt), lt(jobs.id, id)));

function listed({
  job,
  recording,
}: {
  readonly job: typeof jobs.$inferSelect;
  readonly recording: typeof recordings.$inferSelect | null;
}): ListedJob {
  if (recording === null) return jobRecord(job);
  const { segments, lost, bytes, durationsMs } = recording;
  const durationMs = Math.max(0, ...Object.values(durationsMs));
  return { ...jobRecord(job), recorded: { segments, lost, bytes, durationMs } };
}
