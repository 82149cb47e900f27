import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often the monitor's own timer looks, milliseconds. Node counts this interval in, so it is taken off again. */
const RESOLUTION_MS = 10;

/**
 * The monitor runs so much longer at either edge of the work, or it would not see a stall there. It is never reset: the first
 * look after a reset is not counted, and that would be the stall.
 */
const MARGIN_MS = 5 * RESOLUTION_MS;

/** How late the event loop came round while something ran, milliseconds. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export async function whileMonitored<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly delay: LoopDelay }> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await sleep(MARGIN_MS);
  const result = await work();
  await sleep(MARGIN_MS);
  histogram.disable();
  return { result, delay: delayOf(histogram) };
}

const delayOf = (histogram: ReturnType<typeof monitorEventLoopDelay>): LoopDelay => {
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    p50Ms: late(histogram.percentile(50)),
    p99Ms: late(histogram.percentile(99)),
    maxMs: late(histogram.max),
  };
};
