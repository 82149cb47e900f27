import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessMemory, ProcessTable } from './procfs.ts';
import type { Subject, Taken } from './subject.ts';

/** One look at one subject. */
export interface Sample extends Taken {
  /** Milliseconds since the first look at anything. */
  readonly atMs: number;
  /** In the order of the subject's parts. */
  readonly parts: readonly PartSample[];
}

export interface PartSample {
  readonly cpuMs: number;
  /** Undefined in most looks: it costs far more to ask for. */
  readonly memory: ProcessMemory | undefined;
}

export interface Cadence {
  readonly lookMs: number;
  /** The kernel walks all pages of a process to tell its memory: only every so many looks. */
  readonly looksPerMemory: number;
}

/** Short, so that the CPU until the first segment is not blurred; half a second between memory looks is often enough. */
const CADENCE: Cadence = { lookMs: 100, looksPerMemory: 5 };

/**
 * Looks at all subjects side by side until `isOver`. All are seen in one table of processes, so at the same instant.
 *
 * @param isOver asked after every look
 */
export async function sampleUntil(
  subjects: readonly Subject[],
  isOver: (samples: ReadonlyMap<Subject, readonly Sample[]>) => boolean,
  { lookMs, looksPerMemory }: Cadence = CADENCE,
): Promise<Map<Subject, Sample[]>> {
  const begun = performance.now();
  const samples = new Map(subjects.map((subject): [Subject, Sample[]] => [subject, []]));
  for (let look = 0; ; look++) {
    const table = new ProcessTable();
    const atMs = performance.now() - begun;
    for (const [subject, taken] of samples) {
      const parts = subject.parts.map((part) => {
        const pids = part.pids(table);
        const memory = look % looksPerMemory === 0 ? table.memory(pids) : undefined;
        return { cpuMs: table.cpuMs(pids), memory };
      });
      taken.push({ atMs, parts, ...(await subject.taken()) });
    }
    if (isOver(samples)) return samples;
    await sleep(lookMs);
  }
}
