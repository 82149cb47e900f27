import type { Sample } from './sample.ts';
import type { Part, Subject } from './subject.ts';

/** What one part of a subject cost. NaN where a run was too short to tell. */
export interface Figures {
  readonly subject: string;
  readonly part: string;
  readonly role: Part['role'];
  /** CPU until the first byte of the stream was stored, seconds. */
  readonly startCpuS: number;
  /** CPU over the middle of the recording, percent of one core. */
  readonly steadyCorePercent: number;
  /** Slope of CPU over bytes in the middle, seconds for 10⁹ bytes. */
  readonly cpuSPerGb: number;
  /** CPU of all of the recording with its start, over all its bytes, seconds for 10⁹ bytes. */
  readonly cpuSPerGbWhole: number;
  /** CPU in the middle, milliseconds for one segment; NaN where segments are not to be seen. */
  readonly cpuMsPerSegment: number;
  /** All in bytes; the means are those of the middle, the peak is that of the whole recording without its finish. */
  readonly rssPeakBytes: number;
  readonly rssMeanBytes: number;
  readonly pssPeakBytes: number;
  readonly pssMeanBytes: number;
  /** Of the stream, that it had when it was told to stop. */
  readonly bytes: number;
}

/** The first third warms up (code is compiled, buffers grow), and the last twentieth may see the stop. */
const MIDDLE_FROM = 1 / 3;
const MIDDLE_TO = 0.95;

export function figuresOf({ name, parts }: Subject, samples: readonly Sample[]): Figures[] {
  const first = samples.findIndex(({ bytes }) => bytes > 0);
  const recording = first < 0 ? [] : samples.slice(first);
  const middle = recording.slice(
    Math.floor(recording.length * MIDDLE_FROM),
    Math.ceil(recording.length * MIDDLE_TO),
  );
  return parts.map((part, index): Figures => {
    const cpu = (sample: Sample) => (sample.parts[index]?.cpuMs ?? 0) / 1_000;
    const memory = (some: readonly Sample[]) =>
      some.flatMap((sample) => sample.parts[index]?.memory ?? []);
    const before = samples[0] ? cpu(samples[0]) : 0;
    const firstStored = recording[0];
    const last = samples.at(-1);
    // A server beside it ran long before.
    const sinceCpu = part.role === 'beside' ? before : 0;
    return {
      subject: name,
      part: part.name,
      role: part.role,
      startCpuS: firstStored ? cpu(firstStored) - sinceCpu : Number.NaN,
      steadyCorePercent: slope(middle, ({ atMs }) => atMs / 1_000, cpu) * 100,
      cpuSPerGb: slope(middle, ({ bytes }) => bytes / 1e9, cpu),
      cpuSPerGbWhole: last ? (cpu(last) - sinceCpu) / (last.bytes / 1e9) : Number.NaN,
      cpuMsPerSegment: slope(middle, ({ segments }) => segments ?? Number.NaN, cpu) * 1_000,
      rssPeakBytes: Math.max(...memory(recording).map(({ rssBytes }) => rssBytes)),
      rssMeanBytes: mean(memory(middle).map(({ rssBytes }) => rssBytes)),
      pssPeakBytes: Math.max(...memory(recording).map(({ pssBytes }) => pssBytes)),
      pssMeanBytes: mean(memory(middle).map(({ pssBytes }) => pssBytes)),
      bytes: samples.at(-1)?.bytes ?? 0,
    };
  });
}

/** By least squares: every look counts, so the grain of the kernel's clock and of segments averages out. */
function slope(
  samples: readonly Sample[],
  x: (sample: Sample) => number,
  y: (sample: Sample) => number,
): number {
  const [meanX, meanY] = [mean(samples.map(x)), mean(samples.map(y))];
  let [over, under] = [0, 0];
  for (const sample of samples) {
    over += (x(sample) - meanX) * (y(sample) - meanY);
    under += (x(sample) - meanX) ** 2;
  }
  return over / under;
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((all, one) => all + one, 0) / numbers.length;
