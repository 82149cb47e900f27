import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { MeasuredCost } from '../core/jobCost.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import type { Capacity, CapacityReport, Overload } from './capacity.ts';
import { CostBook, type CostRecords } from './costBook.ts';
import type { Machine } from './machine.ts';
import { otherUse } from './otherUse.ts';
import { type Pressure, readPressure } from './pressure.ts';
import { type Carrier, UsageMeter } from './usage.ts';
import { type Budget, type Load, overloadOf, resourcesOf, roomFor } from './verdict.ts';

/** What the operator leaves to Kennel. */
export interface CapacityLimits {
  /** Jobs at once. */
  readonly jobsMax: number;
  /** Parts of the machine's cores and memory, 0 to 1. */
  readonly cpuShare: number;
  readonly memoryShare: number;
  /** Percent of time with somebody waiting for a processor, above which nothing is added. Default: 100, which is no reason. */
  readonly cpuPressureMax?: number;
  /** Bytes of the disk that stay free. */
  readonly diskReserveBytes: number;
  /** What the network gives, bytes a second; absent: what its interface says, or no limit where it says nothing. */
  readonly networkBytesPerSecond?: number;
  /** What the disk takes, bytes a second; absent: no limit. Nothing tells it but a test that would disturb what records. */
  readonly diskBytesPerSecond?: number;
}

export interface NodeCapacityOptions {
  limits(): CapacityLimits;
  readonly machine: Machine;
  readonly records: CostRecords;
  /** The processes that record. */
  carriers(): readonly Carrier[];
  /** Free bytes on the disk of the recordings. */
  freeBytes(): Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
}

/** As often as hosts tell their progress, twice: a look at 20 hosts costs a few milliseconds. */
const LOOK_EVERY_MS = 2_000;
/** A recording's first moments (resolving, the whole window at once) are no measure of what it will take, milliseconds. */
const SETTLED_AFTER_MS = 20_000;
/** What a job cost on average is worth learning after so long, milliseconds. */
const LEARNT_AFTER_MS = 30_000;

interface Admitted {
  readonly costKey: string;
  readonly estimate: MeasuredCost;
  readonly endsAt?: number;
}

/** The capacity of this node: measured, learnt, and what is left of it. */
export class NodeCapacity implements Capacity, Service {
  readonly #options: NodeCapacityOptions;
  readonly #admitted = new Map<string, Admitted>();
  readonly #meter: UsageMeter;
  #book = new CostBook();
  #pressure: Pressure | undefined;
  #freeBytes: number | undefined;
  #others = { cpu: 0, memoryBytes: 0 };
  #isOn = false;
  #timer: unknown;

  constructor(options: NodeCapacityOptions) {
    this.#options = options;
    this.#meter = new UsageMeter(options);
  }

  /** What was learnt before is read; a database that is away is no reason to wait: the defaults are careful. */
  async start(): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    const { records, log } = this.#options;
    try {
      this.#book = new CostBook(await records.all());
    } catch (error) {
      log('warn', 'What jobs cost is not known yet.', { error: messageOf(error) });
    }
    await this.look();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    this.#options.clock.clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    const { machine, log, freeBytes } = this.#options;
    try {
      await this.#meter.look();
      this.#pressure = await readPressure();
      this.#others = otherUse(machine, this.#meter.usage.total, this.#others);
      this.#freeBytes = await freeBytes();
    } catch (error) {
      log('warn', 'The capacity cannot be measured.', { error: messageOf(error) });
    }
  }

  /** As it was at the last look. */
  get pressure(): Pressure | undefined {
    return this.#pressure;
  }

  estimate(costKey: string): MeasuredCost {
    return this.#book.estimate(costKey);
  }

  overload(costKey: string): Overload | undefined {
    const now = this.#options.clock.now();
    return overloadOf(this.#book.estimate(costKey), this.#budget(), { loads: this.#loads(), now });
  }

  admitted({ id, costKey, endsAt }: Parameters<Capacity['admitted']>[0]): void {
    const estimate = this.#book.estimate(costKey);
    this.#admitted.set(id, { costKey, estimate, ...(endsAt !== undefined && { endsAt }) });
  }

  ended(jobId: string): void {
    const admitted = this.#admitted.get(jobId);
    const measured = this.#meter.usage.jobs.get(jobId);
    this.#admitted.delete(jobId);
    this.#meter.forget(jobId);
    if (!admitted || !measured || measured.spanMs < LEARNT_AFTER_MS) return;
    const { records, log } = this.#options;
    for (const [key, learnt] of this.#book.learn(admitted.costKey, measured.cost))
      records.put(key, learnt).catch((error: unknown) => {
        log('warn', 'What a job cost could not be kept.', { key, error: messageOf(error) });
      });
  }

  report(): CapacityReport {
    const { clock } = this.#options;
    const costKey = this.#book.usual;
    const cost = this.#book.estimate(costKey);
    const loads = this.#loads();
    const now = clock.now();
    const budget = this.#budget();
    return {
      at: now,
      resources: resourcesOf(budget, { loads, now }, this.#meter.usage.total),
      ...(this.#pressure && { pressure: this.#pressure }),
      running: this.#admitted.size,
      typical: { costKey, cost, more: roomFor(cost, budget, { loads, now }) },
    };
  }

  /** What each admitted job takes: as measured once it has settled, before that as estimated. */
  #loads(): Load[] {
    const { jobs } = this.#meter.usage;
    return [...this.#admitted].map(([id, { estimate, endsAt }]) => {
      const measured = jobs.get(id);
      const cost = measured && measured.spanMs >= SETTLED_AFTER_MS ? measured.cost : estimate;
      return { cost, ...(endsAt !== undefined && { endsAt }) };
    });
  }

  #budget(): Budget {
    const { limits, machine, carriers } = this.#options;
    const { jobsMax, cpuShare, memoryShare, diskReserveBytes, cpuPressureMax, ...rates } = limits();
    const network = rates.networkBytesPerSecond ?? machine.networkBytesPerSecond;
    const whole = { cpu: machine.cores * cpuShare, memory: machine.memoryBytes * memoryShare };
    return {
      slots: jobsMax,
      whole,
      cpu: Math.max(0, whole.cpu - this.#others.cpu),
      memory: Math.max(0, whole.memory - this.#others.memoryBytes),
      network: network ?? Number.POSITIVE_INFINITY,
      'disk.bandwidth': rates.diskBytesPerSecond ?? Number.POSITIVE_INFINITY,
      'disk.space':
        this.#freeBytes === undefined
          ? Number.POSITIVE_INFINITY
          : Math.max(0, this.#freeBytes - diskReserveBytes),
      descriptors: machine.descriptors * Math.max(1, carriers().length),
      ...(this.#pressure && { pressure: this.#pressure }),
      ...(cpuPressureMax !== undefined && { cpuPressureMax }),
    };
  }

  #schedule(): void {
    if (!this.#isOn) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      void this.look().then(() => this.#schedule());
    }, LOOK_EVERY_MS);
  }
}
