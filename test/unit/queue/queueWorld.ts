import type { Decision } from '../../../machines/vocabulary.ts';
import type { Overload } from '../../../src/capacity/capacity.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { KennelError } from '../../../src/core/errors.ts';
import { QueueKeeper, type Windows } from '../../../src/queue/queueKeeper.ts';
import { byQueueOrder } from '../../../src/queue/queueOrder.ts';
import type {
  QueuedJob,
  QueueRecords,
  QueueTerms,
  RetryDue,
  WaitingJob,
} from '../../../src/queue/queueRecords.ts';
import type { Refusal } from '../../../src/queue/queueRound.ts';
import { SimClock } from '../../simulation/simClock.ts';
import { SPEC } from '../../support/database.ts';

export const MINUTE = 60_000;

interface Row extends QueuedJob {
  readonly createdAt: number;
  waiting: boolean;
  state: 'pending' | 'running' | 'failed' | 'ended';
  retrySettled?: boolean;
  endedAt?: number;
  verdict?: string;
}

interface Tenant {
  weight?: number;
  runningMax?: number;
}

/** What jobs of a kind need of the one resource that the node has, besides a slot. */
const sizeOf = (costKey: string): number => Number(costKey.split('|')[1] ?? 1);

/** A node, its queue and its database in memory, on a clock that is moved by hand. */
export class QueueWorld {
  readonly sim = new SimClock();
  readonly clock: Clock = {
    now: () => this.sim.now,
    elapsed: () => this.sim.now,
    setTimeout: this.sim.setTimeout,
    clearTimeout: this.sim.clearTimeout,
  };
  readonly rows = new Map<string, Row>();
  readonly tenants = new Map<string, Tenant>();
  readonly decisions: Decision[] = [];
  readonly begun: string[] = [];
  readonly refused: { readonly id: string; readonly refusal: Refusal }[] = [];
  readonly running = new Map<string, number>();
  readonly log: string[] = [];
  slots = Number.POSITIVE_INFINITY;
  memory = Number.POSITIVE_INFINITY;
  isDatabaseAway = false;
  /** Answers of the next so many takings are lost, although they were done. */
  lostAnswers = 0;
  cannotBegin = false;
  windows: Windows | undefined;
  readonly keeper: QueueKeeper;
  #count = 0;

  constructor() {
    this.keeper = new QueueKeeper({
      records: this.records,
      capacity: {
        overload: (costKey) => this.overload(costKey),
        admitted: ({ id, costKey }) => void this.running.set(id, sizeOf(costKey)),
        ended: (id) => void this.running.delete(id),
      },
      runner: {
        begin: async (id) => {
          if (this.cannotBegin) throw new KennelError('job.conflict', 'full');
          this.row(id).state = 'running';
          this.begun.push(id);
        },
        refuse: async (id, refusal) => {
          this.row(id).state = 'ended';
          this.refused.push({ id, refusal });
        },
      },
      windows: {
        open: async (now) => await this.windows?.open(now),
        nextMoment: async () => await this.windows?.nextMoment(),
      },
      clock: this.clock,
      log: (_, message) => void this.log.push(message),
      record: (decision) => void this.decisions.push(decision),
      newId: () => `again-${++this.#count}`,
      random: () => 0,
    });
  }

  /** Adds a job and gives its id back. */
  add(terms: QueueTerms = {}, more: Partial<QueuedJob> = {}): string {
    const id = more.id ?? `job-${String(++this.#count).padStart(4, '0')}`;
    const known = { tenantId: 'a', sourceKey: id, costKey: 'hls|1', spec: SPEC };
    const createdAt = this.sim.now;
    const startAt = terms.startAt ?? createdAt;
    const row = { ...known, ...more, id, terms: { ...terms, startAt }, createdAt };
    this.rows.set(id, { ...row, waiting: true, state: 'pending' });
    return id;
  }

  /** A job comes to its end. */
  end(id: string, verdict?: string): void {
    Object.assign(this.row(id), {
      state: verdict === undefined ? 'ended' : 'failed',
      endedAt: this.sim.now,
      ...(verdict !== undefined && { verdict }),
    });
    this.keeper.ended(id);
  }

  /** Time passes, and everything that comes of it. */
  async pass(ms: number): Promise<void> {
    const until = this.sim.now + ms;
    await settle();
    while ((this.sim.nextDue ?? Number.POSITIVE_INFINITY) <= until) {
      this.sim.step();
      await settle();
    }
    this.sim.now = until;
  }

  whys(id: string): string[] {
    return this.decisions
      .filter(({ jobId }) => jobId === id)
      .map(({ decision, why }) => `${decision} ${why}`);
  }

  row(id: string): Row {
    const row = this.rows.get(id);
    if (!row) throw new Error(`no job ${id}`);
    return row;
  }

  overload(costKey: string): Overload | undefined {
    const needed = sizeOf(costKey);
    const taken = [...this.running.values()].reduce((sum, one) => sum + one, 0);
    const explanation = 'It is too much.';
    if (this.running.size >= this.slots)
      return { resource: 'slots', explanation, limit: this.slots, expected: this.slots, needed: 1 };
    if (taken + needed > this.memory)
      return { resource: 'memory', explanation, limit: this.memory, expected: taken, needed };
    return undefined;
  }

  readonly records: QueueRecords & { forgetAnswers(): Promise<void> } = {
    enqueue: async (job) => {
      this.#ask();
      const same = [...this.rows.values()].find(
        ({ retryOf }) => retryOf !== undefined && retryOf === job.retryOf,
      );
      if (same) return { id: same.id, isReplayed: true };
      const other = [...this.rows.values()].find(
        (row) => row.sourceKey === job.sourceKey && ['pending', 'running'].includes(row.state),
      );
      if (other) throw new KennelError('job.duplicate', 'twice', { details: { jobId: other.id } });
      if (job.retryOf !== undefined) this.row(job.retryOf).retrySettled = true;
      return { id: this.add(job.terms, job), isReplayed: false };
    },
    queued: async (id) => this.row(id),
    due: async (now, limit) => {
      this.#ask();
      const due = this.#waiting().filter(({ runAt }) => runAt <= now);
      return [...Map.groupBy(due, ({ tenantId }) => tenantId).values()].flatMap((jobs) =>
        jobs.toSorted(byQueueOrder).filter(({ mayWait }, place) => place < limit || !mayWait),
      );
    },
    standings: async () => {
      this.#ask();
      const open = [...this.rows.values()].filter(({ state }) =>
        ['pending', 'running'].includes(state),
      );
      return [...Map.groupBy(open, ({ tenantId }) => tenantId)].map(([tenantId, jobs]) => ({
        tenantId,
        weight: 1,
        ...this.tenants.get(tenantId),
        running: jobs.filter(({ waiting }) => !waiting).length,
        waiting: jobs.filter(({ waiting }) => waiting).length,
      }));
    },
    takeOut: async (id) => {
      this.#ask();
      const row = this.row(id);
      const wasWaiting = row.waiting;
      row.waiting = false;
      if (this.lostAnswers > 0) {
        this.lostAnswers--;
        throw new KennelError('database.unavailable', 'lost', { retryable: true });
      }
      return wasWaiting;
    },
    putBack: async (id) => {
      this.#ask();
      const row = this.row(id);
      if (row.state === 'pending') row.waiting = true;
    },
    overdue: async (now) => {
      this.#ask();
      return this.#waiting().filter(({ expiresAt = now + 1 }) => expiresAt <= now);
    },
    nextMoment: async (now) => {
      this.#ask();
      const moments = this.#waiting().flatMap(({ runAt, expiresAt }) => [runAt, expiresAt ?? 0]);
      const later = moments.filter((at) => at > now);
      return later.length > 0 ? Math.min(...later) : undefined;
    },
    retriesDue: async () => {
      this.#ask();
      return [...this.rows.values()].flatMap((row): RetryDue[] => {
        const { id, tenantId, tries = 1, state, verdict = '', retrySettled, endedAt = 0 } = row;
        const { retry } = row.terms;
        if (!retry || retrySettled || state !== 'failed') return [];
        return [{ id, tenantId, tries, retry, endedAt, verdict }];
      });
    },
    settleRetry: async (id) => {
      this.row(id).retrySettled = true;
    },
    forgetAnswers: async () => undefined,
  };

  #waiting(): WaitingJob[] {
    return [...this.rows.values()]
      .filter(({ waiting }) => waiting)
      .map(({ id, tenantId, costKey, createdAt, terms }) => ({
        id,
        tenantId,
        costKey,
        createdAt,
        priority: terms.priority ?? 0,
        runAt: terms.startAt ?? createdAt,
        mayWait: terms.mayWait ?? true,
        ...(terms.expiresAt !== undefined && { expiresAt: terms.expiresAt }),
      }));
  }

  #ask(): void {
    if (this.isDatabaseAway)
      throw new KennelError('database.unavailable', 'away', { retryable: true });
  }
}

/** Everything that is due by now has happened after this. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
