import {
  afterTime,
  type Competitor,
  NOTHING_OWED,
  nextTenant,
} from '../../../src/queue/fairShare.ts';

export interface SimulatedTenant {
  readonly tenantId: string;
  readonly weight: number;
  readonly runningMax?: number;
  /** Lengths of its jobs, milliseconds, in the order of its queue. */
  readonly lengths: readonly number[];
  /** When its jobs come in, milliseconds. Default: 0. */
  readonly from?: number;
}

export interface Happening {
  /** Slot-milliseconds of each tenant while all wait. */
  readonly shares: ReadonlyMap<string, number>;
  /** When each tenant's jobs began. */
  readonly begun: ReadonlyMap<string, readonly number[]>;
  /** The longest time with an idle slot while somebody could have used it. */
  readonly idleMs: number;
  readonly mostRunning: ReadonlyMap<string, number>;
}

/** A node with so many slots, on which tenants' jobs run in the order that the fair share gives them. */
export function simulate(slots: number, tenants: readonly SimulatedTenant[]): Happening {
  const queues = new Map(tenants.map((one) => [one.tenantId, [...one.lengths]]));
  const running: { readonly tenantId: string; readonly until: number }[] = [];
  const shares = new Map(tenants.map(({ tenantId }) => [tenantId, 0]));
  const begun = new Map<string, number[]>(tenants.map(({ tenantId }) => [tenantId, []]));
  const mostRunning = new Map<string, number>();
  let owed = NOTHING_OWED;
  let now = 0;
  let idleMs = 0;
  const standings = (): Competitor[] =>
    tenants.map(({ tenantId, weight, runningMax, from = 0 }) => ({
      tenantId,
      weight,
      ...(runningMax !== undefined && { runningMax }),
      running: running.filter((job) => job.tenantId === tenantId).length,
      waiting: now >= from ? (queues.get(tenantId)?.length ?? 0) : 0,
    }));
  for (;;) {
    while (running.length < slots) {
      const next = nextTenant(owed, standings());
      const length = next && queues.get(next.tenantId)?.shift();
      if (!next || length === undefined) break;
      running.push({ tenantId: next.tenantId, until: now + length });
      begun.get(next.tenantId)?.push(now);
      mostRunning.set(
        next.tenantId,
        Math.max(mostRunning.get(next.tenantId) ?? 0, next.running + 1),
      );
    }
    const stood = standings();
    const moments = [
      ...running.map(({ until }) => until),
      ...tenants.flatMap(({ from = 0 }) => (from > now ? from : [])),
    ];
    if (moments.length === 0) break;
    const then = Math.min(...moments);
    const couldRun = stood.some(
      (one) => one.waiting > 0 && one.running < (one.runningMax ?? Infinity),
    );
    if (running.length < slots && couldRun) idleMs = Math.max(idleMs, then - now);
    if (stood.every(({ waiting }) => waiting > 0)) {
      for (const one of stood)
        shares.set(one.tenantId, (shares.get(one.tenantId) ?? 0) + one.running * (then - now));
    }
    owed = afterTime(owed, stood, then - now);
    now = then;
    for (let at = running.length - 1; at >= 0; at--) {
      if ((running[at]?.until ?? 0) <= now) running.splice(at, 1);
    }
  }
  return { shares, begun, idleMs, mostRunning };
}
