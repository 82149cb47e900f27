import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type PGlite, type Transaction, types } from '@electric-sql/pglite';
import { lockFile } from './lock.ts';
import { maintain } from './maintenance.ts';
import { openDurable } from './openDurable.ts';
import type { Reply, Request } from './protocol.ts';
import { packError } from './thrownError.ts';

/** PGlite lives in this thread: its queries run to their end, and would stop everything else meanwhile. */
interface OpenTransaction {
  readonly transaction: Transaction;
  end(how: 'commit' | 'rollback'): void;
  readonly ended: Promise<void>;
}

const ROLLED_BACK = new Error('rolled back, as asked');

/** Drizzle parses dates by itself; 1231, 1115, 1185, 1187 and 1182 are arrays of numbers and dates. */
const asText = (text: string) => text;
const PARSERS = Object.fromEntries(
  [
    types.TIMESTAMP,
    types.TIMESTAMPTZ,
    types.INTERVAL,
    types.DATE,
    1231,
    1115,
    1185,
    1187,
    1182,
  ].map((type) => [type, asText]),
);

/** Postgres is gone after these, and PGlite does not notice: the next query would loop and eat all memory. */
const isDeadly = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'RuntimeError' || // of WebAssembly
    ('severity' in error && (error.severity === 'PANIC' || error.severity === 'FATAL')));

interface Opened {
  readonly database: PGlite;
  /** Held here for as long as this thread can write: a lock that nothing refers to is collected, and so freed. */
  readonly lock: { release(): void };
}

class DatabaseThread {
  readonly #port: MessagePort;
  readonly #database: PGlite;
  readonly #lock: { release(): void };
  readonly #transactions = new Map<number, OpenTransaction>();
  readonly #maintenance: { stop(): void };

  constructor(port: MessagePort, { database, lock }: Opened) {
    this.#port = port;
    this.#database = database;
    this.#lock = lock;
    this.#maintenance = maintain(database, endIfDeadly);
    port.on('message', ({ id, ...request }: { id: number } & Request) => {
      void this.#answer(id, request);
    });
  }

  async #answer(id: number, request: Request): Promise<void> {
    let reply: Reply;
    try {
      reply = { id, result: await this.#do(id, request) };
    } catch (error) {
      this.#port.postMessage({ id, error: packError(error) } satisfies Reply);
      endIfDeadly(error);
      return;
    }
    this.#port.postMessage(reply);
    if (request.op === 'close') this.#port.close();
  }

  async #do(id: number, request: Request) {
    switch (request.op) {
      case 'query': {
        const { sql, params, rowMode } = request;
        const target =
          request.transaction === undefined
            ? this.#database
            : this.#open(request.transaction).transaction;
        const options = { rowMode, parsers: PARSERS };
        const { rows, fields, affectedRows } = await target.query(sql, params, options);
        return { rows, fields, ...(affectedRows !== undefined && { affectedRows }) };
      }
      case 'begin':
        await this.#begin(id);
        return null;
      case 'commit':
      case 'rollback': {
        const { end, ended } = this.#open(request.transaction);
        end(request.op);
        await ended;
        return null;
      }
      case 'close':
        this.#maintenance.stop();
        await this.#database.close();
        this.#lock.release();
        return null;
    }
  }

  /** Resolves once the transaction is open; it stays so until `end` is called. */
  #begin(id: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = this.#database
        .transaction(
          (transaction) =>
            new Promise<void>((commit, rollback) => {
              const end = (how: 'commit' | 'rollback') =>
                how === 'commit' ? commit() : rollback(ROLLED_BACK);
              this.#transactions.set(id, { transaction, end, ended });
              resolve();
            }),
        )
        .catch((error: unknown) => {
          if (error !== ROLLED_BACK) throw error;
        })
        .finally(() => this.#transactions.delete(id));
      ended.catch(reject);
    });
  }

  #open(id: number): OpenTransaction {
    const open = this.#transactions.get(id);
    if (!open) throw new Error(`transaction ${id} is not open`);
    return open;
  }
}

function endIfDeadly(error: unknown): void {
  if (isDeadly(error)) process.exit(1); // ends this thread only
}

async function run(port: MessagePort, { directory }: { directory: string }): Promise<void> {
  try {
    const lock = lockFile(`${directory}.lock`);
    new DatabaseThread(port, { database: await openDurable(directory), lock });
    port.postMessage({ id: 0, result: null } satisfies Reply);
  } catch (error) {
    port.postMessage({ id: 0, error: packError(error) } satisfies Reply);
    port.close();
  }
}

if (!parentPort) throw new Error('this module is the main module of a worker thread');
void run(parentPort, workerData);
