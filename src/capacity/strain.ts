import type { Pressure } from './pressure.ts';

/** What makes recordings lose segments soon. Processors that are waited for only make them later. */
export type StrainedResource = 'memory' | 'io' | 'disk';

export interface Strain {
  readonly resource: StrainedResource;
  /** One sentence for people, with numbers. */
  readonly explanation: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Percent of time in which everything that runs is held up; admission stops well below (`verdict.ts`). */
const PRESSURE_STRAINED = { memory: 40, io: 80 } as const;

/** What is strained now, the worst first; undefined when all is well. */
export function strainOf(
  pressure: Pressure | undefined,
  diskLevel: string | undefined,
): Strain | undefined {
  if (diskLevel === 'critical' || diskLevel === 'full') {
    const explanation = `The disk of the recordings is ${diskLevel}: what is recorded will soon not fit on it.`;
    return { resource: 'disk', explanation, evidence: { level: diskLevel } };
  }
  for (const resource of ['memory', 'io'] as const) {
    const percent = pressure?.[resource] ?? 0;
    const limit = PRESSURE_STRAINED[resource];
    if (percent <= limit) continue;
    const explanation = `The machine waits for ${resource} in ${percent.toFixed(0)} % of the time, above ${limit} %.`;
    return { resource, explanation, evidence: { percent, limit } };
  }
  return undefined;
}

/** A job that records. */
export interface StrainedJob {
  readonly id: string;
  readonly priority: number;
  /** Milliseconds since the epoch. */
  readonly begunAt: number;
}

/**
 * Which job is given up for the others: the one of the lowest priority, and of several such the one that began last, since
 * there was no strain before it. Ids decide the rest, so that the same jobs always give the same answer. The last job is never given up.
 */
export function sacrificed(jobs: readonly StrainedJob[]): StrainedJob | undefined {
  if (jobs.length < 2) return undefined;
  const [first] = jobs.toSorted(
    (one, other) =>
      one.priority - other.priority || other.begunAt - one.begunAt || (one.id < other.id ? 1 : -1),
  );
  return first;
}
