import { FencedError, type JobLog, type Move } from '../../machines/ports.ts';
import type { JobQueries } from './jobQueries.ts';
import { type Persistence, persist } from './persist.ts';
import type { Guard } from './transition.ts';

export interface JobLogOptions extends Persistence {
  readonly owner: Guard;
  readonly queries: JobQueries;
  /** Ends the tries when the store closes. */
  readonly signal: AbortSignal;
  onMove(jobId: string, move: Move, at: number): void;
}

/** One owner's moves, strictly in order. After one that was refused, all later ones are refused with the same error. */
export function jobLog(options: JobLogOptions): JobLog {
  const { owner, queries, signal, clock, onMove } = options;
  let { version } = owner;
  let tail: Promise<void> = Promise.resolve();

  const write = async (move: Move, at: number) => {
    const guard = { ...owner, version };
    await persist(
      async () => {
        if (await queries.transition(guard, move, at)) return;
        await assertWritten(queries, guard, move);
      },
      signal,
      options,
    );
    version += 1;
    onMove(owner.jobId, move, at);
  };
  return {
    commit(move) {
      const at = clock.now();
      tail = tail.then(() => write(move, at));
      return tail;
    },
  };
}

/** The guard did not hold. Well, if an earlier try was written and only its answer lost; else this owner is fenced. */
async function assertWritten(queries: JobQueries, guard: Guard, move: Move): Promise<void> {
  const [now] = await queries.afterGuard(guard);
  if (now?.writtenBy === guard.token && now.writtenTo === move.to) return;
  if (now?.token !== guard.token) {
    const owner = now ? `token ${now.token}` : 'nobody, it was deleted';
    throw new FencedError(`${guard.jobId} is owned by ${owner}; this is token ${guard.token}`);
  }
  throw new Error(
    `${guard.jobId} is ${now.state} at version ${now.version}; a move from ${move.from} at ${guard.version} is a bug`,
  );
}
