import { isDeepStrictEqual } from 'node:util';
import { validate as isUuid } from 'uuid';
import type { Job, JobLog, Move, Store } from '../../machines/ports.ts';
import type { Decision, JobSpec, JobState } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { storableJson } from './columns.ts';
import type { Database } from './database.ts';
import { DecisionLog } from './decisionLog.ts';
import { jobLog } from './jobLog.ts';
import { type HistoryQueries, historyQueries, type JobQueries, jobQueries } from './jobQueries.ts';
import {
  type DecisionRecord,
  type JobRecord,
  jobOf,
  jobRecord,
  type TransitionRecord,
} from './jobRecord.ts';
import { askOnce } from './outage.ts';
import { type Persistence, persist } from './persist.ts';

/** Jobs that an ambiguous part of an id is answered with. */
const CANDIDATES_MAX = 10;
/** Any part of a UUID. */
const ID_PART = /^[0-9a-f-]{1,36}$/;

export interface JobStoreOptions {
  readonly clock: Clock;
  /** For the jitter of retries. Default: `Math.random`. */
  random?(): number;
  /** Called once for each move, after it is on disk; `at` is when it was made. */
  onMove?(jobId: string, move: Move, at: number): void;
  /** Called once for each decision, after it is on disk. */
  onDecision?(decision: Decision, at: number): void;
  readonly log?: Log;
}

/**
 * Jobs and their history. `open`, `commit` and `record` outlast outages; everything else asks once and throws
 * `database.unavailable` when there is no answer.
 */
export class JobStore implements Store {
  readonly #queries: JobQueries;
  readonly #history: HistoryQueries;
  readonly #persistence: Persistence;
  readonly #decisions: DecisionLog;
  readonly #closing = new AbortController();
  readonly #commits = new Set<Promise<void>>();
  readonly #onMove: (jobId: string, move: Move, at: number) => void;

  constructor({ db }: Pick<Database, 'db'>, options: JobStoreOptions) {
    const { clock, random = Math.random, log = () => undefined } = options;
    const { onMove = () => undefined, onDecision = () => undefined } = options;
    this.#queries = jobQueries(db);
    this.#history = historyQueries(db);
    this.#persistence = { clock, random, log };
    this.#onMove = onMove;
    this.#decisions = new DecisionLog({
      ...this.#persistence,
      queries: this.#history,
      signal: this.#closing.signal,
      onDecision,
    });
  }

  /** Adds a job. Saying the same again changes nothing; throws `job.conflict` for another job under the same id. */
  async create({ id, spec }: { readonly id: string; readonly spec: JobSpec }): Promise<JobRecord> {
    const at = this.#persistence.clock.now();
    const [made] = await askOnce(() => this.#queries.insert({ id, spec, at }));
    if (made) return jobRecord(made);
    const existing = await this.get(id);
    if (isDeepStrictEqual(existing.spec, JSON.parse(storableJson(spec)))) return existing;
    throw new KennelError('job.conflict', `there is another job ${id} already`, {
      details: { id },
    });
  }

  /** Replaces what an unfinished job asks for: whoever opens it next reads it so. Nothing happens to one that has ended. */
  async respec(id: string, spec: JobSpec): Promise<void> {
    await askOnce(() => this.#queries.respec(id, spec));
  }

  async open(jobId: string, signal: AbortSignal): Promise<{ job: Job; log: JobLog }> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const record = await persist(() => this.#take(jobId), either, this.#persistence);
    signal.throwIfAborted();
    const { version, token } = record;
    const log = jobLog({
      ...this.#persistence,
      owner: { jobId, version, token },
      queries: this.#queries,
      signal: this.#closing.signal,
      onMove: this.#onMove,
    });
    return { job: jobOf(record), log: { commit: (move) => this.#follow(log.commit(move)) } };
  }

  record(decision: Decision): void {
    this.#decisions.record(decision);
  }

  /** Throws `job.notFound`. */
  async get(id: string): Promise<JobRecord> {
    const [row] = isUuid(id) ? await askOnce(() => this.#queries.byId(id)) : [];
    if (!row) throw notFound(id);
    return jobRecord(row);
  }

  /**
   * The one job whose id begins or ends with `part`. Throws `job.notFound`, or `job.conflict` with
   * `details.candidates` when there are several.
   */
  async findByPrefix(part: string): Promise<JobRecord> {
    const wanted = part.toLowerCase();
    const found = ID_PART.test(wanted)
      ? await askOnce(() => this.#queries.byIdPart(wanted, CANDIDATES_MAX))
      : [];
    const [first, ...others] = found;
    if (!first) throw notFound(part);
    if (others.length === 0) return jobRecord(first);
    const candidates = found.map(({ id }) => id);
    throw new KennelError(
      'job.conflict',
      `${part} could be any of ${candidates.join(', ')}; give more of the id`,
      { details: { candidates } },
    );
  }

  /** The newest jobs first. */
  async list(wish: { readonly limit: number; readonly state?: JobState }): Promise<JobRecord[]> {
    const rows = await askOnce(() => this.#queries.newest(wish.limit, wish.state));
    return rows.map(jobRecord);
  }

  /** Every job that has not come to its end, the oldest first. */
  async findUnfinished(): Promise<JobRecord[]> {
    const rows = await askOnce(() => this.#queries.unfinished());
    return rows.map(jobRecord);
  }

  /** The job's moves in order. */
  async transitions(jobId: string): Promise<TransitionRecord[]> {
    return isUuid(jobId) ? await askOnce(() => this.#history.transitions(jobId)) : [];
  }

  /** What was decided about the job, in order. */
  async decisions(jobId: string): Promise<DecisionRecord[]> {
    return isUuid(jobId) ? await askOnce(() => this.#history.decisions(jobId)) : [];
  }

  /** Resolves once all moves and decisions so far are on disk, or refused. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#commits, this.#decisions.flush()]);
  }

  /** Gives up on whatever waits for an absent database. Call `flush` first to wait for it instead. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the job store is closed'));
    await this.flush();
    const { unwritten } = this.#decisions;
    if (unwritten > 0) {
      this.#persistence.log('error', 'Decisions were lost because the database was away', {
        lost: unwritten,
      });
    }
  }

  async #take(jobId: string): Promise<JobRecord> {
    for (;;) {
      const { token } = await this.get(jobId);
      const [taken] = await this.#queries.takeToken(jobId, token);
      if (taken) return jobRecord(taken);
    }
  }

  #follow(commit: Promise<void>): Promise<void> {
    this.#commits.add(commit);
    const forget = () => this.#commits.delete(commit);
    commit.then(forget, forget);
    return commit;
  }
}

const notFound = (id: string) =>
  new KennelError('job.notFound', `there is no job ${id}`, { details: { id } });

export const jobStore = (database: Pick<Database, 'db'>, options: JobStoreOptions): JobStore =>
  new JobStore(database, options);
