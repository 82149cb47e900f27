import type { StreamOptions } from '../../support/origin/streamOptions.ts';

/** What is soaked. Times are real unless they say that they are media time. */
export interface Plan {
  readonly streams: number;
  /** Media time, minutes. */
  readonly minutes: number;
  /** Segments a second, each of one second of media: how many times faster than real time it all goes. */
  readonly rate: number;
  readonly seed: number;
  /** Names of the streams, and what each is. */
  readonly shows: Readonly<Record<string, StreamOptions>>;
  /** How long the streams last, milliseconds. */
  readonly lengthMs: number;
  /** Mean time between two faults of one stream, and between two times that the whole origin is away, milliseconds. */
  readonly faultEveryMs: number;
  readonly downEveryMs: number;
  /** When recorder hosts are killed, milliseconds after the beginning. In the first half: the second is measured. */
  readonly killsAtMs: readonly number[];
}

/** What a playlist holds, real time: longer than any fault and any restart of a host on a loaded machine, milliseconds. */
const WINDOW_MS = 12_000;
/** An hour of media has 30 faults of each stream, and the origin away 7 times. */
const FAULT_EVERY_MS = 10_000;
const DOWN_EVERY_MS = 40_000;
const KILLS = [0.08, 0.16, 0.25];

export interface PlanOptions extends Pick<Plan, 'streams' | 'minutes' | 'rate' | 'seed'> {}

export function planOf(options: PlanOptions): Plan {
  const { streams, minutes, rate } = options;
  const lengthMs = (minutes * 60_000) / rate;
  const window = Math.ceil((WINDOW_MS / 1_000) * rate);
  const common: StreamOptions = {
    rate,
    window,
    prefill: 2,
    endAfter: minutes * 60,
    startsOnRequest: true,
    clock: 'soak',
  };
  const shows = Array.from({ length: streams }, (_, number): [string, StreamOptions] => [
    `show-${number}`,
    { ...common, ...KINDS[number % KINDS.length] },
  ]);
  return {
    ...options,
    shows: Object.fromEntries(shows),
    lengthMs,
    faultEveryMs: FAULT_EVERY_MS,
    downEveryMs: DOWN_EVERY_MS,
    killsAtMs: KILLS.map((share) => share * lengthMs),
  };
}

/** Of five streams three are plain MPEG-TS, one is encrypted with changing keys, and one is fragmented MP4. */
const KINDS: readonly StreamOptions[] = [
  { set: 'ts' },
  { set: 'ts', gzip: true },
  { set: 'fmp4' },
  { set: 'ts', encryption: { rotateEvery: 60 } },
  { set: 'hi', redirect: true },
];
