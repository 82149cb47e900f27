import { FencedError, type Job, type Move, type Store } from '../../machines/ports.ts';
import type { Decision, JobState, Outcome } from '../../machines/vocabulary.ts';
import type { World } from './world.ts';

/** Written by hand, unlike the list the product derives from its chart: one checks the other. */
const LEGAL: Readonly<Record<JobState, readonly JobState[]>> = {
  pending: ['recording', 'failed', 'cancelled', 'rejected', 'expired'],
  recording: ['retrying', 'muxing', 'failed', 'cancelled'],
  retrying: ['recording', 'muxing', 'failed', 'cancelled'],
  muxing: ['uploading', 'failed', 'cancelled'],
  uploading: ['done', 'failed', 'cancelled'],
  done: [],
  failed: [],
  cancelled: [],
  rejected: [],
  expired: [],
};

const RETRY_MS = 100;

interface Row {
  job: Job;
  token: number;
  version: number;
  outcome?: Outcome;
  /** Stands in the queue. */
  waiting?: boolean;
}

/** The database of a simulated world: it outlives every node, answers late, refuses, loses answers, goes away. */
export class SimDatabase {
  readonly rows = new Map<string, Row>();
  readonly moves: (Move & { readonly jobId: string; readonly at: number })[] = [];
  readonly decisions: (Decision & { readonly at: number })[] = [];
  readonly #world: World;
  #awayUntil = 0;
  #attempts = 0;

  constructor(world: World) {
    this.#world = world;
  }

  goAway(forMs: number): void {
    this.#awayUntil = Math.max(this.#awayUntil, this.#world.clock.now + forMs);
  }

  get isAway(): boolean {
    return this.#world.clock.now < this.#awayUntil;
  }

  /** The store as one life of a node sees it; it falls silent with that life. */
  storeOf(life: number): Store {
    const world = this.#world;
    return {
      open: async (jobId, signal) => {
        do await world.later(life, this.isAway ? RETRY_MS : 2);
        while (this.isAway);
        if (signal.aborted) throw new Error('whoever asked is gone');
        const row = this.row(jobId);
        row.token += 1;
        world.log(`open ${jobId} token ${row.token}`);
        return { job: row.job, log: this.#logOf(jobId, life) };
      },
      record: (decision) => {
        world.throwIfBuggy(decision.jobId, 'record');
        world.log(`decision ${decision.jobId} ${decision.decision} ${decision.why}`);
        this.decisions.push({ ...decision, at: world.clock.now });
      },
    };
  }

  row(jobId: string): Row {
    const row = this.rows.get(jobId);
    if (!row) throw new Error(`no row ${jobId}`);
    return row;
  }

  #logOf(jobId: string, life: number) {
    const { token } = this.row(jobId);
    let { version } = this.row(jobId);
    let queue: Promise<void> = Promise.resolve();
    const write = async (move: Move) => {
      for (;;) {
        const attempt = this.#world.script.commits[this.#attempts++];
        await this.#world.later(life, attempt?.latencyMs ?? 1);
        if (this.isAway || attempt?.fault === 'refused') {
          await this.#world.later(life, RETRY_MS);
          continue;
        }
        this.#apply({ jobId, token, version, move });
        if (attempt?.fault !== 'lostAck') break;
        await this.#world.later(life, RETRY_MS);
      }
      version += 1;
    };
    return {
      commit: (move: Move) => {
        queue = queue.then(() => write(move));
        return queue;
      },
    };
  }

  #apply(write: { jobId: string; token: number; version: number; move: Move }): void {
    const { jobId, token, version, move } = write;
    const world = this.#world;
    const row = this.row(jobId);
    if (row.token !== token) throw new FencedError(`${jobId} is owned by ${row.token}`);
    if (row.version === version + 1) return; // its own earlier attempt, whose answer was lost
    if (row.version !== version)
      world.violate('version', `${jobId}: ${row.version}, not ${version}`);
    if (row.job.state !== move.from || !LEGAL[move.from].includes(move.to))
      world.violate('legal', `${jobId}: ${row.job.state}, then ${move.from} to ${move.to}`);
    const { from: _from, to, cause, evidence: _evidence, outcome, ...facts } = move;
    row.job = { ...row.job, ...facts, state: to };
    row.version += 1;
    if (outcome) row.outcome = outcome;
    this.moves.push({ ...move, jobId, at: world.clock.now });
    world.log(`move ${jobId} ${move.from} ${to} ${cause}`);
    if (to === 'retrying' || to === 'muxing') world.incident(to, jobId);
    world.recorders.checkCommitted(jobId, to);
    if (to === 'cancelled' && cause === 'job.stop' && world.recorders.files(jobId).size > 0)
      world.violate('finishedWell', `${jobId} was told to stop, and what it has is not finished`);
  }
}
