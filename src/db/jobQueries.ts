import { type JobSpec, type JobState, TERMINAL_STATES } from '../../machines/vocabulary.ts';
import type { KennelDatabase } from './database.ts';
import { and, asc, desc, eq, like, notInArray, or, sql } from './drizzle.ts';
import { decisions, jobs, jobTransitions } from './schema.ts';
import { type Guard, transitionStatement } from './transition.ts';

export interface NewJob {
  readonly id: string;
  readonly spec: JobSpec;
  readonly at: number;
}

/** The statements on jobs, one function each. */
export function jobQueries(database: KennelDatabase) {
  const idText = sql<string>`${jobs.id}::text`;
  return {
    transition: transitionStatement(database),

    /** Nothing comes back when there is such a job already. */
    insert: ({ id, spec, at }: NewJob) =>
      database
        .insert(jobs)
        .values({
          id,
          spec,
          sourceUrl: spec.url,
          output: spec.output,
          createdAt: at,
          updatedAt: at,
          runAt: at,
        })
        .onConflictDoNothing()
        .returning(),

    /** A job that has ended stays as it is. */
    respec: (id: string, spec: JobSpec) =>
      database
        .update(jobs)
        .set({ spec })
        .where(and(eq(jobs.id, id), notInArray(jobs.state, [...TERMINAL_STATES]))),

    byId: (id: string) => database.select().from(jobs).where(eq(jobs.id, id)),

    byIdPart: (part: string, limit: number) =>
      database
        .select()
        .from(jobs)
        .where(or(like(idText, `${part}%`), like(idText, `%${part}`)))
        .orderBy(asc(jobs.createdAt), asc(jobs.id))
        .limit(limit),

    /** Newest first. */
    newest: (limit: number, state: JobState | undefined) =>
      database
        .select()
        .from(jobs)
        .where(state && eq(jobs.state, state))
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(limit),

    /** Oldest first. */
    unfinished: () =>
      database
        .select()
        .from(jobs)
        .where(notInArray(jobs.state, [...TERMINAL_STATES]))
        .orderBy(asc(jobs.createdAt), asc(jobs.id)),

    /**
     * Takes the next token, unless somebody else did since `token` was read. Without that condition, a try whose answer was
     * lost could arrive late and fence the owner who made it.
     */
    takeToken: (id: string, token: number) =>
      database
        .update(jobs)
        .set({ token: token + 1 })
        .where(and(eq(jobs.id, id), eq(jobs.token, token)))
        .returning(),

    /** Who owns the job now, where it stands, and who wrote the move after the guard's version, if it was written. */
    afterGuard: ({ jobId, version }: Guard) =>
      database
        .select({
          token: jobs.token,
          version: jobs.version,
          state: jobs.state,
          writtenBy: jobTransitions.token,
          writtenTo: jobTransitions.to,
        })
        .from(jobs)
        .leftJoin(
          jobTransitions,
          and(eq(jobTransitions.jobId, jobs.id), eq(jobTransitions.version, version + 1)),
        )
        .where(eq(jobs.id, jobId)),
  };
}

export type JobQueries = ReturnType<typeof jobQueries>;

/** The statements on what was told about jobs, one function each. */
export function historyQueries(database: KennelDatabase) {
  return {
    transitions: (jobId: string) =>
      database
        .select()
        .from(jobTransitions)
        .where(eq(jobTransitions.jobId, jobId))
        .orderBy(asc(jobTransitions.version)),

    decisions: (jobId: string) =>
      database
        .select({
          id: decisions.id,
          jobId: decisions.jobId,
          at: decisions.at,
          dog: decisions.dog,
          decision: decisions.decision,
          why: decisions.why,
          evidence: decisions.evidence,
        })
        .from(decisions)
        .where(eq(decisions.jobId, jobId))
        .orderBy(asc(decisions.id)),

    insertDecisions: (rows: readonly (typeof decisions.$inferInsert)[]) =>
      database
        .insert(decisions)
        .values([...rows])
        .onConflictDoNothing({ target: decisions.key }),
  };
}

export type HistoryQueries = ReturnType<typeof historyQueries>;
