import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How finely delays are sampled, milliseconds. */
const RESOLUTION_MS = 20;
/** A delay counts for so long after it was seen, milliseconds: longer than probes are apart. */
const REMEMBERED_MS = 15_000;

/** Watches how long the event loop stands still. The watch keeps no process alive. */
export function loopLag(elapsed: () => number): { lagMs(): number; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let since = elapsed();
  return {
    lagMs: () => {
      const nanoseconds = histogram.max;
      if (elapsed() - since > REMEMBERED_MS) {
        histogram.reset();
        since = elapsed();
      }
      return nanoseconds / 1e6;
    },
    stop: () => {
      histogram.disable();
    },
  };
}
