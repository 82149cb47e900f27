import type { Leash, Move, Progress } from '../../machines/ports.ts';
import type { Tree } from '../../machines/tree.ts';
import { isTerminal, type JobSpec, type JobState } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError } from '../core/errors.ts';
import { newJobId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Proof } from '../ledger/proof.ts';
import type { EventFeed } from './events.ts';
import type { JobRecord, JobRecords } from './jobRecords.ts';
import { JournalFollower, type SegmentIndex } from './journalFollower.ts';

export interface NodeParts {
  readonly records: JobRecords;
  readonly index: SegmentIndex;
  readonly leash: Leash;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Log;
  directoryOf(jobId: string): string;
  proofOf(jobId: string): Promise<Proof>;
  /** Absolute paths of a finished job's files, the manifest last. */
  filesOf(jobId: string): Promise<readonly string[]>;
  exitCodeOf(job: JobRecord): number;
}

/** A job on this node, from `take` until its end. */
interface ActiveJob {
  readonly follower: JournalFollower;
  readonly ended: Promise<JobRecord>;
  end(job: JobRecord): void;
  state: JobState;
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

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get feed(): EventFeed {
    return this.#parts.feed;
  }

  /** The tree is composed with this node's own callbacks, so it comes after it. */
  raise(tree: Tree): Promise<void> {
    this.#tree = tree;
    return tree.start();
  }

  /** The jobs that a new root of the tree begins with. */
  readonly activeJobs = async (): Promise<readonly string[]> => [...this.#active.keys()];

  /**
   * Takes a job: the unfinished one that asks for the same, or a new one. So the same command, given again after a crash,
   * goes on where the first one was.
   */
  async submit(spec: JobSpec): Promise<{ readonly jobId: string; readonly resumed: boolean }> {
    const { records } = this.#parts;
    const unfinished = await records.findUnfinished();
    const same = unfinished.find((job) => asksTheSame(job.spec, spec));
    const jobId = same?.id ?? newJobId();
    if (!same) await records.create({ id: jobId, spec });
    await this.#take(jobId, { state: same?.state ?? 'pending', spec, resumed: same !== undefined });
    return { jobId, resumed: same !== undefined };
  }

  /** Takes up an unfinished job by its id. Rejects with `job.conflict` when it has ended. */
  async resume(job: JobRecord): Promise<void> {
    if (isTerminal(job.state))
      throw new KennelError(
        'job.conflict',
        `The job ${job.id} is ${job.state} already; see "kennel proof ${job.id}".`,
      );
    await this.#take(job.id, { state: job.state, spec: job.spec, resumed: true });
  }

  stop(jobId: string): void {
    this.#tree?.send({ type: 'job.stop', jobId });
  }

  kill(jobId: string): void {
    this.#tree?.send({ type: 'job.kill', jobId });
  }

  /** Resolves with the job once it has ended and everything about it is told. */
  ended(jobId: string): Promise<JobRecord> {
    const job = this.#active.get(jobId);
    if (!job) throw new Error(`the job ${jobId} is not on this node`);
    return job.ended;
  }

  status(jobId: string): JobStatus | undefined {
    const job = this.#active.get(jobId);
    if (!job) return undefined;
    const { follower, state } = job;
    return { state, ledger: follower.ledger, progress: this.#parts.leash.progress(jobId) };
  }

  /** Called for every committed move. */
  readonly moved = (jobId: string, move: Move, at: number): void => {
    const { from, to, cause, evidence, attempt, outcome } = move;
    this.#parts.feed.tell(
      { type: 'job.moved', jobId, from, to, cause, evidence, attempt, ...(outcome && { outcome }) },
      at,
    );
    const job = this.#active.get(jobId);
    if (!job) return;
    job.state = to;
    if (isTerminal(to)) void this.#finish(jobId, job);
  };

  async #take(
    jobId: string,
    { state, spec, resumed }: { state: JobState; spec: JobSpec; resumed: boolean },
  ): Promise<void> {
    const { feed, clock, directoryOf } = this.#parts;
    const follower = new JournalFollower({ ...this.#parts, jobId, directory: directoryOf(jobId) });
    const { promise: ended, resolve: end } = Promise.withResolvers<JobRecord>();
    this.#active.set(jobId, { follower, ended, end, state });
    feed.tell({ type: 'job.accepted', jobId, url: spec.url, resumed }, clock.now());
    await follower.start();
    this.#tree?.send({ type: 'job.add', jobId });
  }

  async #finish(jobId: string, job: ActiveJob): Promise<void> {
    const { records, feed, clock, log } = this.#parts;
    await job.follower.stop();
    const row = await records.get(jobId);
    if (!row) throw new Error(`the job ${jobId} has no row`);
    const proof = await this.#parts.proofOf(jobId);
    const files = await this.#parts.filesOf(jobId);
    log('info', 'the job has ended', { jobId, state: row.state, verdict: row.verdict });
    const exitCode = this.#parts.exitCodeOf(row);
    const { state, outcome, verdict } = row;
    feed.tell(
      {
        type: 'job.ended',
        jobId,
        state,
        ...(outcome && { outcome }),
        ...(verdict && { verdict }),
        exitCode,
        files: [...files],
        proof: { ...proof },
      },
      clock.now(),
    );
    this.#active.delete(jobId);
    job.end(row);
  }
}

/** The same source, wishes and destination: then it is the same recording. */
const asksTheSame = (a: JobSpec, b: JobSpec): boolean =>
  a.url === b.url &&
  a.output === b.output &&
  a.durationMs === b.durationMs &&
  a.quality.join() === b.quality.join();
