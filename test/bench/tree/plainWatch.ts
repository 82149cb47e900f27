import type { Job, JobLog, Ports, RecorderExit, RecorderHold } from '../../../machines/ports.ts';
import type { JobState, Outcome } from '../../../machines/vocabulary.ts';

/**
 * One job watched by hand: an object, a few timers, and promises. It makes the calls, holds the timers and commits the moves
 * that a Big Dog and its doggies do, and nothing else that they are for: no restarts, no orders, no supervision of itself.
 * So it is the floor of what watching can cost, not another way to do it.
 */
export class PlainWatch {
  readonly #ports: Ports;
  readonly #jobId: string;
  readonly #onEnd: (jobId: string) => void;
  #job: Job | undefined;
  #log: JobLog | undefined;
  #hold: RecorderHold | undefined;
  #over: NodeJS.Timeout | undefined;
  #beat: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #seen = 0;
  #misses = 0;

  constructor(ports: Ports, { jobId, onEnd }: { jobId: string; onEnd(jobId: string): void }) {
    this.#ports = ports;
    this.#jobId = jobId;
    this.#onEnd = onEnd;
  }

  async start(): Promise<void> {
    const { leash, store, finish } = this.#ports;
    await leash.clear(this.#jobId);
    const { job, log } = await store.open(this.#jobId, new AbortController().signal);
    this.#log = log;
    const { startedAt } = await finish.footage(this.#jobId);
    this.#job = { ...job, attempt: job.attempt + 1, ...(startedAt !== undefined && { startedAt }) };
    await this.#move('recording', 'job.begin');
    this.#record();
  }

  #record(): void {
    const { leash, policy } = this.#ports;
    this.#hold = leash.take(this.#known(), (news) => {
      if (news.type === 'recorder.started') this.#started(news.at);
      else void this.#finish(news.exit);
    });
    this.#seen = leash.progress(this.#jobId).beats;
    this.#beat = setInterval(() => this.#listen(), policy.heartbeat.everyMs);
    this.#look = setInterval(() => {
      if (leash.strayFiles(this.#jobId)) this.#hold?.kill('muxing');
    }, policy.lookMs);
  }

  #started(at: number): void {
    const { graceMs } = this.#ports.policy;
    this.#job = { ...this.#known(), startedAt: at };
    this.#over = setTimeout(() => {
      this.#hold?.stop('over');
      this.#grace = setTimeout(() => this.#hold?.kill('grace'), graceMs);
    }, this.#job.spec.durationMs);
  }

  #listen(): void {
    const { beats } = this.#ports.leash.progress(this.#jobId);
    this.#misses = beats === this.#seen ? this.#misses + 1 : 0;
    this.#seen = beats;
    if (this.#misses >= this.#ports.policy.heartbeat.patience) this.#hold?.kill('silent');
  }

  async #finish(exit: RecorderExit): Promise<void> {
    const { finish } = this.#ports;
    const { signal } = new AbortController();
    for (const timer of [this.#over, this.#beat, this.#look, this.#grace]) clearTimeout(timer);
    this.#hold?.release();
    this.#job = { ...this.#known(), ending: exit.why };
    await finish.footage(this.#jobId);
    await this.#move('muxing', exit.why);
    await finish.mux(this.#known(), signal);
    await this.#move('uploading', 'mux.done');
    const { outcome } = await finish.upload(this.#known(), signal);
    await this.#move('done', 'upload.done', outcome);
    this.#onEnd(this.#jobId);
  }

  async #move(to: JobState, cause: string, outcome?: Outcome): Promise<void> {
    const { state: from, attempt, startedAt, ending } = this.#known();
    await this.#log?.commit({
      from,
      to,
      cause,
      evidence: {},
      attempt,
      ...(startedAt !== undefined && { startedAt }),
      ...(ending !== undefined && { ending }),
      ...(outcome !== undefined && { outcome }),
    });
    this.#job = { ...this.#known(), state: to };
  }

  #known(): Job {
    if (!this.#job) throw new Error(`${this.#jobId} has not been read yet`);
    return this.#job;
  }
}
