import { existsSync } from 'node:fs';
import type { JobReleased } from '../../machines/bigDogDog.ts';
import type { Leash, Move, Progress } from '../../machines/ports.ts';
import type { Tree } from '../../machines/tree.ts';
import { isTerminal, type JobSpec, type JobState } from '../../machines/vocabulary.ts';
import type { Clock } from '../core/clock.ts';
import { KennelError, messageOf } from '../core/errors.ts';
import { newJobId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Proof } from '../ledger/proof.ts';
import { removeWorkDirectories } from '../programs/workDirectory.ts';
import type { EventFeed } from './events.ts';
import type { JobRecord, JobRecords } from './jobRecords.ts';
import { JournalFollower, type SegmentIndex } from './journalFollower.ts';
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
  /** Settles when every move so far is told. */
  told: Promise<void>;
  readonly follower: JournalFollower;
  /** Rejects when this node has to let go of it before its end. */
  readonly ended: Promise<JobRecord>;
  end(job: JobRecord): void;
  fail(error: unknown): void;
  /** As it was taken, with what its moves have changed since: at its end no database needs to be asked. */
  record: JobRecord;
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
  readonly jobIds = (): readonly string[] => [...this.#active.keys()];

  /**
   * Takes a job: the unfinished one that asks for the same, or a new one. So the same command, given again after a crash,
   * goes on where the first one was.
   */
  async submit(spec: JobSpec): Promise<{ readonly jobId: string; readonly resumed: boolean }> {
    const { records } = this.#parts;
    this.#assertOpen();
    await this.#parts.assertWritable(spec.output);
    const unfinished = await records.findUnfinished();
    const same = unfinished.find((job) => asksTheSame(job.spec, spec) && this.#isHere(job));
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

  /** Takes up an unfinished job by its id. Rejects with `job.conflict` when it has ended. */
  async resume(job: JobRecord): Promise<void> {
    if (isTerminal(job.state))
      throw new KennelError(
        'job.conflict',
        `The job ${job.id} is ${job.state} already; see "kennel proof ${job.id}".`,
      );
    await this.#take(job, { resumed: true });
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
    return state === 'pending' || existsSync(this.#parts.directoryOf(id));
  }

  #assertOpen(): void {
    if (this.#isDraining)
      throw new KennelError('job.conflict', 'This node takes no more jobs: it was told to end.');
  }

  async #take(
    record: JobRecord,
    { resumed, changed = [] }: { resumed: boolean; changed?: readonly string[] },
  ): Promise<void> {
    const { feed, clock, directoryOf } = this.#parts;
    const { id: jobId } = record;
    const follower = new JournalFollower({ ...this.#parts, jobId, directory: directoryOf(jobId) });
    const { promise: ended, resolve: end, reject } = Promise.withResolvers<JobRecord>();
    const fail = (error: unknown) => {
      this.#active.delete(jobId);
      reject(error);
    };
    // Whoever wants to know asks for it; nobody has to.
    ended.catch(() => undefined);
    const job: ActiveJob = { follower, ended, end, fail, record, told: Promise.resolve() };
    this.#active.set(jobId, job);
    const { url } = record.spec;
    const news = changed.length > 0 && { changed: [...changed] };
    feed.tell({ type: 'job.accepted', jobId, url, resumed, ...news }, clock.now());
    await follower.start();
    this.#tree?.send({ type: 'job.add', jobId });
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

/** What whoever waits for the job's end is told instead. */
function releaseError(
  jobId: string,
  why: Exclude<JobReleased['why'], 'ended'>,
  cause: unknown,
): KennelError {
  switch (why) {
    case 'fenced':
      return new KennelError(
        'database.fenced',
        `Another Kennel has taken the job ${jobId} over and goes on with it; this one has let go of it.`,
        { cause },
      );
    case 'spent':
      return new KennelError(
        'recorder.crashed',
        `Not even the end of the job ${jobId} could be written (${messageOf(cause)}). What is recorded stays; ` +
          `"kennel resume ${jobId}" tries again.`,
        { cause },
      );
    case 'draining':
      return new KennelError(
        'job.conflict',
        `The job ${jobId} was not begun, since this Kennel was told to end; "kennel resume ${jobId}" begins it.`,
      );
    case 'full':
      return new KennelError(
        'job.conflict',
        `This node has as many jobs as it may; the job ${jobId} waits for another.`,
      );
  }
}

/**
 * The same source, wishes and destination: then it is the same recording. Other ways to the same stream (fallbacks, a proxy,
 * headers) and other patience make no other recording of it.
 */
const asksTheSame = (a: JobSpec, b: JobSpec): boolean =>
  a.url === b.url &&
  a.output === b.output &&
  a.durationMs === b.durationMs &&
  a.quality.join() === b.quality.join() &&
  a.recorder === b.recorder &&
  a.format === b.format &&
  (a.audioOnly ?? false) === (b.audioOnly ?? false) &&
  (a.audio ?? ['default']).join() === (b.audio ?? ['default']).join() &&
  (a.subtitles ?? ['all']).join() === (b.subtitles ?? ['all']).join();
