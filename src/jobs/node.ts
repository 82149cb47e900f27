import type { JobReleased, Order } from '../../machines/bigDogDog.ts';
import type { Refusal } from '../../machines/bigDogReasons.ts';
import type { Leash, Move, Progress } from '../../machines/ports.ts';
import type { Tree } from '../../machines/tree.ts';
import { isTerminal, type JobEnd, type JobSpec, type JobState } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import { isKennelError, KennelError, messageOf } from '../core/errors.ts';
import { newJobId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Proof } from '../ledger/proof.ts';
import { removeWorkDirectories } from '../programs/workDirectory.ts';
import { asksTheSame } from './asksTheSame.ts';
import { claimDirectory, isClaimed } from './claimDirectory.ts';
import type { EventFeed } from './events.ts';
import type { JobRecord, JobRecords } from './jobRecords.ts';
import { JournalFollower, type SegmentIndex } from './journalFollower.ts';
import type { WatchdogReport } from './operations.ts';
import { releaseError } from './releaseError.ts';
import { renewedSpec } from './renewedSpec.ts';

export interface NodeParts {
  readonly records: JobRecords;
  readonly index: SegmentIndex;
  readonly leash: Leash;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Log;
  directoryOf(jobId: string): string;
  /** Rejects with a KennelError when a job's file could not be brought there (`JobSpec.output`). */
  assertWritable(output: string): Promise<void>;
  proofOf(jobId: string): Promise<Proof>;
  /** Absolute paths of a finished job's files, the manifest last. */
  filesOf(jobId: string): Promise<readonly string[]>;
  exitCodeOf(job: JobRecord): number;
}

/** A job on this node, from `take` until its end. */
interface ActiveJob {
  /** The tree was told of it. Before, a new root must not begin it without the order that it comes with. */
  isHanded: boolean;
  /** Settles when every move so far is told. */
  told: Promise<void>;
  readonly follower: JournalFollower;
  /** Rejects when this node has to let go of it before its end. */
  readonly ended: Promise<JobRecord>;
  /** Resolves when it has made a move that is not its end. */
  readonly begun: Promise<void>;
  begin(): void;
  end(job: JobRecord): void;
  fail(error: unknown): void;
  /** As it was taken, with what its moves have changed since: at its end no database needs to be asked. */
  record: JobRecord;
}

interface Taking {
  /** An unfinished job is gone on with. */
  readonly resumed: boolean;
  /** The ways to the stream that are new with it. */
  readonly changed?: readonly string[];
  /** It is taken to be ended at once: nobody is told that it was accepted. */
  readonly order?: Order;
}

export interface JobStatus {
  readonly state: JobState;
  readonly ledger: Ledger;
  readonly progress: Progress;
}

/** One Kennel process that runs jobs: what a command line or an API asks of it. */
export class KennelNode {
  readonly #parts: NodeParts;
  readonly #active = new Map<string, ActiveJob>();
  #tree: Tree | undefined;
  #isDraining = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get feed(): EventFeed {
    return this.#parts.feed;
  }

  /** The tree is composed with this node's own callbacks, so it comes after it. */
  raise(tree: Tree): Promise<void> {
    this.#tree = tree;
    if (this.#isDraining) void tree.drain();
    return tree.start();
  }

  /** The jobs on this node that have not ended: what a new root of the tree begins with. */
  readonly jobIds = (): readonly string[] =>
    [...this.#active].filter(([, { isHanded }]) => isHanded).map(([jobId]) => jobId);

  /**
   * Takes a job: the unfinished one that asks for the same, or a new one. So the same command, given again after a crash,
   * goes on where the first one was.
   */
  async submit(spec: JobSpec): Promise<{ readonly jobId: string; readonly resumed: boolean }> {
    const { records } = this.#parts;
    this.#assertOpen();
    await this.#parts.assertWritable(spec.output);
    const unfinished = await records.findUnfinished();
    const same = unfinished.find(
      (job) => !job.waiting && asksTheSame(job.spec, spec) && this.#isHere(job),
    );
    if (same) {
      await this.#resumeBy(same, spec);
      return { jobId: same.id, resumed: true };
    }
    this.#assertOpen();
    const id = newJobId();
    const at = this.#parts.clock.now();
    await records.create({ id, spec });
    await this.#take(
      { id, spec, state: 'pending', attempt: 0, createdAt: at, updatedAt: at },
      { resumed: false },
    );
    return { jobId: id, resumed: false };
  }

  async #resumeBy(job: JobRecord, asked: JobSpec): Promise<void> {
    const { spec, changed } = renewedSpec(job.spec, asked);
    if (changed.length > 0) await this.#parts.records.respec(job.id, spec);
    await this.#take({ ...job, spec }, { resumed: true, changed });
  }

  /** Takes up an unfinished job by its id. Rejects with `job.conflict` when it has ended, or stands in the queue of a service. */
  async resume(job: JobRecord): Promise<void> {
    if (isTerminal(job.state))
      throw new KennelError(
        'job.conflict',
        `The job ${job.id} is ${job.state} already; see "kennel proof ${job.id}".`,
      );
    if (job.waiting)
      throw new KennelError(
        'job.conflict',
        `The job ${job.id} waits in the queue; the service ("kennel serve") begins it.`,
      );
    await this.#take(job, { resumed: true });
  }

  /**
   * Begins a job that was admitted: it has left the queue. Resolves once the tree has it. Rejects with `job.conflict` when the node
   * drains or is full; nothing has happened to the job then.
   */
  async begin(job: JobRecord): Promise<void> {
    this.#assertOpen();
    if (!this.#active.has(job.id)) await this.#take(job, { resumed: false });
  }

  /**
   * Ends a job that has left the queue and shall never begin. Its Big Dog commits the move, with the cause and the evidence; that
   * needs no room, and is possible while the node drains. Resolves with the job once it is committed. Rejects with `job.conflict`
   * when the job has begun meanwhile: it goes on then.
   */
  async refuse(job: JobRecord, refusal: Refusal): Promise<JobRecord> {
    return await this.#endUnbegun(job, { type: 'job.refuse', ...refusal });
  }

  /** As `refuse`, for a job that is called off while it waits: it ends as `cancelled`. */
  async cancel(job: JobRecord, type: 'job.stop' | 'job.kill'): Promise<JobRecord> {
    return await this.#endUnbegun(job, { type });
  }

  /**
   * For the start of a service: takes up every unfinished job that is here and does not wait. A job that left the queue, but has
   * not begun, is handed to `putBack` where there is one: whoever took it out may have been about to refuse it, and the queue
   * decides anew. One job that cannot be taken does not keep the others; it is told in the log. Returns the ids of those taken.
   * Rejects with `database.unavailable` when that goes away meanwhile; whoever asks again begins where this ended.
   */
  async resumeAll(putBack?: (jobId: string) => Promise<void>): Promise<readonly string[]> {
    const taken: string[] = [];
    for (const job of await this.#parts.records.findUnfinished()) {
      if (job.waiting || this.#active.has(job.id) || !this.#isHere(job)) continue;
      try {
        if (job.state === 'pending' && putBack) await putBack(job.id);
        else {
          await this.#take(job, { resumed: true });
          taken.push(job.id);
        }
      } catch (error) {
        // Left alone it would belong to nobody until the next start: neither in the queue nor in the tree.
        if (isKennelError(error) && error.code === 'database.unavailable') throw error;
        const fields = { jobId: job.id, error: messageOf(error) };
        this.#parts.log('error', 'an unfinished job could not be taken up', fields);
      }
    }
    return taken;
  }

  /** Takes no more jobs; every job finishes well. Resolves when none is left. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#tree?.drain();
  }

  stop(jobId: string): void {
    this.#tree?.send({ type: 'job.stop', jobId });
  }

  kill(jobId: string): void {
    this.#tree?.send({ type: 'job.kill', jobId });
  }

  /**
   * Gives a job another end, in place of the one that it had: what is absent counts no more. The caller has stored it in the row
   * before (`JobRecords.respec`); a recording that runs takes it over at once, and any later life reads it there.
   */
  async extend(jobId: string, { durationMs, endAt }: JobEnd): Promise<void> {
    const end = {
      ...(durationMs !== undefined && { durationMs }),
      ...(endAt !== undefined && { endAt }),
    };
    const job = this.#active.get(jobId);
    if (job) {
      const { durationMs: _, endAt: __, ...spec } = job.record.spec;
      job.record = { ...job.record, spec: { ...spec, ...end } };
    }
    this.#tree?.send({ type: 'job.extend', jobId, ...end });
  }

  /** Every Big Dog on this node, and what watches its recorder, as they stand at this moment. */
  watchdogs(): readonly WatchdogReport[] {
    const reports = this.#tree?.watch() ?? [];
    return reports.flatMap((report) => {
      const job = this.#active.get(report.jobId);
      if (!job) return [];
      const { state, updatedAt } = job.record;
      // A Big Dog moves when its job does.
      const layers = report.layers.map((layer) =>
        layer.layer === 'bigDog' ? { ...layer, lastProgressAt: updatedAt } : layer,
      );
      return [{ ...report, state, layers }];
    });
  }

  /**
   * Resolves with the job once it has ended and everything about it is told. Rejects with a KennelError when this node has
   * to let go of it before: another owner has it (`database.fenced`), or its end could not be written (`recorder.crashed`).
   */
  ended(jobId: string): Promise<JobRecord> {
    const job = this.#active.get(jobId);
    if (!job) throw new Error(`the job ${jobId} is not on this node`);
    return job.ended;
  }

  status(jobId: string): JobStatus | undefined {
    const job = this.#active.get(jobId);
    if (!job) return undefined;
    const { follower, record } = job;
    return {
      state: record.state,
      ledger: follower.ledger,
      progress: this.#parts.leash.progress(jobId),
    };
  }

  /** Called for every committed move. */
  readonly moved = (jobId: string, move: Move, at: number): void => {
    const { from, to, cause, evidence, attempt, outcome } = move;
    const tell = () =>
      this.#parts.feed.tell(
        {
          type: 'job.moved',
          jobId,
          from,
          to,
          cause,
          evidence,
          attempt,
          ...(outcome && { outcome }),
        },
        at,
      );
    const job = this.#active.get(jobId);
    if (!job) {
      tell();
      return;
    }
    // What the journal has of before the move is told before it.
    job.told = job.told.then(() => job.follower.look()).then(tell);
    const { startedAt, ending, verdict } = move;
    const facts = { attempt, startedAt, ending, verdict, outcome, cause };
    job.record = { ...job.record, ...facts, state: to, updatedAt: at };
    if (isTerminal(to)) this.#finish(job).catch(job.fail);
    else job.begin();
  };

  /** Called when the tree has nothing to do with a job any more. */
  readonly released = ({ jobId, why, error }: JobReleased): void => {
    const job = this.#active.get(jobId);
    if (!job || isTerminal(job.record.state)) return;
    if (why === 'ended') {
      // It had ended before this node took it, so no move told us.
      this.#endElsewhere(job).catch(job.fail);
      return;
    }
    this.#active.delete(jobId);
    this.#parts.log('error', 'the job is let go of', { jobId, why, error: messageOf(error) });
    job.follower.stop().then(() => job.fail(releaseError(jobId, why, error)), job.fail);
  };

  /**
   * Whether this node has what the job recorded so far. Several nodes may share a database: a job whose segments lie on
   * another machine is that one's to go on with, and taking it would only stop it there.
   */
  #isHere({ id, state }: JobRecord): boolean {
    return state === 'pending' || isClaimed(this.#parts.directoryOf(id));
  }

  #assertOpen(): void {
    if (this.#isDraining)
      throw new KennelError('job.conflict', 'This node takes no more jobs: it was told to end.');
  }

  async #endUnbegun(record: JobRecord, order: Order): Promise<JobRecord> {
    const known = this.#active.get(record.id);
    if (record.state !== 'pending') throw begunAlready(record.id);
    if (known) this.#tree?.send({ type: 'job.add', jobId: record.id, order });
    else await this.#take(record, { resumed: false, order });
    const job = known ?? this.#active.get(record.id);
    // It may have ended already: then it is no more among the active ones.
    if (!job) return (await this.#parts.records.get(record.id)) ?? record;
    const hasBegun = job.begun.then(() => {
      throw begunAlready(record.id);
    });
    return await Promise.race([job.ended, hasBegun]);
  }

  async #take(record: JobRecord, { resumed, changed = [], order }: Taking): Promise<void> {
    const { feed, clock, directoryOf } = this.#parts;
    const { id: jobId } = record;
    const follower = new JournalFollower({ ...this.#parts, jobId, directory: directoryOf(jobId) });
    const { promise: ended, resolve: end, reject } = Promise.withResolvers<JobRecord>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const fail = (error: unknown) => {
      this.#active.delete(jobId);
      reject(error);
    };
    // Whoever wants to know asks for it; nobody has to.
    ended.catch(() => undefined);
    const job: ActiveJob = {
      ...{ follower, ended, end, fail, begun, begin, record },
      isHanded: false,
      told: Promise.resolve(),
    };
    if (record.state !== 'pending') begin();
    this.#active.set(jobId, job);
    const { url } = record.spec;
    const news = changed.length > 0 && { changed: [...changed] };
    if (!order) feed.tell({ type: 'job.accepted', jobId, url, resumed, ...news }, clock.now());
    // A job that shall never record needs no place for it.
    if (!order) await claimDirectory(directoryOf(jobId), this.#parts.log);
    await follower.start();
    job.isHanded = true;
    this.#tree?.send({ type: 'job.add', jobId, ...(order && { order }) });
    if (this.#active.get(jobId) !== job) await ended;
  }

  async #endElsewhere(job: ActiveJob): Promise<void> {
    job.record = (await this.#parts.records.get(job.record.id)) ?? job.record;
    await this.#finish(job);
  }

  async #finish(job: ActiveJob): Promise<void> {
    const { feed, clock, log } = this.#parts;
    await job.told;
    await job.follower.stop();
    const { record } = job;
    // No attempt follows that would clear what its programs left: their secret files are there. No media ever is.
    await removeWorkDirectories(this.#parts.directoryOf(record.id));
    const { id: jobId, state, outcome, verdict } = record;
    const proof = await this.#parts.proofOf(jobId);
    const files = await this.#parts.filesOf(jobId);
    log('info', 'the job has ended', { jobId, state, verdict });
    feed.tell(
      {
        type: 'job.ended',
        jobId,
        state,
        ...(outcome && { outcome }),
        ...(verdict && { verdict }),
        exitCode: this.#parts.exitCodeOf(record),
        files: [...files],
        proof: { ...proof },
      },
      clock.now(),
    );
    this.#active.delete(jobId);
    job.end(record);
  }
}

const begunAlready = (jobId: string): KennelError =>
  new KennelError('job.conflict', `The job ${jobId} has begun already.`);
