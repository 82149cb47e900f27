import type { Policy } from '../../machines/ports.ts';

/** Budgets of the simulated node: small enough to be spent within minutes. */
export const POLICY: Policy = {
  recorder: { intensity: 5, periodMs: 600_000, minBackoffMs: 500, maxBackoffMs: 20_000 },
  finish: { intensity: 5, periodMs: 600_000, minBackoffMs: 500, maxBackoffMs: 20_000 },
  bigDog: { intensity: 5, periodMs: 600_000, minBackoffMs: 500, maxBackoffMs: 10_000 },
  bigDogDog: { intensity: 3, periodMs: 600_000, minBackoffMs: 5_000, maxBackoffMs: 20_000 },
  graceMs: 5_000,
  heartbeat: { everyMs: 3_000, patience: 3 },
  lookMs: 2_000,
  programLookMs: 1_000,
  capacity: 1_000,
};
