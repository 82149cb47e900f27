/** Restart intensity after Erlang/OTP's supervisor, delays after Akka's BackoffSupervisor. */
export interface RestartPolicy {
  /** At most this many crashes within `periodMs`; one more and the budget is spent. */
  readonly intensity: number;
  readonly periodMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** The crashes that still count, and one more, now. */
export const withCrash = (
  crashes: readonly number[],
  now: number,
  { periodMs }: RestartPolicy,
): readonly number[] => [...crashes.filter((at) => at > now - periodMs), now];

export const isSpent = (crashes: readonly number[], { intensity }: RestartPolicy): boolean =>
  crashes.length > intensity;

/** Milliseconds to wait after the n-th crash: exponential, with full jitter above the floor. */
export const backoffMs = (
  crashCount: number,
  { minBackoffMs, maxBackoffMs }: RestartPolicy,
  random: () => number,
): number => {
  const ceiling = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.max(0, crashCount - 1));
  return minBackoffMs + (ceiling - minBackoffMs) * random();
};
