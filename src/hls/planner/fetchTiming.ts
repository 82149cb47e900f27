/** Wait before another try: 150 ms, doubled each time, up to 2 s (measured: recovers every fault of the bench). */
const RETRY_FIRST_MS = 150;
const RETRY_LAST_MS = 2_000;
/** One try may take twice its media's duration, but never less than this, and each timeout doubles it, up to a minute. */
const TRY_MIN_MS = 4_000;
const TRY_MAX_MS = 60_000;

/** Time for one try, milliseconds. */
export const tryMs = (durationMs: number, timeouts: number): number =>
  Math.min(TRY_MAX_MS, Math.max(TRY_MIN_MS, 2 * durationMs) * 2 ** timeouts);

/** Time before the next try, milliseconds; `jitter` (0 to 1) takes away up to a quarter, so that streams fall out of step. */
export const retryMs = (tries: number, jitter: number): number =>
  Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.max(0, tries - 1)) * (1 - jitter / 4);
