import { Worker } from 'node:worker_threads';
import { KennelError, messageOf } from '../../core/errors.ts';
import type { QueryResult, Reply, Request } from './protocol.ts';
import { unpackError } from './thrownError.ts';

interface QueryOptions {
  readonly rowMode?: 'array' | 'object';
}

/** What Drizzle's PGlite driver uses of PGlite. */
export interface PgliteQueries {
  query(sql: string, params?: unknown[], options?: QueryOptions): Promise<QueryResult>;
}

interface Waiting {
  resolve(result: QueryResult | null): void;
  reject(error: unknown): void;
}

/** The worker's file ends as this one does: `.ts` in a source tree, `.js` once built. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
);

/** One life of the worker thread. */
class Session {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  readonly ready: Promise<QueryResult | null>;
  readonly ended: Promise<void>;

  constructor(directory: string) {
    this.#worker = new Worker(WORKER, { workerData: { directory }, execArgv: [] });
    this.ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    let cause: unknown = new Error('the database thread ended');
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(gone(cause));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Sends a request; `id` is its number, which `begin` gives to the transaction. */
  ask(request: Request): { readonly id: number; readonly answer: Promise<QueryResult | null> } {
    const id = ++this.#lastId;
    const answer = new Promise<QueryResult | null>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#worker.postMessage({ id, ...request });
    return { id, answer };
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(unpackError(reply.error));
    else waiting?.resolve(reply.result);
  }
}

const gone = (cause: unknown) =>
  new KennelError('database.unavailable', `the embedded database stopped: ${messageOf(cause)}`, {
    cause,
    retryable: true,
  });

/**
 * PGlite in a worker thread, as far as Drizzle needs it. When the thread ends by itself (Postgres panics on a full disk),
 * what was asked is answered `database.unavailable`, and the next question starts it again.
 */
export class PgliteClient implements PgliteQueries {
  readonly #directory: string;
  #session: Promise<Session> | undefined;
  #isClosed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts the database. Throws `data.locked`, `database.unsafe`. */
  async start(): Promise<void> {
    await this.#open();
  }

  async query(sql: string, params?: unknown[], options?: QueryOptions): Promise<QueryResult> {
    return await query(await this.#open(), { sql, params, options });
  }

  async transaction<Result>(run: (transaction: PgliteQueries) => Promise<Result>): Promise<Result> {
    const session = await this.#open();
    const { id: transaction, answer } = session.ask({ op: 'begin' });
    await answer;
    let result: Result;
    try {
      result = await run({
        query: (sql, params, options) => query(session, { sql, params, options, transaction }),
      });
    } catch (error) {
      await session.ask({ op: 'rollback', transaction }).answer;
      throw error;
    }
    await session.ask({ op: 'commit', transaction }).answer;
    return result;
  }

  /** Ends the database well; later questions are refused. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const session = await this.#session?.catch(() => undefined);
    if (!session) return;
    await session.ask({ op: 'close' }).answer;
    await session.ended;
  }

  async #open(): Promise<Session> {
    if (this.#isClosed) throw new KennelError('database.unavailable', 'the database is closed');
    this.#session ??= this.#startSession();
    return await this.#session;
  }

  async #startSession(): Promise<Session> {
    const session = new Session(this.#directory);
    void session.ended.then(() => {
      this.#session = undefined;
    });
    await session.ready;
    return session;
  }
}

interface Query {
  readonly sql: string;
  readonly params: unknown[] | undefined;
  readonly options: QueryOptions | undefined;
  readonly transaction?: number;
}

async function query(session: Session, { sql, params = [], options, transaction }: Query) {
  const rowMode = options?.rowMode ?? 'object';
  const { answer } = session.ask({ op: 'query', sql, params, rowMode, transaction });
  const result = await answer;
  if (!result) throw new Error('the database thread answered a query with nothing');
  return result;
}
