import { type Figures, figuresOf } from '../record/figures.ts';
import { type Sample, sampleUntil } from '../record/sample.ts';
import type { Subject } from '../record/subject.ts';
import type { DensityOrigin } from './densityOrigin.ts';
import { type Busyness, watchMachine } from './machine.ts';

/** Figures of one recorder, or of a part of it, with so many streams. */
export interface Row extends Figures {
  readonly streams: number;
  readonly tls: boolean;
  /** Segments between the first and the last of each stream that it never had whole; NaN for a part. */
  readonly lost: number;
}

export interface BatchResult {
  readonly rows: readonly Row[];
  readonly busyness: Busyness;
  /** What each said at its end. */
  readonly endings: readonly string[];
}

/** Two hundred processes start for half a minute on two cores; then something is wrong. */
const START_WAIT_MS = 120_000;
/** Looking at hundreds of processes is work too: it must not be what keeps the machine busy. */
const cadenceOf = (processes: number) => ({
  lookMs: processes > 60 ? 500 : 200,
  looksPerMemory: processes > 60 ? 8 : 10,
});

export interface BatchOptions {
  readonly origin: DensityOrigin;
  readonly tls: boolean;
  /** From the moment in which the last recorder has a segment of every stream. */
  readonly seconds: number;
}

/** Measures subjects that run already, then ends them all. */
export async function measureBatch(
  subjects: readonly Subject[],
  { origin, tls, seconds }: BatchOptions,
): Promise<BatchResult> {
  const busyness = watchMachine();
  const cadence = cadenceOf(origin.streams * subjects.length);
  const samples = await sampleUntil(subjects, (taken) => isOver(taken, seconds), cadence);
  const busy = busyness();
  const rows = [];
  for (const [subject, taken] of samples) {
    const { missing } = await origin.served(subject.name);
    for (const figures of figuresOf(subject, taken)) {
      const lost = figures.role === 'whole' ? missing : Number.NaN;
      rows.push({ ...figures, streams: origin.streams, tls, lost });
    }
  }
  const endings: string[] = [];
  for (const subject of subjects) {
    subject.stop();
    const { exitCode, said } = await subject.ended;
    endings.push(`${subject.name}: exit code ${exitCode}; ${said}`);
  }
  return { rows, busyness: busy, endings };
}

/** @throws Error when one of them does not begin to record */
function isOver(taken: ReadonlyMap<Subject, readonly Sample[]>, seconds: number): boolean {
  const nowMs = Math.max(...[...taken.values()].map((samples) => samples.at(-1)?.atMs ?? 0));
  let lastStartMs = 0;
  for (const [{ name }, samples] of taken) {
    const start = samples.find(({ bytes }) => bytes > 0);
    if (start === undefined && nowMs > START_WAIT_MS)
      throw new Error(`${name} did not begin to record every stream`);
    lastStartMs = Math.max(lastStartMs, start?.atMs ?? Number.POSITIVE_INFINITY);
  }
  return nowMs >= lastStartMs + seconds * 1_000;
}
