import type { WindowPlan } from './liveWindow.ts';
import type { MediaSet } from './mediaSet.ts';
import type { ResolvedOptions } from './streamOptions.ts';

/** Prefilled segments of a stream whose window has no end. */
const PREFILL_DEFAULT = 6;

/** How the window of a stream slides that begins with this set. */
export function planOf(options: ResolvedOptions, set: MediaSet): WindowPlan {
  const count = set.segments.length;
  const window = options.window === 'all' ? Number.POSITIVE_INFINITY : options.window;
  if (options.vod) {
    const all = Number.POSITIVE_INFINITY;
    return { segmentMs: set.segmentMs, rate: 1, window: all, prefill: count, endAfter: count };
  }
  return {
    segmentMs: set.segmentMs,
    rate: options.rate,
    window,
    prefill: options.prefill ?? Math.min(window, PREFILL_DEFAULT),
    endAfter: options.endAfter ?? (options.loop ? Number.POSITIVE_INFINITY : count),
  };
}
