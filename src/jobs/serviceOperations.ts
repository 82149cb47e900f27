import { isTerminal } from '../../machines/vocabulary.ts';
import type { Overload } from '../capacity/capacity.ts';
import { mayDo, maySee, type Principal, type Scope } from '../core/access.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import { isUuid, newJobId } from '../core/ids.ts';
import type { QueueTerms } from '../core/queueTerms.ts';
import type { Proof } from '../ledger/proof.ts';
import type { SegmentLost } from '../ledger/record.ts';
import type { IdempotentAnswer, QueuedJob } from '../queue/queueRecords.ts';
import { changedEnd, type EndWish } from './changedEnd.ts';
import { costKey } from './costKey.ts';
import { historyOf } from './history.ts';
import type { JobRecords } from './jobRecords.ts';
import { jobView, type ListedJob } from './jobView.ts';
import type {
  HistoryEntry,
  JobPage,
  JobQuery,
  JobView,
  Operations,
  SegmentPlace,
  Submission,
  WatchdogReport,
} from './operations.ts';
import { sourceKey } from './sourceKey.ts';
import { submittedSpec } from './submittedSpec.ts';

/** What the service asks of its parts. */
export interface ServiceParts {
  readonly records: Pick<JobRecords, 'respec' | 'transitions' | 'decisions'>;
  readonly listing: {
    page(
      query: JobQuery,
    ): Promise<{ readonly jobs: readonly ListedJob[]; readonly totalCount: number }>;
    get(id: string): Promise<ListedJob | undefined>;
  };
  readonly queue: {
    enqueue(
      job: QueuedJob,
      answer?: IdempotentAnswer,
    ): Promise<{ readonly id: string; readonly isReplayed: boolean }>;
  };
  readonly keeper: {
    poke(): void;
    /** How a job that may not wait fares. */
    decide(
      jobId: string,
    ): Promise<
      | { readonly kind: 'admitted' | 'waiting' | 'expired' }
      | { readonly kind: 'rejected'; readonly overload: Overload }
    >;
  };
  /** The tree, and who ends waiting jobs by it. Each resolves once it is on its way. */
  readonly node: {
    stopJob(jobId: string): Promise<void>;
    killJob(jobId: string): Promise<void>;
    extend(
      jobId: string,
      end: { readonly durationMs?: number; readonly endAt?: number },
    ): Promise<void>;
    watchdogs(): readonly WatchdogReport[];
  };
  readonly index: {
    segments(
      jobId: string,
      page: { readonly after?: SegmentPlace; readonly limit?: number },
    ): ReturnType<Operations['segments']>;
    gaps(jobId: string): Promise<readonly SegmentLost[]>;
  };
  proofOf(jobId: string): Promise<Proof>;
  logsOf(jobId: string, lines: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  pictureOf(jobId: string, at?: number): Promise<Uint8Array | undefined>;
  /** Where files of submitted jobs go. */
  outputDirectory(): string;
  /** How long answers to Idempotency-Keys are kept, milliseconds. */
  readonly idempotencyMs: number;
  readonly clock: Clock;
}

/** What can be asked of this service, with who may ask it. */
export class ServiceOperations implements Operations {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  async submit(
    who: Principal,
    { request, terms, idempotency, callback }: Submission,
  ): Promise<{ readonly job: JobView; readonly isReplayed: boolean }> {
    assertMay(who, 'jobs.write');
    const { keeper, queue, clock } = this.#parts;
    const spec = submittedSpec(who, request, this.#parts.outputDirectory());
    assertTerms(terms, clock.now(), spec.endAt);
    const answer = idempotency && {
      ...idempotency,
      expiresAt: clock.now() + this.#parts.idempotencyMs,
    };
    const { id, isReplayed } = await queue.enqueue(
      {
        id: newJobId(),
        spec,
        tenantId: who.tenantId,
        ...(who.keyId !== undefined && { keyId: who.keyId }),
        sourceKey: sourceKey(spec),
        costKey: costKey(spec),
        terms,
        ...(callback && { callback }),
      },
      answer,
    );
    if (!isReplayed) {
      keeper.poke();
      if (terms.mayWait === false) await this.#assertRoom(id);
    }
    return { job: await this.get(who, id), isReplayed };
  }

  async list(who: Principal, query: JobQuery): Promise<JobPage> {
    assertMay(who, 'jobs.read');
    const { tenantId, ...rest } = query;
    const asked = mayDo(who, 'admin') ? tenantId : who.tenantId;
    if (tenantId !== undefined && asked !== tenantId) return { jobs: [], totalCount: 0 };
    const { jobs, totalCount } = await this.#parts.listing.page({
      ...rest,
      ...(asked !== undefined && { tenantId: asked }),
    });
    const last = jobs.length === query.limit ? jobs.at(-1) : undefined;
    return {
      jobs: jobs.map(jobView),
      totalCount,
      ...(last && { next: { createdAt: last.createdAt, id: last.id } }),
    };
  }

  async get(who: Principal, jobId: string): Promise<JobView> {
    assertMay(who, 'jobs.read', 'jobs.write', 'jobs.kill');
    return jobView(await this.#find(who, jobId));
  }

  async stop(who: Principal, jobId: string, version?: number): Promise<JobView> {
    assertMay(who, 'jobs.write');
    assertUnended(await this.#find(who, jobId, version));
    await this.#parts.node.stopJob(jobId);
    return await this.#shown(who, jobId);
  }

  async kill(who: Principal, jobId: string, version?: number): Promise<JobView> {
    assertMay(who, 'jobs.kill');
    assertUnended(await this.#find(who, jobId, version));
    await this.#parts.node.killJob(jobId);
    return await this.#shown(who, jobId);
  }

  async retry(who: Principal, jobId: string): Promise<JobView> {
    assertMay(who, 'jobs.write');
    const job = await this.#find(who, jobId);
    if (!isTerminal(job.state))
      throw new KennelError(
        'job.conflict',
        `The job ${jobId} has not ended (${job.state}); stop or kill it first.`,
      );
    const { spec, tenantId, priority, labels, tries } = job;
    const { endAt = Number.POSITIVE_INFINITY } = spec;
    if (endAt <= this.#parts.clock.now())
      throw new KennelError(
        'job.conflict',
        `The job ${jobId} was to end at ${new Date(endAt).toISOString()}, which is over; submit a new one.`,
      );
    const { id } = await this.#parts.queue.enqueue({
      id: newJobId(),
      spec,
      tenantId,
      ...(who.keyId !== undefined && { keyId: who.keyId }),
      sourceKey: sourceKey(spec),
      costKey: costKey(spec),
      terms: { priority, labels },
      retryOf: jobId,
      tries: tries + 1,
    });
    this.#parts.keeper.poke();
    return await this.#shown(who, id);
  }

  async extend(
    who: Principal,
    jobId: string,
    { by, version }: { readonly by: EndWish; readonly version?: number },
  ): Promise<JobView> {
    assertMay(who, 'jobs.write');
    const { clock, records, node } = this.#parts;
    const job = await this.#find(who, jobId, version);
    assertUnended(job);
    const end = changedEnd(job, by, clock.now());
    const { durationMs: _duration, endAt: _endAt, ...spec } = job.spec;
    await records.respec(jobId, { ...spec, ...end });
    await node.extend(jobId, end);
    return await this.#shown(who, jobId);
  }

  async segments(
    who: Principal,
    jobId: string,
    page: { readonly after?: SegmentPlace; readonly limit: number },
  ): ReturnType<Operations['segments']> {
    await this.get(who, jobId);
    return await this.#parts.index.segments(jobId, page);
  }

  async gaps(who: Principal, jobId: string): Promise<readonly SegmentLost[]> {
    await this.get(who, jobId);
    return await this.#parts.index.gaps(jobId);
  }

  async history(who: Principal, jobId: string): Promise<readonly HistoryEntry[]> {
    await this.get(who, jobId);
    const { records } = this.#parts;
    return historyOf(await records.transitions(jobId), await records.decisions(jobId));
  }

  async proof(who: Principal, jobId: string): Promise<Proof> {
    await this.get(who, jobId);
    return await this.#parts.proofOf(jobId);
  }

  async logs(who: Principal, jobId: string, lines: number): ReturnType<Operations['logs']> {
    await this.get(who, jobId);
    return await this.#parts.logsOf(jobId, lines);
  }

  async thumbnail(who: Principal, jobId: string, at?: number): Promise<Uint8Array> {
    await this.get(who, jobId);
    const picture = await this.#parts.pictureOf(jobId, at);
    if (picture) return picture;
    throw new KennelError('job.notFound', `There is no picture of the job ${jobId} yet.`);
  }

  async watchdogs(who: Principal): Promise<readonly WatchdogReport[]> {
    assertMay(who, 'jobs.read');
    const reports = this.#parts.node.watchdogs();
    if (mayDo(who, 'admin')) return reports;
    const own = await Promise.all(
      reports.map(async ({ jobId }) => (await this.#parts.listing.get(jobId))?.tenantId),
    );
    return reports.filter((_, index) => own[index] === who.tenantId);
  }

  /** Whoever may change a job may see what came of it. */
  async #shown(who: Principal, jobId: string): Promise<JobView> {
    return jobView(await this.#find(who, jobId));
  }

  async #find(who: Principal, jobId: string, version?: number): Promise<ListedJob> {
    const job = isUuid(jobId) ? await this.#parts.listing.get(jobId) : undefined;
    if (!job || !maySee(who, job.tenantId))
      throw new KennelError('job.notFound', `There is no job ${jobId}.`, { details: { jobId } });
    if (version !== undefined && version !== job.version)
      throw new KennelError(
        'precondition.failed',
        `The job ${jobId} has moved since: it is ${job.state} now. Look at it again, and decide anew.`,
        { details: { version: job.version, state: job.state } },
      );
    return job;
  }

  /** The job may not wait: it is admitted now, or stands as rejected. */
  async #assertRoom(jobId: string): Promise<void> {
    const { keeper, clock } = this.#parts;
    const decided = await keeper.decide(jobId);
    if (decided.kind !== 'rejected') return;
    const { overload } = decided;
    throw new KennelError(
      'capacity.exceeded',
      `There is no room for the job, and it may not wait. ${overload.explanation}`,
      {
        retryable: true,
        details: { jobId, state: 'rejected', overload, ...retryAfter(overload, clock.now()) },
      },
    );
  }
}

/** Whoever asks again sooner is refused again. */
const retryAfter = ({ fitsAt }: Overload, now: number) =>
  fitsAt === undefined ? {} : { retryAfterMs: Math.max(0, fitsAt - now) };

/** Any of these scopes will do. */
function assertMay(who: Principal, ...scopes: readonly Scope[]): void {
  if (scopes.some((scope) => mayDo(who, scope))) return;
  throw new KennelError(
    'access.forbidden',
    `This key may not do that: it needs the scope ${scopes.join(' or ')}.`,
    { details: { needed: [...scopes] } },
  );
}

function assertUnended({ id, state }: ListedJob): void {
  if (isTerminal(state))
    throw new KennelError('job.conflict', `The job ${id} is ${state} already.`, {
      details: { state },
    });
}

function assertTerms({ startAt, expiresAt }: QueueTerms, now: number, endAt?: number): void {
  const begins = Math.max(startAt ?? now, now);
  const isTooLate = (moment: number | undefined) => moment !== undefined && moment <= begins;
  if (isTooLate(expiresAt))
    throw new KennelError(
      'usage.invalid',
      'The job would expire before it may begin; leave out the expiry, or set it later.',
    );
  if (isTooLate(endAt))
    throw new KennelError(
      'usage.invalid',
      'The job would end before it may begin; set its end later than its start, and than now.',
    );
}
