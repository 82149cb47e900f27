import type { Measurement } from './measurement.ts';

/** A limit that the tree was designed for, and how it was kept. */
export interface Verdict {
  readonly goal: string;
  readonly isMet: boolean;
  /** The best and the worst figure of any configuration; the worst one is judged. */
  readonly best: number;
  readonly worst: number;
}

/**
 * The cost of watching must be noise beside that of copying bytes: a recorder of one stream takes megabytes and percents of a
 * core. Both limits were drawn from a prototype of the tree (13 KB and 0.17–0.25 ms) with room for what the prototype lacked.
 */
const GOALS = [
  { name: 'heap', figure: 'heapKb', max: 20, unit: 'KB a job' },
  { name: 'storm', figure: 'stormCpuMs', max: 0.3, unit: 'ms CPU a job' },
] as const;

export function judge(measurements: readonly Measurement[]): readonly Verdict[] {
  const ofTree = measurements.filter(({ watcher }) => watcher === 'tree');
  return GOALS.map(({ name, figure, max, unit }) => {
    const figures = ofTree.map((measurement) => measurement[figure]);
    const [best, worst] = [Math.min(...figures), Math.max(...figures)];
    return { goal: `${name} ≤ ${max} ${unit}`, isMet: worst <= max, best, worst };
  });
}
