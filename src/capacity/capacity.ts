import type { MeasuredCost } from '../core/jobCost.ts';

/** What limits how many jobs a node can carry. */
export const RESOURCES = [
  'slots',
  'cpu',
  'memory',
  'network',
  'disk.bandwidth',
  'disk.space',
  'descriptors',
  'pressure',
] as const;
export type Resource = (typeof RESOURCES)[number];

/** One resource as it stands. Units: slots and descriptors by number, cpu in cores, everything else in bytes or bytes a second. */
export interface ResourceReport {
  readonly resource: Resource;
  /** What the machine or its cgroup gives, and what the operator leaves to Kennel of it. */
  readonly limit: number;
  /** What is taken now, measured. */
  readonly used: number;
  /** What admitted jobs are expected to take (they may not have reached it yet). */
  readonly expected: number;
}

/** A job would not fit. */
export interface Overload {
  readonly resource: Resource;
  /** One sentence for people, with numbers. */
  readonly explanation: string;
  readonly limit: number;
  /** What the limit would be if nobody else used the machine; absent where that is the limit. */
  readonly whole?: number;
  readonly expected: number;
  readonly needed: number;
  /** When it would fit, milliseconds since the epoch, as far as the ends of running jobs are known. */
  readonly fitsAt?: number;
}

export interface CapacityReport {
  readonly at: number;
  readonly resources: readonly ResourceReport[];
  /** Pressure stall information, percent of the last 10 s in which something waited; absent where the kernel has none. */
  readonly pressure?: Readonly<Record<'cpu' | 'memory' | 'io', number>>;
  readonly running: number;
  /** What one more job of the most usual kind is expected to cost, and how many more would fit. */
  readonly typical: {
    readonly costKey: string;
    readonly cost: MeasuredCost;
    readonly more: number;
  };
}

/** How much a node can carry, and what it carries. */
export interface Capacity {
  /** What a job of this kind is expected to cost: learnt, or a stated default. */
  estimate(costKey: string): MeasuredCost;
  /** Undefined when one more job of this kind fits. */
  overload(costKey: string): Overload | undefined;
  /** A job was admitted: from now on it counts, with what it is expected to take until it is measured. */
  admitted(job: { readonly id: string; readonly costKey: string; readonly endsAt?: number }): void;
  /** A job has ended: it counts no more, and what it was measured to cost is learnt. */
  ended(jobId: string): void;
  report(): CapacityReport;
}
