import { KennelError } from '../core/errors.ts';
import type { KennelDatabase } from './database.ts';
import { type EnqueueQueries, enqueueQueries } from './enqueueQueries.ts';
import { idempotencyQueries } from './idempotencyQueries.ts';
import type { KeyedRequest, QueueEntry } from './queueEntry.ts';
import { receiverQueries } from './webhookQueries.ts';

interface Taking {
  readonly entry: QueueEntry;
  readonly request: KeyedRequest | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Taken {
  readonly id: string;
  readonly isReplayed: boolean;
}

/**
 * Takes a job into the queue, within a transaction: all of it, or nothing. Locks are taken before what they guard is read, each
 * in a statement of its own, since a statement sees what was committed before it began and not before it had its lock.
 */
export async function takeIn(transaction: KennelDatabase, taking: Taking): Promise<Taken> {
  const { entry, request, at } = taking;
  const queries = enqueueQueries(transaction);
  const replayed = request && (await earlierAnswer(transaction, taking, request));
  if (replayed !== undefined) return { id: replayed, isReplayed: true };
  const same = await sameJob(queries, entry);
  if (same !== undefined) return { id: same, isReplayed: true };
  await assertAlone(queries, entry);
  await assertRoom(queries, entry.tenantId);
  const [made] = await queries.insert(rowOf(entry, at));
  if (!made) return { id: await standing(queries, entry), isReplayed: true };
  await tellOf(transaction, entry, at);
  if (entry.retryOf !== undefined) await queries.settleRetry(entry.retryOf);
  if (request) await storeAnswer(transaction, taking, request);
  return { id: entry.id, isReplayed: false };
}

/** The receiver that a job brings hears it from its beginning: its place in the log is before everything. */
async function tellOf(
  transaction: KennelDatabase,
  { id: jobId, tenantId, callback }: QueueEntry,
  at: number,
): Promise<void> {
  if (callback === undefined) return;
  const { id, url, secret } = callback;
  const beginning = { cursorXid: '0', cursorId: 0 };
  const receiver = { id, jobId, tenantId, url, secrets: [secret], createdAt: at, ...beginning };
  await receiverQueries(transaction).insert(receiver);
}

/** The job of the first time, when the request has been answered before. */
async function earlierAnswer(
  transaction: KennelDatabase,
  { entry: { tenantId }, at }: Taking,
  request: KeyedRequest,
): Promise<string | undefined> {
  const { key } = request;
  if (!(await enqueueQueries(transaction).tryLockKey(tenantId, key))) throw busy(key);
  const found = await replay(transaction, { tenantId, request, at });
  // One that has expired makes room.
  if (found === undefined) await idempotencyQueries(transaction).remove(tenantId, key);
  return found;
}

/**
 * What a request was answered with before; undefined when it was not, or so long ago that it counts as new.
 *
 * @throws KennelError `idempotency.conflict`
 */
export async function replay(
  database: KennelDatabase,
  asked: { readonly tenantId: string; readonly request: KeyedRequest; readonly at: number },
): Promise<string | undefined> {
  const { tenantId, request, at } = asked;
  const { key, fingerprint } = request;
  const [found] = await idempotencyQueries(database).answer(tenantId, key);
  if (!found || found.expiresAt <= at) return undefined;
  if (found.fingerprint !== fingerprint) {
    throw new KennelError(
      'idempotency.conflict',
      'This Idempotency-Key was used for something else; take a new key for a new request.',
      { details: { key } },
    );
  }
  const { body } = found;
  if (typeof body === 'object' && body && 'id' in body && typeof body.id === 'string')
    return body.id;
  throw new Error(`the answer under the key ${key} names no job`);
}

/** The lock is the first word, the unique key the last: a node that locks otherwise cannot make a second job either. */
async function storeAnswer(
  transaction: KennelDatabase,
  { entry: { id, tenantId } }: Taking,
  { key, fingerprint, expiresAt }: KeyedRequest,
): Promise<void> {
  const row = { tenantId, key, fingerprint, expiresAt, status: 201, body: { id } };
  const stored = await idempotencyQueries(transaction).insert(row);
  if (stored.length === 0) throw busy(key);
}

const busy = (key: string) =>
  new KennelError(
    'idempotency.busy',
    'The first request with this Idempotency-Key is still being taken in; ask again in a moment.',
    { retryable: false, details: { key } },
  );

/** The same try of a job, or the same window of a schedule, if it is there already. */
async function sameJob(
  queries: EnqueueQueries,
  { retryOf, scheduleId, terms }: QueueEntry,
): Promise<string | undefined> {
  if (retryOf !== undefined) return (await queries.byRetryOf(retryOf))[0]?.id;
  if (scheduleId === undefined || terms.startAt === undefined) return undefined;
  return (await queries.byWindow(scheduleId, terms.startAt))[0]?.id;
}

/** One recording of a source at a time, unless more are wanted. */
async function assertAlone(queries: EnqueueQueries, entry: QueueEntry): Promise<void> {
  const { tenantId, sourceKey, terms, scheduleId } = entry;
  if (terms.isDuplicateWanted === true) return;
  await queries.lockSource(tenantId, sourceKey);
  const [other] = await queries.recordsTheSame(tenantId, sourceKey, scheduleId);
  if (!other) return;
  throw new KennelError(
    'job.duplicate',
    `The job ${other.id} records this already, or is about to; ask for a duplicate if you want one.`,
    { details: { jobId: other.id } },
  );
}

async function assertRoom(queries: EnqueueQueries, tenantId: string): Promise<void> {
  const [tenant] = await queries.tenant(tenantId);
  if (!tenant) {
    throw new KennelError('tenant.notFound', `there is no tenant ${tenantId}`, {
      details: { tenantId },
    });
  }
  const { waitingMax } = tenant;
  if (waitingMax === null) return;
  await queries.lockTenant(tenantId);
  const [now] = await queries.waitingOf(tenantId);
  const waiting = now?.waiting ?? 0;
  if (waiting < waitingMax) return;
  throw new KennelError(
    'tenant.full',
    `${waiting} jobs of ${tenantId} wait, and no more than ${waitingMax} may; try again when some have begun.`,
    { details: { tenantId, waiting, waitingMax } },
  );
}

function rowOf(entry: QueueEntry, at: number) {
  const { id, spec, tenantId, keyId, sourceKey, costKey, terms, retryOf, tries, scheduleId } =
    entry;
  const { priority = 0, startAt = at, expiresAt, mayWait = true, retry, labels = {} } = terms;
  return {
    id,
    spec,
    sourceUrl: spec.url,
    output: spec.output,
    createdAt: at,
    updatedAt: at,
    tenantId,
    keyId: keyId ?? null,
    labels,
    waiting: true,
    priority,
    runAt: startAt,
    expiresAt: expiresAt ?? null,
    mayWait,
    sourceKey,
    costKey,
    retry: retry ?? null,
    retryOf: retryOf ?? null,
    tries: tries ?? 1,
    scheduleId: scheduleId ?? null,
  };
}

/** Somebody else was faster: the job that stands there now. */
async function standing(queries: EnqueueQueries, entry: QueueEntry): Promise<string> {
  const same = await sameJob(queries, entry);
  if (same !== undefined) return same;
  const [row] = await queries.byId(entry.id);
  if (row) return row.id;
  throw new Error(`the job ${entry.id} was not taken in, and nothing says why`);
}
