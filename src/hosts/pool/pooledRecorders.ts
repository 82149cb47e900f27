import type { Progress, RecorderExit } from '../../../machines/ports.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import {
  type LiveRecorder,
  NO_PROGRESS,
  type RecorderDriver,
  type RecorderJob,
  type RecorderListener,
} from '../../process/recorderDriver.ts';
import {
  type Hello,
  type KeptExit,
  LINE_BYTES_MAX,
  type RunningRecorder,
  type ToSupervisor,
  writeMessage,
} from '../host/protocol.ts';
import type { HostLink } from './hostLink.ts';
import { RecorderLoad } from './recorderLoad.ts';

interface Pooled extends LiveRecorder {
  readonly host: HostLink;
  /** What it was started with; absent when it was adopted. */
  readonly order?: { readonly job: RecorderJob; readonly directory: string };
  /** The host may have it: from here on only the host knows its end. */
  sent: boolean;
  startedAt?: number;
  progress: Progress;
  readonly load: RecorderLoad;
  killed: boolean;
  stopWhy?: string;
  killWhy?: string;
  killTimer?: unknown;
}

export interface PooledRecordersOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly killAnswerMs: number;
  /** A host for one more recorder. Throws when none can be had. */
  chooseHost(): HostLink;
  /** Takes over hosts of this node that are not in the pool yet. */
  adoptStrangers(): Promise<void>;
}

/** Where an acknowledgement has to go. */
interface ExitAt {
  readonly host: HostLink;
  readonly attempt: number;
}

const refusal = (kind: 'failed' | 'crashed', why: string, error?: unknown): RecorderExit => ({
  kind,
  why,
  retryable: kind === 'crashed',
  evidence: error === undefined ? {} : { error: messageOf(error) },
});

/** The recorders of all hosts of a pool, as the leash sees them. */
export class PooledRecorders implements RecorderDriver {
  readonly #options: PooledRecordersOptions;
  readonly #recorders = new Map<string, Pooled>();
  readonly #exits = new Map<string, ExitAt>();
  /** Exits of an earlier life that came before anybody listened. */
  #untold: (readonly [LiveRecorder, RecorderExit])[] = [];
  #listener: RecorderListener | undefined;
  #deposedBy: number | undefined;

  constructor(options: PooledRecordersOptions) {
    this.#options = options;
  }

  subscribe(listener: RecorderListener): void {
    this.#listener = listener;
    for (const [recorder, exit] of this.#untold.splice(0)) listener.exited(recorder, exit);
  }

  living(jobId: string): LiveRecorder | undefined {
    return this.#recorders.get(jobId);
  }

  countOn(host: HostLink): number {
    let count = 0;
    for (const recorder of this.#recorders.values()) if (recorder.host === host) count += 1;
    return count;
  }

  carriedBy(host: HostLink): { readonly jobId: string; readonly progress: Progress }[] {
    return [...this.#recorders.values()].flatMap((recorder) =>
      recorder.host === host ? [{ jobId: recorder.jobId, progress: recorder.progress }] : [],
    );
  }

  /**
   * What a host carries, in bytes a second; a recorder that has not told yet counts as an average one. Where nobody has told,
   * the number of recorders decides.
   */
  loadOf(host: HostLink): number {
    const all = [...this.#recorders.values()];
    const told = all.flatMap(({ load }) => load.bytesPerSecond ?? []);
    const sum = told.reduce((total, rate) => total + rate, 0);
    const average = sum > 0 ? sum / told.length : 1;
    return all
      .filter((recorder) => recorder.host === host)
      .reduce((total, { load }) => total + (load.bytesPerSecond ?? average), 0);
  }

  start(job: RecorderJob, directory: string): void {
    if (this.#recorders.has(job.id)) throw new Error(`Job ${job.id} has a living recorder.`);
    const { id: jobId, attempt } = job;
    const base = { jobId, attempt, progress: NO_PROGRESS, killed: false };
    if (this.#deposedBy !== undefined) {
      this.#exitSoon(base, refusal('failed', 'host.superseded'));
      return;
    }
    const order = { job, directory };
    if (Buffer.byteLength(writeMessage({ type: 'start', ...order })) > LINE_BYTES_MAX) {
      this.#exitSoon(base, refusal('failed', 'limit.exceeded', 'The job is too long to be told.'));
      return;
    }
    let host: HostLink;
    try {
      host = this.#options.chooseHost();
    } catch (error) {
      this.#exitSoon(base, refusal('crashed', 'host.unstartable', error));
      return;
    }
    const pooled: Pooled = { ...base, host, order, sent: false, load: this.#newLoad() };
    this.#recorders.set(jobId, pooled);
    if (host.isUp) this.#sendOrder(pooled);
  }

  stop(jobId: string, why: string): void {
    const recorder = this.#recorders.get(jobId);
    if (recorder === undefined) return;
    recorder.stopWhy ??= why;
    recorder.host.send({ type: 'stop', jobId, why });
  }

  kill(jobId: string, why: string): void {
    const { clock, killAnswerMs } = this.#options;
    const recorder = this.#recorders.get(jobId);
    if (recorder === undefined || recorder.killWhy !== undefined) return;
    recorder.killed = true;
    recorder.killWhy = why;
    if (recorder.host.isLetGo) {
      // It records on for another supervisor; whoever still works for this one must hear that it is over here.
      queueMicrotask(() => this.#end(recorder, refusal('failed', 'host.superseded')));
    } else if (!recorder.sent) {
      queueMicrotask(() => this.#end(recorder, refusal('crashed', why)));
    } else {
      recorder.host.send({ type: 'kill', jobId, why });
      const impatient = (): void => recorder.host.kill('host.ignoredKill');
      recorder.killTimer = clock.setTimeout(impatient, killAnswerMs);
    }
  }

  acknowledge(jobId: string, attempt: number): void {
    const at = this.#exits.get(jobId);
    if (at?.attempt !== attempt) return;
    this.#exits.delete(jobId);
    at.host.send({ type: 'acknowledge', jobId, attempt });
  }

  async clear(jobId: string): Promise<void> {
    if (this.#recorders.has(jobId) || this.#deposedBy !== undefined) return;
    await this.#options.adoptStrangers();
  }

  /** What a host says it carries is adopted; what it does not know of, it is told again. */
  hello(host: HostLink, hello: Hello): void {
    for (const running of hello.recorders) this.#met(host, running);
    for (const kept of hello.exits) this.#exited(host, kept);
    const carried = new Set(hello.recorders.map((running) => running.jobId));
    for (const recorder of [...this.#recorders.values()]) {
      if (recorder.host !== host || carried.has(recorder.jobId)) continue;
      if (recorder.killWhy !== undefined) this.#end(recorder, refusal('crashed', recorder.killWhy));
      else if (recorder.order !== undefined) this.#sendOrder(recorder);
      else this.#end(recorder, refusal('crashed', 'exit.lost'));
    }
  }

  message(host: HostLink, message: ToSupervisor): void {
    switch (message.type) {
      case 'started':
        this.#started(this.#find(host, message), message.at);
        return;
      case 'progress':
        for (const numbers of message.recorders) {
          const recorder = this.#find(host, numbers);
          if (recorder === undefined) continue;
          recorder.progress = numbers.progress;
          recorder.load.report(numbers.progress.bytes);
        }
        return;
      case 'exited':
        this.#exited(host, message);
        return;
      case 'log':
        this.#options.log(message.level, message.message, {
          hostId: host.hostId,
          ...message.fields,
        });
        return;
      case 'hello':
      case 'pong':
      case 'quitting':
      case 'superseded':
        return;
    }
  }

  /** Nothing of the host is left, nor of what it carried, programs included. */
  hostGone(host: HostLink, why: string, evidence: Readonly<Record<string, unknown>>): void {
    for (const [jobId, at] of this.#exits) if (at.host === host) this.#exits.delete(jobId);
    for (const recorder of [...this.#recorders.values()]) {
      if (recorder.host !== host) continue;
      this.#end(recorder, { kind: 'crashed', why, retryable: true, evidence });
    }
  }

  /** Another supervisor has this node's hosts. Nothing is started here any more, lest two recorders write one recording. */
  deposed(byPid: number): void {
    if (this.#deposedBy === undefined) {
      this.#options.log('error', 'Another supervisor has taken over the recorder hosts.', {
        byPid,
      });
    }
    this.#deposedBy = byPid;
  }

  /** The pool has stopped: what goes on, goes on for a successor. */
  forgetAll(): void {
    for (const { killTimer } of this.#recorders.values())
      this.#options.clock.clearTimeout(killTimer);
    this.#recorders.clear();
    this.#exits.clear();
    this.#deposedBy = undefined;
  }

  #newLoad(): RecorderLoad {
    return new RecorderLoad(this.#options.clock);
  }

  #find(host: HostLink, which: { jobId: string; attempt: number }): Pooled | undefined {
    const recorder = this.#recorders.get(which.jobId);
    const isIt = recorder?.host === host && recorder.attempt === which.attempt;
    return isIt ? recorder : undefined;
  }

  #sendOrder(recorder: Pooled): void {
    const { order, host, jobId, stopWhy } = recorder;
    if (order === undefined) return;
    recorder.sent = true;
    host.send({ type: 'start', ...order });
    if (stopWhy !== undefined) host.send({ type: 'stop', jobId, why: stopWhy });
  }

  #met(host: HostLink, running: RunningRecorder): void {
    const { jobId, attempt } = running;
    const known = this.#find(host, running);
    if (known === undefined) {
      if (this.#recorders.has(jobId)) {
        // Two recorders of one job: the one that the table knows stays.
        this.#options.log('error', 'A second recorder of a job is killed.', { jobId, attempt });
        host.send({ type: 'kill', jobId, why: 'recorder.duplicate' });
        return;
      }
      this.#recorders.set(jobId, { ...running, host, sent: true, load: this.#newLoad() });
      // Whoever killed it is no more there to see to it.
      if (running.killed) this.kill(jobId, 'killed.before');
      return;
    }
    known.progress = running.progress;
    if (running.startedAt !== undefined) this.#started(known, running.startedAt);
    if (known.stopWhy !== undefined) host.send({ type: 'stop', jobId, why: known.stopWhy });
    if (known.killWhy !== undefined) host.send({ type: 'kill', jobId, why: known.killWhy });
  }

  #started(recorder: Pooled | undefined, at: number): void {
    if (recorder === undefined || recorder.startedAt !== undefined) return;
    recorder.startedAt = at;
    this.#listener?.started(recorder);
  }

  #exited(host: HostLink, kept: KeptExit): void {
    const { jobId, attempt, killed, exit } = kept;
    const recorder = this.#find(host, kept);
    if (recorder === undefined && this.#recorders.has(jobId)) {
      // The job has another recorder meanwhile: the old one's end matters to nobody.
      host.send({ type: 'acknowledge', jobId, attempt });
      return;
    }
    this.#exits.set(jobId, { host, attempt });
    if (recorder !== undefined) {
      this.#end(recorder, exit);
      return;
    }
    this.#tell({ jobId, attempt, killed, progress: NO_PROGRESS }, exit);
  }

  #end(recorder: Pooled, exit: RecorderExit): void {
    if (this.#recorders.get(recorder.jobId) !== recorder) return;
    this.#options.clock.clearTimeout(recorder.killTimer);
    this.#recorders.delete(recorder.jobId);
    this.#tell(recorder, exit);
  }

  /** Not during the call of `start`: its caller is not ready to hear yet. */
  #exitSoon(recorder: LiveRecorder, exit: RecorderExit): void {
    queueMicrotask(() => this.#tell(recorder, exit));
  }

  #tell(recorder: LiveRecorder, exit: RecorderExit): void {
    if (this.#listener === undefined) this.#untold.push([recorder, exit]);
    else this.#listener.exited(recorder, exit);
  }
}
