/** Restart intensity after Erlang/OTP's supervisor, delays after Akka's BackoffSupervisor. */
export interface RestartPolicy {
  /** At most this many crashes within `periodMs`; one more and the budget is spent. */
  readonly intensity: number;
  readonly periodMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /**
   * A fall so long after the one before begins a new series: what lived for so long was well, and its successor need not wait longer
   * for what was long ago. The budget counts all falls. Absent: all falls of the period are one series.
   */
  readonly calmMs?: number;
}

/** The crashes that still count, and one more, now. */
export const withCrash = (
  crashes: readonly number[],
  now: number,
  { periodMs }: RestartPolicy,
): readonly number[] => [...crashes.filter((at) => at > now - periodMs), now];

export const isSpent = (crashes: readonly number[], { intensity }: RestartPolicy): boolean =>
  crashes.length > intensity;

/** Milliseconds to wait after the last crash of a series: exponential in its length, with full jitter above the floor. */
export const backoffMs = (
  crashes: readonly number[],
  { minBackoffMs, maxBackoffMs, calmMs = Number.POSITIVE_INFINITY }: RestartPolicy,
  random: () => number,
): number => {
  const begin = crashes.findLastIndex((at, index) => at - (crashes[index - 1] ?? at) >= calmMs);
  const series = crashes.length - Math.max(0, begin);
  const ceiling = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.max(0, series - 1));
  return minBackoffMs + (ceiling - minBackoffMs) * random();
};
