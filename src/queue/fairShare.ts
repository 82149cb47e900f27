import type { TenantStanding } from './queueRecords.ts';

/**
 * Whose turn it is when there is room.
 *
 * A tenant has a turn as long as it has jobs that are due and runs fewer than it may (it competes). What competitors run together
 * is theirs by weight: each is owed its part of that time, and what its own jobs take is subtracted. So what a tenant was owed and
 * did not get (because slots are whole, or others' jobs were long) is kept exactly for as long as it competes, and given back later.
 *
 * The turn is of the tenant with the lowest (running + 1/2 - owed) / weight, where `owed` counts one slot at most either way. Without
 * `owed` that is the method of Webster and Sainte-Laguë, which divides slots at once so that no exchange of one would be fairer.
 * That limit of one slot is why a newcomer, or one who waited for long, gets no more than its share and one job, and why nobody
 * starves: whoever runs nothing and is owed a slot goes before all who run something.
 */

/** What tenants are owed, slot-milliseconds, positive or negative; 0 for those that are not in it. */
export type Owed = ReadonlyMap<string, number>;

export const NOTHING_OWED: Owed = new Map();

/** Owed for so long, a slot counts whole, milliseconds. Short beside any recording: what is owed is given at the next chance. */
const SLOT_OWED_MS = 1_000;
/** What is owed to a tenant that no longer competes is forgotten by half in such a time, milliseconds. */
const HALF_LIFE_MS = 600_000;
/** Never more is owed, slot-milliseconds: two slots for a whole day. Whoever waited behind endless recordings is not owed months. */
const OWED_MAX = 48 * 3_600_000;
/** Less than that is nothing, slot-milliseconds. */
const OWED_LEAST = 1;

export type Competitor = Pick<
  TenantStanding,
  'tenantId' | 'weight' | 'runningMax' | 'running' | 'waiting'
>;

/** `waiting`: jobs that are due. */
export const competes = ({ runningMax, running, waiting }: Competitor): boolean =>
  waiting > 0 && mayRunMore({ runningMax, running });

const mayRunMore = ({
  running,
  runningMax = Number.POSITIVE_INFINITY,
}: {
  readonly running: number;
  readonly runningMax: number | undefined;
}): boolean => running < runningMax;

/** What is owed after a time in which the tenants stood so. */
export function afterTime(owed: Owed, standings: readonly Competitor[], elapsedMs: number): Owed {
  const competitors = standings.filter(competes);
  const slots = sum(competitors.map(({ running }) => running));
  const weights = sum(competitors.map(weightOf));
  const next = new Map<string, number>();
  const forgotten = 0.5 ** (elapsedMs / HALF_LIFE_MS);
  for (const [tenantId, amount] of owed) next.set(tenantId, amount * forgotten);
  for (const competitor of competitors) {
    const { tenantId, running } = competitor;
    const part = (slots * weightOf(competitor)) / weights;
    const amount = (owed.get(tenantId) ?? 0) + (part - running) * elapsedMs;
    next.set(tenantId, Math.max(-OWED_MAX, Math.min(OWED_MAX, amount)));
  }
  for (const [tenantId, amount] of next) {
    if (Math.abs(amount) < OWED_LEAST) next.delete(tenantId);
  }
  return next;
}

/** Whose turn it is; undefined when nobody competes. */
export function nextTenant<One extends Competitor>(
  owed: Owed,
  standings: readonly One[],
): One | undefined {
  const claims = standings.filter(competes).map((one) => ({ one, claim: claimOf(owed, one) }));
  claims.sort(
    (a, b) =>
      a.claim - b.claim ||
      (owed.get(b.one.tenantId) ?? 0) - (owed.get(a.one.tenantId) ?? 0) ||
      weightOf(b.one) - weightOf(a.one) ||
      (a.one.tenantId < b.one.tenantId ? -1 : 1),
  );
  return claims[0]?.one;
}

function claimOf(owed: Owed, competitor: Competitor): number {
  const slots = (owed.get(competitor.tenantId) ?? 0) / SLOT_OWED_MS;
  const credit = Math.max(-1, Math.min(1, slots));
  return (competitor.running + 0.5 - credit) / weightOf(competitor);
}

/** The lightest that a tenant can be: a weight of nothing would divide by nothing. */
const WEIGHT_LEAST = 1e-6;
const weightOf = ({ weight }: Competitor): number => Math.max(WEIGHT_LEAST, weight);

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
