import { validate as isUuid } from 'uuid';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import type { RetryTerms } from '../core/queueTerms.ts';
import type { Database } from './database.ts';
import { replay, takeIn } from './enqueue.ts';
import { idempotencyQueries } from './idempotencyQueries.ts';
import { askOnce } from './outage.ts';
import type { KeyedRequest, QueueEntry } from './queueEntry.ts';
import {
  type QueueQueries,
  queueQueries,
  type RetryQueries,
  retryQueries,
} from './queueQueries.ts';

interface FailedJob {
  readonly id: string;
  readonly tenantId: string;
  readonly tries: number;
  readonly retry: RetryTerms;
  readonly endedAt: number;
  readonly verdict?: string;
  readonly endAt?: number;
}

/** The queue as the database has it: job rows that wait. Every call asks once and throws `database.unavailable` when it is away. */
export class QueueStore {
  readonly #database: Database['db'];
  readonly #queries: QueueQueries;
  readonly #retries: RetryQueries;
  readonly #clock: Clock;

  constructor({ db }: Pick<Database, 'db'>, { clock }: { readonly clock: Clock }) {
    this.#database = db;
    this.#queries = queueQueries(db);
    this.#retries = retryQueries(db);
    this.#clock = clock;
  }

  /**
   * Adds a job, in one transaction with the answer to its request.
   *
   * @throws KennelError `idempotency.conflict`, `idempotency.busy`, `job.duplicate`, `tenant.full`, `tenant.notFound`
   */
  async enqueue(
    entry: QueueEntry,
    request?: KeyedRequest,
  ): Promise<{ readonly id: string; readonly isReplayed: boolean }> {
    const at = this.#clock.now();
    const { tenantId } = entry;
    // Most repetitions come after the first answer: they need no lock and no transaction.
    const id = request && (await askOnce(() => replay(this.#database, { tenantId, request, at })));
    if (id !== undefined) return { id, isReplayed: true };
    return await askOnce(() =>
      this.#database.transaction((transaction) => takeIn(transaction, { entry, request, at })),
    );
  }

  /** A job as it came into the queue. Throws `job.notFound`. */
  async queued(id: string): Promise<QueueEntry> {
    const [row] = isUuid(id) ? await askOnce(() => this.#queries.byId(id)) : [];
    if (!row) throw new KennelError('job.notFound', `there is no job ${id}`, { details: { id } });
    const { spec, tenantId, keyId, sourceKey, costKey, tries, retryOf, scheduleId } = row;
    const { priority, expiresAt, mayWait, retry, labels, runAt } = row;
    return {
      id,
      spec,
      tenantId,
      ...(keyId !== null && { keyId }),
      sourceKey,
      costKey,
      terms: {
        priority,
        startAt: runAt,
        mayWait,
        labels,
        ...(expiresAt !== null && { expiresAt }),
        ...(retry !== null && { retry }),
      },
      tries,
      ...(retryOf !== null && { retryOf }),
      ...(scheduleId !== null && { scheduleId }),
    };
  }

  async due(now: number, limit: number) {
    const rows = await askOnce(() => this.#queries.due(now, limit));
    return rows.map(waitingJob);
  }

  async standings() {
    const rows = await askOnce(() => this.#queries.standings());
    return rows.map(({ runningMax, waitingMax, ...standing }) => ({
      ...standing,
      ...(runningMax !== null && { runningMax }),
      ...(waitingMax !== null && { waitingMax }),
    }));
  }

  async takeOut(id: string): Promise<boolean> {
    const taken = await askOnce(() => this.#queries.takeOut(id));
    return taken.length > 0;
  }

  async putBack(id: string): Promise<void> {
    await askOnce(() => this.#queries.putBack(id));
  }

  async overdue(now: number) {
    const rows = await askOnce(() => this.#queries.overdue(now));
    return rows.map(waitingJob);
  }

  async nextMoment(now: number): Promise<number | undefined> {
    const [next] = await askOnce(() => this.#queries.nextMoments(now));
    const moments = [next?.runAt, next?.expiresAt].filter((at) => typeof at === 'number');
    return moments.length > 0 ? Math.min(...moments) : undefined;
  }

  async retriesDue(): Promise<readonly FailedJob[]> {
    const rows = await askOnce(() => this.#retries.retriesDue());
    return rows.flatMap(({ retry, endedAt, verdict, endAt, ...failed }) =>
      retry === null || endedAt === null
        ? []
        : {
            ...failed,
            retry,
            endedAt,
            ...(verdict !== null && { verdict }),
            ...(endAt !== null && { endAt }),
          },
    );
  }

  async settleRetry(id: string): Promise<void> {
    await askOnce(() => this.#retries.settleRetry(id));
  }

  /** Answers that nobody can ask for again. */
  async forgetAnswers(now: number): Promise<void> {
    await askOnce(() => idempotencyQueries(this.#database).forget(now));
  }
}

type WaitingRow = Awaited<ReturnType<QueueQueries['overdue']>>[number];

const waitingJob = ({ expiresAt, durationMs, endAt, ...row }: WaitingRow) => ({
  ...row,
  ...(expiresAt !== null && { expiresAt }),
  ...(durationMs !== null && { durationMs }),
  ...(endAt !== null && { endAt }),
});

export const queueStore = (
  database: Pick<Database, 'db'>,
  options: { readonly clock: Clock },
): QueueStore => new QueueStore(database, options);
