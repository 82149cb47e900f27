import type { Decision } from '../../machines/vocabulary.ts';
import type { Capacity, Overload } from '../capacity/capacity.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { admission, endOf, isBySize, isHolding, type PassedJob } from './admission.ts';
import {
  afterTime,
  type Competitor,
  competes,
  NOTHING_OWED,
  nextTenant,
  type Owed,
} from './fairShare.ts';
import type { QueueRecords, WaitingJob } from './queueRecords.ts';

/** Jobs of one tenant that are looked at in one round: more than a node begins at once, few enough to read every time. */
export const DUE_PER_TENANT = 100;

/** Why a job that leaves the queue shall not begin. */
export interface Refusal {
  readonly to: 'rejected' | 'expired';
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What begins jobs, and ends those that shall never begin. */
export interface QueueRunner {
  /** Rejects when it cannot: nothing has happened to the job then. */
  begin(jobId: string): Promise<void>;
  /** Resolves once the job has ended so. Rejects when it cannot. */
  refuse(jobId: string, refusal: Refusal): Promise<void>;
}

/** What became of a job in the queue. */
export type QueueOutcome =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'rejected'; readonly overload: Overload }
  | { readonly kind: 'expired' }
  | { readonly kind: 'waiting'; readonly overload?: Overload };

export interface QueueRoundParts {
  readonly records: QueueRecords;
  readonly capacity: Pick<Capacity, 'overload' | 'admitted' | 'ended'>;
  readonly runner: QueueRunner;
  readonly clock: Clock;
  readonly log: Log;
  record(decision: Decision): void;
  /** Called once for each job that was begun or refused, and in every round for each that was looked at and waits on. */
  onOutcome(jobId: string, outcome: QueueOutcome): void;
}

/** A tenant within a round. */
interface Contender extends Competitor {
  running: number;
  /** Jobs that nobody has looked at in this round. */
  waiting: number;
  readonly queue: WaitingJob[];
  /** Jobs that are due and still wait. */
  left: number;
}

interface Look {
  readonly now: number;
  readonly contenders: ReadonlyMap<string, Contender>;
  /** What did not fit, by the key of its cost: it fits no better after others were admitted. */
  readonly overloads: Map<string, Overload>;
  /** Jobs that wait for being large, and may be passed now. */
  readonly large: Map<string, Overload>;
  /** The large job that room is kept for, if there is one. */
  passed: PassedJob | undefined;
  readonly reasons: Map<string, string>;
}

/** What the queue does each time: ends what waited for too long, begins what may begin and fits. */
export class QueueRound {
  readonly #parts: QueueRoundParts;
  #owed: Owed = NOTHING_OWED;
  #stood: readonly Competitor[] = [];
  #stoodAt = 0;
  /** Why each job waits, as it was recorded. */
  #reasons: ReadonlyMap<string, string> = new Map();
  /** Since when large jobs have been passed, milliseconds since the epoch. */
  readonly #passedSince = new Map<string, number>();
  /** Jobs whose leaving the queue was not answered, or that could not be put back: they are put back before anything else. */
  readonly #doubtful = new Set<string>();
  readonly #underway = new Map<string, Promise<void>>();

  constructor(parts: QueueRoundParts) {
    this.#parts = parts;
  }

  /** Rejects with `database.unavailable` when that is away: what was done until then is done. */
  async run(): Promise<void> {
    for (const id of this.#doubtful) {
      await this.#parts.records.putBack(id);
      this.#doubtful.delete(id);
    }
    const now = this.#parts.clock.now();
    for (const job of await this.#parts.records.overdue(now)) await this.#expire(job, now);
    await this.#admit(now);
  }

  /** A job that may be out of the queue with nobody to have it is put back before the next round. */
  doubt(jobId: string): void {
    this.#doubtful.add(jobId);
  }

  /** Whether a job has left the queue and is being begun or refused. */
  isUnderway(jobId: string): boolean {
    return this.#underway.has(jobId);
  }

  /** Resolves once nothing is being begun or refused. */
  async settled(): Promise<void> {
    await Promise.all(this.#underway.values());
  }

  async #expire(job: WaitingJob, now: number): Promise<void> {
    const evidence = {
      waitedMs: now - Math.min(now, job.runAt),
      waitedFor: this.#reasons.get(job.id) ?? (job.runAt > now ? 'start' : 'turn'),
      expiresAt: job.expiresAt,
    };
    if (!(await this.#takeOut(job.id))) return;
    const refusal = { to: 'expired', why: 'queue.expired', evidence } as const;
    this.#refuse(job, refusal, { kind: 'expired' });
  }

  async #admit(now: number): Promise<void> {
    const look = await this.#look(now);
    await this.#keepRoom(look);
    for (;;) {
      const contender = nextTenant(this.#owed, [...look.contenders.values()]);
      const job = contender?.queue.shift();
      if (!contender || !job) break;
      contender.waiting--;
      await this.#judge(job, contender, look);
    }
    for (const contender of look.contenders.values()) {
      for (const job of contender.queue) await this.#tenantIsFull(job, contender, look);
    }
    this.#remember(look);
  }

  async #look(now: number): Promise<Look> {
    const { records, clock } = this.#parts;
    const due = await records.due(now, DUE_PER_TENANT);
    const standings = await records.standings();
    this.#owed = afterTime(this.#owed, this.#stood, Math.max(0, clock.elapsed() - this.#stoodAt));
    this.#stoodAt = clock.elapsed();
    const queues = Map.groupBy(due, ({ tenantId }) => tenantId);
    const contenders = new Map(
      standings.map((standing): [string, Contender] => {
        const queue = [...(queues.get(standing.tenantId) ?? [])];
        const { length } = queue;
        return [standing.tenantId, { ...standing, waiting: length, left: length, queue }];
      }),
    );
    const isDue = new Set(due.map(({ id }) => id));
    for (const id of this.#passedSince.keys()) {
      if (!isDue.has(id)) this.#passedSince.delete(id);
    }
    const none = { overloads: new Map(), large: new Map(), reasons: new Map() };
    return { now, contenders, passed: undefined, ...none };
  }

  /** The job that was passed for the longest time goes first when that may not go on; where it does not fit, room is kept. */
  async #keepRoom(look: Look): Promise<void> {
    const passed = [...look.contenders.values()].filter(competes).flatMap((contender) =>
      contender.queue.flatMap((job) => {
        const since = this.#passedSince.get(job.id);
        return since === undefined ? [] : { job, since, contender };
      }),
    );
    const [first] = passed.toSorted((one, other) => one.since - other.since);
    if (!first || !isHolding(look.now - first.since)) return;
    const { job, since, contender } = first;
    contender.queue.splice(contender.queue.indexOf(job), 1);
    contender.waiting--;
    await this.#judge(job, contender, look);
    const overload = look.large.get(job.id);
    if (overload) look.passed = { jobId: job.id, since, overload };
  }

  async #judge(job: WaitingJob, contender: Contender, look: Look): Promise<void> {
    const { capacity } = this.#parts;
    const { now, overloads, passed } = look;
    const overload = overloads.get(job.costKey) ?? capacity.overload(job.costKey);
    if (overload) overloads.set(job.costKey, overload);
    const answer = admission({ job, overload, passed, now });
    if (answer.verdict === 'admit') return await this.#take(job, contender, look);
    if (answer.verdict === 'reject') return await this.#reject(job, contender, answer);
    if (overload && isBySize(overload)) look.large.set(job.id, overload);
    this.#wait(job, look, answer);
  }

  async #tenantIsFull(job: WaitingJob, contender: Contender, look: Look): Promise<void> {
    const { tenantId, running, runningMax = running } = contender;
    const overload: Overload = {
      resource: 'slots',
      explanation: `Of ${tenantId}, ${runningMax} jobs may run at once, and ${running} do.`,
      limit: runningMax,
      expected: running,
      needed: 1,
    };
    const why = 'tenant';
    if (job.mayWait) this.#wait(job, look, { why, overload });
    else await this.#reject(job, contender, { why, overload });
  }

  async #take(job: WaitingJob, contender: Contender, look: Look): Promise<void> {
    const { id, tenantId, costKey, runAt } = job;
    contender.left--;
    if (!(await this.#takeOut(id))) return;
    contender.running++;
    for (const large of look.large.keys()) {
      if (!this.#passedSince.has(large)) this.#passedSince.set(large, look.now);
    }
    const endsAt = endOf(job, look.now);
    this.#parts.capacity.admitted({ id, costKey, ...(endsAt !== undefined && { endsAt }) });
    const { running, weight, runningMax } = contender;
    const evidence = {
      waitedMs: Math.max(0, look.now - runAt),
      waitedFor: this.#reasons.get(id),
      tenant: { tenantId, weight, running, runningMax },
      owedMs: Math.round(this.#owed.get(tenantId) ?? 0),
    };
    const decision = { jobId: id, dog: 'queue', decision: 'queue.admit', why: 'room', evidence };
    this.#begin(job, decision);
  }

  async #reject(
    job: WaitingJob,
    contender: Contender,
    { why, overload }: { readonly why: string; readonly overload: Overload },
  ): Promise<void> {
    contender.left--;
    if (!(await this.#takeOut(job.id))) return;
    const evidence = { reason: why, mayWait: job.mayWait, overload: { ...overload } };
    const refusal = { to: 'rejected', why: 'capacity.exceeded', evidence } as const;
    this.#refuse(job, refusal, { kind: 'rejected', overload });
  }

  #wait(
    { id }: WaitingJob,
    { reasons }: Look,
    { why, overload }: { readonly why: string; readonly overload: Overload },
  ): void {
    reasons.set(id, why);
    if (this.#reasons.get(id) !== why) {
      const evidence = { overload: { ...overload } };
      this.#parts.record({ jobId: id, dog: 'queue', decision: 'queue.wait', why, evidence });
    }
    this.#parts.onOutcome(id, { kind: 'waiting', overload });
  }

  #remember({ contenders, reasons }: Look): void {
    this.#reasons = reasons;
    this.#stood = [...contenders.values()].map((one) => ({ ...one, waiting: one.left }));
  }

  /** False when somebody else has it. When there is no answer, it is put back before the next round. */
  async #takeOut(id: string): Promise<boolean> {
    try {
      return await this.#parts.records.takeOut(id);
    } catch (error) {
      this.#doubtful.add(id);
      throw error;
    }
  }

  #begin(job: WaitingJob, decision: Decision): void {
    const { runner, capacity, record, onOutcome } = this.#parts;
    this.#follow(job.id, async () => {
      try {
        await runner.begin(job.id);
      } catch (error) {
        capacity.ended(job.id);
        throw error;
      }
      record(decision);
      onOutcome(job.id, { kind: 'admitted' });
    });
  }

  #refuse(job: WaitingJob, refusal: Refusal, outcome: QueueOutcome): void {
    const { runner, record, onOutcome } = this.#parts;
    const { to, why, evidence } = refusal;
    const decision = to === 'expired' ? 'queue.expire' : 'queue.reject';
    this.#follow(job.id, async () => {
      await runner.refuse(job.id, refusal);
      record({ jobId: job.id, dog: 'queue', decision, why, evidence });
      onOutcome(job.id, outcome);
    });
  }

  /** What begins or ends a job may take its time: the queue goes on meanwhile. A job with which it fails is put back. */
  #follow(id: string, act: () => Promise<void>): void {
    const { log, onOutcome } = this.#parts;
    const acting = act()
      .catch((error: unknown) => {
        this.#doubtful.add(id);
        log('warn', 'a job that left the queue was not taken, and is put back', {
          jobId: id,
          error: messageOf(error),
        });
        onOutcome(id, { kind: 'waiting' });
      })
      .finally(() => this.#underway.delete(id));
    this.#underway.set(id, acting);
  }
}
