import { createHash } from 'node:crypto';
import type { Finish, Ports } from '../../machines/ports.ts';
import { supervisionTree, type Tree } from '../../machines/tree.ts';
import { isTerminal } from '../../machines/vocabulary.ts';
import { serialFinish } from '../../src/jobs/serialFinish.ts';
import type { Incident, Script } from './script.ts';
import { SimClock } from './simClock.ts';
import { SimDatabase } from './simDatabase.ts';
import { POLICY } from './simPolicy.ts';
import { SimQueue } from './simQueue.ts';
import { SimRecorders } from './simRecorders.ts';

const BOOT_MS = 1_000;

/** What outlives a node (database, recorders, disk), and the node that is up now. */
export class World {
  readonly clock = new SimClock();
  readonly script: Script;
  readonly database: SimDatabase;
  readonly recorders: SimRecorders;
  readonly queue: SimQueue;
  readonly violations: string[] = [];
  /** Counts the lives of the node. What belongs to an earlier life is dead and silent. */
  life = 0;
  tree: Tree | undefined;
  crashedAt: number[] = [];
  bootedAt = 0;
  /** Gives an order and judges whether it is obeyed. */
  order: (jobId: string, type: 'job.stop' | 'job.kill') => void = () => undefined;
  /** Jobs that were ever told to stop or to be killed. */
  readonly ordered = new Set<string>();
  /** The first stop or kill that each job was told in this life of the node. */
  readonly told = new Map<string, { readonly type: string; readonly at: number }>();
  /** When the root itself fell. */
  rootFalls = 0;
  readonly #hash = createHash('sha256');
  readonly #armed = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #incidents = new Map<Incident, number>();
  /** The finish runs of this life that are not over yet. */
  readonly #finishing = new Map<string, number>();
  /** The jobs that this life of the node has given to its tree. */
  readonly handed = new Set<string>();
  /** The timers of this life: they die with it. */
  readonly #timers = new Set<unknown>();
  #randomState: number;
  readonly trace: string[] | undefined;

  constructor(script: Script, { seed, trace }: { seed: number; trace: boolean }) {
    this.script = script;
    this.#randomState = (seed % 2147483646) + 1;
    this.trace = trace ? [] : undefined;
    this.database = new SimDatabase(this);
    this.recorders = new SimRecorders(this);
    this.queue = new SimQueue(this);
    for (const [index, { durationMs, waits }] of script.jobs.entries()) {
      const id = `j${index}`;
      const spec = {
        url: 'http://origin/live.m3u8',
        quality: ['best'],
        durationMs,
        waitMs: 0,
        patienceMs: 60_000,
        output: './',
        keepSegments: false,
      };
      const job = { id, state: 'pending' as const, attempt: 0, spec };
      this.database.rows.set(id, { job, token: 0, version: 0, waiting: waits !== undefined });
    }
  }

  log(what: string): void {
    const line = `${this.clock.now} ${what}`;
    this.#hash.update(`${line}\n`);
    this.trace?.push(line);
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  violate(law: string, what: string): void {
    this.violations.push(`${law}: ${what} (at ${this.clock.now} ms)`);
    this.log(`VIOLATION ${law} ${what}`);
  }

  /** Something happened to a job: the script may have an order for just this moment. */
  incident(kind: Incident, jobId: string): void {
    const nth = this.#incidents.get(kind) ?? 0;
    this.#incidents.set(kind, nth + 1);
    for (const reaction of this.script.reactions)
      if (reaction.to === kind && reaction.nth === nth)
        this.clock.setTimeout(() => this.order(jobId, reaction.type), reaction.afterMs);
  }

  /** Whether nothing but the recorders, the source and the operator makes trouble in this script. */
  get isCalm(): boolean {
    const { nodeCrashes, bugs, outages } = this.script;
    return nodeCrashes.length + bugs.length + outages.length === 0;
  }

  /** Whether node and database have been up for so long. */
  hasBeenUp(forMs: number): boolean {
    const since = this.clock.now - forMs;
    return (
      this.bootedAt < since &&
      this.script.outages.every(({ atMs, forMs }) => atMs > this.clock.now || atMs + forMs < since)
    );
  }

  isFinished(): boolean {
    return [...this.database.rows.values()].every(({ job }) => isTerminal(job.state));
  }

  /** Arms a bug: the next `times` calls of that kind for that job throw. */
  arm(jobId: string, where: string, times: number): void {
    if (where === 'root') {
      // The dog falls over its first sample, and then the root over the note that it makes of it.
      this.arm(jobId, 'progress', 1);
      this.arm(jobId, 'record', 1);
      return;
    }
    this.#armed.set(`${jobId} ${where}`, times);
  }

  throwIfBuggy(jobId: string, where: string): void {
    const key = `${jobId} ${where}`;
    const left = this.#armed.get(key) ?? 0;
    if (left === 0) return;
    this.#armed.set(key, left - 1);
    this.log(`bug ${key}`);
    throw new Error(`planted bug in ${where}`);
  }

  /** Resolves after a delay, but never for a life of the node that is over. */
  later(life: number, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimeout(() => this.life === life && resolve(), delayMs);
    });
  }

  boot(): void {
    const life = ++this.life;
    this.log(`boot ${life}`);
    this.bootedAt = this.clock.now;
    this.told.clear();
    this.#finishing.clear();
    this.handed.clear();
    this.queue.open(life);
    for (const [jobId, { waiting }] of this.database.rows)
      if (waiting !== true) this.handed.add(jobId);
    const { clock, database } = this;
    const isUp = () => this.life === life;
    const tree = supervisionTree({
      ports: this.#portsOf(life),
      clock: {
        setTimeout: (callback, delayMs) => {
          // What a dead life still has under way ends here.
          const timer = clock.setTimeout(
            () => {
              this.#timers.delete(timer);
              if (isUp()) callback();
            },
            isUp() ? delayMs : 0,
          );
          this.#timers.add(timer);
          return timer as unknown as NodeJS.Timeout;
        },
        clearTimeout: (timer) => {
          this.#timers.delete(timer);
          clock.clearTimeout(timer);
        },
      },
      unfinished: async () => {
        while (database.isAway) await this.later(life, 100);
        return [...database.rows.values()]
          .filter(({ job }) => !isTerminal(job.state) && this.handed.has(job.id))
          .map(({ job }) => job.id);
      },
      onFall: ({ error }) => {
        this.rootFalls += 1;
        this.log(`root fell: ${error}`);
      },
      onSpent: () => this.crash(),
    });
    this.tree = tree;
    void tree.start();
  }

  /** The node finishes well and ends. What still waits then waits for its next life. */
  async drain(): Promise<void> {
    const { life } = this;
    await this.tree?.drain();
    if (this.life === life && !this.isFinished()) this.crash();
  }

  /** kill -9 of the node. The machine starts it again. */
  crash(): void {
    this.log(`crash ${this.life}`);
    this.crashedAt.push(this.clock.now);
    this.recorders.orphan();
    this.life += 1;
    for (const timer of this.#timers) this.clock.clearTimeout(timer);
    this.#timers.clear();
    this.tree = undefined;
    const { life } = this;
    this.clock.setTimeout(() => this.life === life && this.boot(), BOOT_MS);
  }

  /** How often muxing or uploading a job has failed or succeeded. */
  finishRuns(kind: 'mux' | 'upload', jobId: string): number {
    return this.#failures.get(`${kind} ${jobId}`) ?? 0;
  }

  #portsOf(life: number): Ports {
    return {
      now: () => this.clock.now,
      elapsed: () => this.clock.now,
      random: () => {
        this.#randomState = (this.#randomState * 16807) % 2147483647;
        return this.#randomState / 2147483647;
      },
      leash: this.recorders.leashOf(life),
      store: this.database.storeOf(life),
      finish: serialFinish(this.#finishOf(life)),
      policy: POLICY,
    };
  }

  #finishOf(life: number): Finish {
    const { recorders } = this;
    const work = async (kind: 'mux' | 'upload', jobId: string, signal: AbortSignal) => {
      const job = this.script.jobs[Number(jobId.slice(1))];
      const running = this.#finishing.get(jobId) ?? 0;
      this.#finishing.set(jobId, running + 1);
      if (running > 0) this.violate('oneFinish', `${jobId} is finished twice at once`);
      try {
        await this.later(life, 200);
        const key = `${kind} ${jobId}`;
        const failures = this.#failures.get(key) ?? 0;
        const limit = (kind === 'mux' ? job?.muxFailures : job?.uploadFailures) ?? 0;
        if (signal.aborted) {
          await this.later(life, job?.windDownMs ?? 0);
          throw new Error('aborted');
        }
        this.#failures.set(key, failures + 1);
        if (failures < limit) throw new Error(`${kind} failed`);
        if (isTerminal(this.database.row(jobId).job.state))
          this.violate('finishedAfterEnd', `${key} takes effect after the job's end`);
        this.log(key);
      } finally {
        this.#finishing.set(jobId, (this.#finishing.get(jobId) ?? 1) - 1);
      }
    };
    return {
      footage: async (jobId) => {
        await this.later(life, 1);
        this.throwIfBuggy(jobId, 'footage');
        const startedAt = recorders.startedAt.get(jobId);
        const segments = recorders.files(jobId).size;
        return { segments, ...(startedAt !== undefined && { startedAt }) };
      },
      mux: async (job, signal) => {
        await work('mux', job.id, signal);
        recorders.muxed.set(job.id, new Set(recorders.files(job.id)));
      },
      upload: async (job, signal) => {
        await work('upload', job.id, signal);
        recorders.uploaded.set(job.id, recorders.muxed.get(job.id) ?? new Set());
        return { outcome: 'complete' };
      },
    };
  }
}
