import type { Move } from '../../machines/ports.ts';
import { isTerminal } from '../../machines/vocabulary.ts';
import { storable } from './columns.ts';
import type { KennelDatabase } from './database.ts';
import { and, eq, sql } from './drizzle.ts';
import { jobs, jobTransitions } from './schema.ts';

/** The owner's word for which row it writes: at this version, under this token. */
export interface Guard {
  readonly jobId: string;
  readonly version: number;
  readonly token: number;
}

/**
 * A move in one statement and one round trip: the guarded update of the job and the line of its history. It returns false
 * when the guard did not hold, and throws the database's error when the move is illegal. Prepared once for each connection.
 */
export function transitionStatement(database: KennelDatabase) {
  const statement = preparedMove(database);
  return async (guard: Guard, move: Move, at: number): Promise<boolean> => {
    const { from, to, cause, evidence, attempt, startedAt, ending, verdict, outcome } = move;
    const written = await statement.execute({
      ...guard,
      from,
      to,
      cause,
      evidence,
      attempt,
      at,
      isEnd: isTerminal(to),
      // What was called off, refused or finished is not tried again.
      hasNothingToRetry: isTerminal(to) && to !== 'failed',
      startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
      ending: ending === undefined ? null : storable(ending),
      verdict: verdict === undefined ? null : storable(verdict),
      outcome: outcome ?? null,
    });
    return written.length > 0;
  };
}

function preparedMove(database: KennelDatabase) {
  const { placeholder } = sql;
  const kept = (name: 'ending' | 'verdict' | 'outcome') =>
    sql`coalesce(${placeholder(name)}::text, ${jobs[name]})`;
  const evidence = sql`${sql.param(placeholder('evidence'), jobTransitions.evidence)}::jsonb`;
  const cause = sql`${sql.param(placeholder('cause'), jobTransitions.cause)}::text`;
  const at = sql`${sql.param(placeholder('at'), jobTransitions.at)}::timestamptz`;

  const moved = database.$with('moved').as(
    database
      .update(jobs)
      .set({
        state: sql`${placeholder('to')}::text`,
        version: sql`${jobs.version} + 1`,
        attempt: sql`${placeholder('attempt')}::int`,
        updatedAt: at,
        startedAt: sql`coalesce(${placeholder('startedAt')}::timestamptz, ${jobs.startedAt})`,
        ending: kept('ending'),
        verdict: kept('verdict'),
        outcome: kept('outcome'),
        cause,
        evidence,
        // Nothing that has moved stands in the queue.
        waiting: false,
        endedAt: sql`case when ${placeholder('isEnd')}::boolean then ${at} end`,
        retrySettled: sql`${jobs.retrySettled} or ${placeholder('hasNothingToRetry')}::boolean`,
      })
      .where(
        and(
          eq(jobs.id, placeholder('jobId')),
          eq(jobs.version, placeholder('version')),
          eq(jobs.token, placeholder('token')),
          eq(jobs.state, placeholder('from')),
        ),
      )
      .returning({
        jobId: jobs.id,
        version: jobs.version,
        to: jobs.state,
        token: jobs.token,
        attempt: jobs.attempt,
      }),
  );
  return database
    .with(moved)
    .insert(jobTransitions)
    .select((query) =>
      query
        .select({
          jobId: moved.jobId,
          version: moved.version,
          from: sql<string>`${placeholder('from')}::text`.as('from_state'),
          to: moved.to,
          cause: cause.as('cause'),
          evidence: evidence.as('evidence'),
          token: moved.token,
          attempt: moved.attempt,
          at: at.as('at'),
        })
        .from(moved),
    )
    .returning({ version: jobTransitions.version })
    .prepare('transition');
}
