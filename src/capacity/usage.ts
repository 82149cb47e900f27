import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { MeasuredCost } from '../core/jobCost.ts';
import { ProcessTree } from '../process/processTree.ts';
import { startTicksOf } from '../process/procfs.ts';

/** A process that carries recordings, with all that it started, and what they have told of themselves. */
export interface Carrier {
  readonly pid: number;
  readonly jobs: readonly CarriedJob[];
}

export interface CarriedJob {
  readonly jobId: string;
  /** Bytes received so far. */
  readonly bytes: number;
  /** CPU time of the program that records it, milliseconds; absent: the carrier itself records. */
  readonly programCpuMs?: number;
}

/** A host without recordings, resident: it is nobody's cost (`npm run bench:density`, the first row). */
const IDLE_CARRIER_BYTES = 64 * 1024 ** 2;
/** Spans between two looks that tell nothing, milliseconds. */
const SPAN_MS_MIN = 500;

const NOTHING: MeasuredCost = {
  cpu: 0,
  memoryBytes: 0,
  networkBytesPerSecond: 0,
  diskBytesPerSecond: 0,
  descriptors: 0,
};

/** What one process and its descendants had used at a look. */
interface Counted {
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly writtenBytes: number;
  readonly descriptors: number;
}

/** How one carrier has been from look to look. */
interface Watched {
  readonly tree: ProcessTree;
  readonly startTicks: number | undefined;
  counted?: Counted;
  jobs: ReadonlyMap<string, CarriedJob>;
}

/** One job's sums since it was first seen. */
interface JobSums {
  spanMs: number;
  cpuMs: number;
  bytes: number;
  writtenBytes: number;
  memoryBytes: number;
  descriptors: number;
}

export interface Usage {
  /** Of all carriers, and of this process: what Kennel takes of the machine, on average since the last look. */
  readonly total: MeasuredCost;
  /** Of each job, on average since it was first seen. */
  readonly jobs: ReadonlyMap<string, { readonly spanMs: number; readonly cost: MeasuredCost }>;
}

/**
 * Measures what recordings take of the machine. A program's CPU time is known to the job; what a carrier itself uses is shared
 * among its recordings by the bytes that they received, which is what an engine's work goes by; memory above that of an idle
 * carrier, and descriptors, by their number.
 */
export class UsageMeter {
  readonly #clock: Clock;
  readonly #carriers: () => readonly Carrier[];
  readonly #watched = new Map<number, Watched>();
  readonly #sums = new Map<string, JobSums>();
  #at: number | undefined;
  #total: MeasuredCost = NOTHING;

  constructor({
    clock,
    carriers,
  }: {
    readonly clock: Clock;
    /** The processes that record now. This process is counted besides. */
    carriers(): readonly Carrier[];
  }) {
    this.#clock = clock;
    this.#carriers = carriers;
  }

  get usage(): Usage {
    const jobs = [...this.#sums].map(
      ([jobId, sums]) => [jobId, { spanMs: sums.spanMs, cost: costOf(sums) }] as const,
    );
    return { total: this.#total, jobs: new Map(jobs) };
  }

  forget(jobId: string): void {
    this.#sums.delete(jobId);
  }

  /** One look: some reads for each process. */
  async look(): Promise<void> {
    const now = this.#clock.elapsed();
    const spanMs = now - (this.#at ?? now);
    if (this.#at !== undefined && spanMs < SPAN_MS_MIN) return;
    this.#at = now;
    let total = NOTHING;
    const carriers: readonly Carrier[] = [...this.#carriers(), { pid: process.pid, jobs: [] }];
    const pids = new Set(carriers.map(({ pid }) => pid));
    for (const pid of this.#watched.keys()) if (!pids.has(pid)) this.#watched.delete(pid);
    for (const carrier of carriers) {
      const spent = await this.#lookAt(carrier, spanMs);
      if (spent) total = added(total, spent);
    }
    this.#total = total;
  }

  async #lookAt(carrier: Carrier, spanMs: number): Promise<MeasuredCost | undefined> {
    const watched = this.#watch(carrier.pid);
    const before = watched.counted;
    const beforeJobs = watched.jobs;
    const counted = await count(watched.tree, carrier.pid);
    watched.counted = counted;
    watched.jobs = new Map(carrier.jobs.map((job) => [job.jobId, job]));
    if (before === undefined || spanMs <= 0) return undefined;
    const grown = (field: 'cpuMs' | 'writtenBytes') => Math.max(0, counted[field] - before[field]);
    const cpuMs = grown('cpuMs');
    const writtenBytes = grown('writtenBytes');
    const received = this.#share(carrier.jobs, beforeJobs, {
      spanMs,
      cpuMs,
      writtenBytes,
      memoryBytes: Math.max(0, counted.residentBytes - IDLE_CARRIER_BYTES),
      descriptors: counted.descriptors,
    });
    return {
      cpu: cpuMs / spanMs,
      memoryBytes: counted.residentBytes,
      networkBytesPerSecond: (received * 1_000) / spanMs,
      diskBytesPerSecond: (writtenBytes * 1_000) / spanMs,
      descriptors: counted.descriptors,
    };
  }

  /** Adds what a carrier used in a span to its jobs. Returns the bytes that they received. */
  #share(
    jobs: readonly CarriedJob[],
    before: ReadonlyMap<string, CarriedJob>,
    spent: Omit<JobSums, 'bytes'>,
  ): number {
    const spans = jobs.map((job) => {
      const earlier = before.get(job.jobId);
      const since = (now: number | undefined, then: number | undefined) =>
        Math.max(0, (now ?? 0) - (then !== undefined && then <= (now ?? 0) ? then : 0));
      return {
        jobId: job.jobId,
        bytes: earlier ? since(job.bytes, earlier.bytes) : 0,
        cpuMs: earlier ? since(job.programCpuMs, earlier.programCpuMs) : 0,
      };
    });
    const received = spans.reduce((sum, { bytes }) => sum + bytes, 0);
    const ofPrograms = spans.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    const own = Math.max(0, spent.cpuMs - ofPrograms);
    for (const { jobId, bytes, cpuMs } of spans) {
      const part = received > 0 ? bytes / received : 1 / spans.length;
      const sums = this.#sumsOf(jobId);
      sums.spanMs += spent.spanMs;
      sums.bytes += bytes;
      sums.cpuMs += cpuMs + own * part;
      sums.writtenBytes += spent.writtenBytes * part;
      sums.memoryBytes = Math.max(sums.memoryBytes, spent.memoryBytes / spans.length);
      sums.descriptors = Math.max(sums.descriptors, spent.descriptors / spans.length);
    }
    return received;
  }

  #sumsOf(jobId: string): JobSums {
    const known = this.#sums.get(jobId);
    if (known) return known;
    const sums = { spanMs: 0, cpuMs: 0, bytes: 0, writtenBytes: 0, memoryBytes: 0, descriptors: 0 };
    this.#sums.set(jobId, sums);
    return sums;
  }

  #watch(pid: number): Watched {
    const known = this.#watched.get(pid);
    const startTicks = startTicksOf(pid);
    if (known && known.startTicks === startTicks) return known;
    const watched = { tree: new ProcessTree(pid), startTicks, jobs: new Map() };
    this.#watched.set(pid, watched);
    return watched;
  }
}

const costOf = (sums: JobSums): MeasuredCost => {
  const aSecond = (amount: number) => (sums.spanMs > 0 ? (amount * 1_000) / sums.spanMs : 0);
  return {
    cpu: sums.spanMs > 0 ? sums.cpuMs / sums.spanMs : 0,
    memoryBytes: sums.memoryBytes,
    networkBytesPerSecond: aSecond(sums.bytes),
    diskBytesPerSecond: aSecond(sums.writtenBytes),
    descriptors: Math.ceil(sums.descriptors),
  };
};

const added = (one: MeasuredCost, other: MeasuredCost): MeasuredCost => ({
  cpu: one.cpu + other.cpu,
  memoryBytes: one.memoryBytes + other.memoryBytes,
  networkBytesPerSecond: one.networkBytesPerSecond + other.networkBytesPerSecond,
  diskBytesPerSecond: one.diskBytesPerSecond + other.diskBytesPerSecond,
  descriptors: one.descriptors + other.descriptors,
});

/** The supervisor's own tree holds the carriers as well: of it, only the process itself is counted. */
async function count(tree: ProcessTree, pid: number): Promise<Counted> {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage();
    return {
      cpuMs: (user + system) / 1_000,
      residentBytes: process.memoryUsage.rss(),
      writtenBytes: writtenBytesOf(pid),
      descriptors: descriptorsOf(pid),
    };
  }
  const { processes, cpuMs, residentBytes } = await tree.look();
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
  return {
    cpuMs,
    residentBytes,
    writtenBytes: sum(processes.map((process) => writtenBytesOf(process.pid))),
    descriptors: sum(processes.map((process) => descriptorsOf(process.pid))),
  };
}

/** Bytes that were sent to the disk, proc(5) `io`. */
function writtenBytesOf(pid: number): number {
  try {
    const [, bytes] = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1')) ?? [];
    return Number(bytes ?? 0);
  } catch {
    // It is gone, or somebody else's.
    return 0;
  }
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
