import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import type { Pressure } from './pressure.ts';
import { type Strain, type StrainedJob, sacrificed, strainOf } from './strain.ts';

/** `keep`: every job goes on, and somebody is told. `stop`: one job after the other is stopped until the others are well. */
export type StrainPolicy = 'keep' | 'stop';

const LOOK_EVERY_MS = 5_000;
/** A strain that passes by itself is none: the average behind it is of ten seconds. */
const STRAINED_AFTER_MS = 30_000;
/** A job that was stopped needs a few seconds for its end, and the average some more: until then nobody else is stopped. */
const RELIEF_MS = 60_000;

export interface StrainWatchOptions {
  policy(): StrainPolicy;
  pressure(): Pressure | undefined;
  /** `good`, `low`, `critical`, `full`. */
  diskLevel(): string | undefined;
  /** The jobs that record on this node. */
  jobs(): Promise<readonly StrainedJob[]>;
  /** Lets a job finish well. */
  stop(jobId: string, strain: Strain): void;
  /** Somebody should look at this: when a strain begins, and when it is over. */
  tell(
    type: 'capacity.strained' | 'capacity.relieved',
    data: Readonly<Record<string, unknown>>,
  ): void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sees that a node under strain loses as little as possible, by a policy that is stated and never by chance. */
export class StrainWatch implements Service {
  readonly #options: StrainWatchOptions;
  #since: number | undefined;
  #isTold = false;
  #nextStopAt = 0;
  #timer: unknown;
  #isOn = false;

  constructor(options: StrainWatchOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    this.#options.clock.clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    const { clock, pressure, diskLevel, log } = this.#options;
    const strain = strainOf(pressure(), diskLevel());
    const now = clock.elapsed();
    if (!strain) return this.#relieve();
    this.#since ??= now;
    if (now - this.#since < STRAINED_AFTER_MS) return;
    if (!this.#isTold) {
      this.#isTold = true;
      log('warn', 'The node is under strain.', { ...strain });
      this.#options.tell('capacity.strained', { ...strain, policy: this.#options.policy() });
    }
    if (this.#options.policy() !== 'stop' || now < this.#nextStopAt) return;
    const job = sacrificed(await this.#options.jobs());
    if (!job) return;
    this.#nextStopAt = now + RELIEF_MS;
    this.#options.stop(job.id, strain);
  }

  #relieve(): void {
    this.#since = undefined;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#options.tell('capacity.relieved', {});
  }

  #schedule(): void {
    if (!this.#isOn) return;
    const { clock, log } = this.#options;
    this.#timer = clock.setTimeout(() => {
      const failed = (error: unknown) =>
        log('warn', 'The strain of the node cannot be judged.', { error: messageOf(error) });
      void this.look()
        .catch(failed)
        .finally(() => this.#schedule());
    }, LOOK_EVERY_MS);
  }
}
