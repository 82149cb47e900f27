import type { MeasuredCost } from '../core/jobCost.ts';

/** What was learnt of a kind of job: the mean, and how far measurements are from it on average. */
export interface LearntCost {
  readonly mean: MeasuredCost;
  readonly deviation: MeasuredCost;
  readonly samples: number;
}

/** Where learnt costs are kept between lives of the node. */
export interface CostRecords {
  all(): Promise<readonly (LearntCost & { readonly key: string })[]>;
  put(key: string, cost: LearntCost): Promise<void>;
}

/** How much a new measurement weighs once there are many, as in TCP's estimate of round trips (RFC 6298): mean and deviation. */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
/** Deviations above the mean that a job is expected to stay below. RFC 6298 takes 4 for a timer; a node that is wrong only waits. */
const DEVIATIONS = 2;

/** Kinds of jobs that are told apart: beyond, the least used are forgotten. A few hundred bytes each. */
export const KEYS_MAX = 2_000;

const FIELDS = [
  'cpu',
  'memoryBytes',
  'networkBytesPerSecond',
  'diskBytesPerSecond',
  'descriptors',
] as const satisfies (keyof MeasuredCost)[];

/**
 * Before anything is known: a native stream of 8 Mb/s (1080p) at the engine's measured cost (82 CPU-s/GB for the recorder host, see
 * `npm run bench:record`), 8 MiB of its host's memory, and its sockets and files.
 */
const NATIVE_DEFAULT: MeasuredCost = {
  cpu: 0.08,
  memoryBytes: 8 * 1024 ** 2,
  networkBytesPerSecond: 1_000_000,
  diskBytesPerSecond: 1_000_000,
  descriptors: 12,
};

/** A program such as yt-dlp with its ffmpeg, as `npm run bench:mixed` shows them: 120 MiB resident, and some of a core. */
const PROGRAM_DEFAULT: MeasuredCost = {
  cpu: 0.15,
  memoryBytes: 120 * 1024 ** 2,
  networkBytesPerSecond: 1_000_000,
  diskBytesPerSecond: 1_000_000,
  descriptors: 60,
};

/** Learns what jobs cost, by kind (`hls`), kind and site (`hls|example.org`), and wish (`hls|example.org|720p`). */
export class CostBook {
  readonly #learnt = new Map<string, LearntCost>();

  constructor(known: readonly (LearntCost & { readonly key: string })[] = []) {
    for (const { key, ...cost } of known) this.#learnt.set(key, cost);
  }

  /** What a job of this kind is expected to stay below: of the most exact kind that is known. */
  estimate(key: string): MeasuredCost {
    for (const kind of kindsOf(key)) {
      const learnt = this.#learnt.get(kind);
      if (learnt) return combined(learnt.mean, learnt.deviation, (a, b) => a + DEVIATIONS * b);
    }
    return key.startsWith('hls') ? NATIVE_DEFAULT : PROGRAM_DEFAULT;
  }

  /** Takes in what one job was measured to cost on average. Returns what changed, to be kept. */
  learn(key: string, cost: MeasuredCost): readonly (readonly [key: string, LearntCost])[] {
    return kindsOf(key).map((kind) => {
      const learnt = withMeasurement(this.#learnt.get(kind), cost);
      this.#learnt.delete(kind);
      this.#learnt.set(kind, learnt);
      const [oldest] = this.#learnt.keys();
      if (this.#learnt.size > KEYS_MAX && oldest !== undefined) this.#learnt.delete(oldest);
      return [kind, learnt];
    });
  }

  /** The kind that was measured most often. */
  get usual(): string {
    const all = [...this.#learnt].filter(([key]) => !key.includes('|'));
    return all.sort(([, one], [, other]) => other.samples - one.samples)[0]?.[0] ?? 'hls';
  }
}

/** From the most exact to the most general. */
function kindsOf(key: string): string[] {
  const parts = key.split('|');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('|'));
}

function withMeasurement(before: LearntCost | undefined, cost: MeasuredCost): LearntCost {
  if (before === undefined)
    return { mean: cost, deviation: combined(cost, cost, (value) => value / 2), samples: 1 };
  const error = combined(before.mean, cost, (mean, now) => Math.abs(now - mean));
  return {
    deviation: combined(
      before.deviation,
      error,
      (old, now) => old + (now - old) * DEVIATION_WEIGHT,
    ),
    mean: combined(before.mean, cost, (old, now) => old + (now - old) * MEAN_WEIGHT),
    samples: before.samples + 1,
  };
}

/** Number by number. */
export function combined(
  one: MeasuredCost,
  other: MeasuredCost,
  combine: (one: number, other: number) => number,
): MeasuredCost {
  const entries = FIELDS.map((field) => [field, combine(one[field], other[field])] as const);
  // The list has every field of the type, which `satisfies` above cannot say the other way round.
  return Object.fromEntries(entries) as unknown as MeasuredCost;
}
