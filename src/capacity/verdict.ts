import type { MeasuredCost } from '../core/jobCost.ts';
import { type Overload, RESOURCES, type Resource, type ResourceReport } from './capacity.ts';
import type { Pressure } from './pressure.ts';

/** What there is for recordings, in the units of `ResourceReport`; `Infinity` where nothing limits. */
export interface Budget extends Readonly<Record<Countable, number>> {
  readonly pressure?: Pressure;
  /** Percent, above which a wait for processors is a reason to add nothing. Default: 100, which is no reason. */
  readonly cpuPressureMax?: number;
  /** What there would be if nobody else used the machine. */
  readonly whole?: Readonly<Record<'cpu' | 'memory', number>>;
}

type Countable = Exclude<Resource, 'pressure'>;

/** What one job takes, and when it ends as far as that is known. */
export interface Load {
  readonly cost: MeasuredCost;
  readonly endsAt?: number;
}

export interface Standing {
  readonly loads: readonly Load[];
  readonly now: number;
}

/** Room on the disk is kept for so much of every job, or for what it still has to record, milliseconds. */
export const DISK_HORIZON_MS = 3_600_000;

/**
 * Percent of time with somebody waiting, above which nothing is added whatever the sums say. Processors that are shared wait often
 * and lose nothing; memory and disks that are waited for lose segments soon.
 */
const PRESSURE_MAX: Pressure = { cpu: 100, memory: 20, io: 60 };

const COUNTABLE = RESOURCES.filter((resource): resource is Countable => resource !== 'pressure');

/** Why one more job of this cost does not fit; undefined when it does. Of several reasons the one that is worst. */
export function overloadOf(
  cost: MeasuredCost,
  budget: Budget,
  { loads, now }: Standing,
): Overload | undefined {
  const pressed = pressureOverload(budget);
  if (pressed) return pressed;
  const over = COUNTABLE.map((resource) => {
    const expected = expectedOf(resource, loads, now);
    const needed = takenBy(resource, { cost }, now);
    return { resource, limit: budget[resource], expected, needed };
  })
    .filter(({ limit, expected, needed }) => expected + needed > limit)
    .sort((one, other) => excess(other) - excess(one));
  const [worst] = over;
  if (!worst) return undefined;
  const fitsAt = momentOfRoom(cost, budget, { loads, now });
  const { resource } = worst;
  const whole = resource === 'cpu' || resource === 'memory' ? budget.whole?.[resource] : undefined;
  return {
    ...worst,
    ...(whole !== undefined && { whole }),
    explanation: explain(worst),
    ...(fitsAt !== undefined && { fitsAt }),
  };
}

/** How many more jobs of this cost would fit, one after the other. */
export function roomFor(cost: MeasuredCost, budget: Budget, { loads, now }: Standing): number {
  if (pressureOverload(budget)) return 0;
  const rooms = COUNTABLE.map((resource) => {
    const left = budget[resource] - expectedOf(resource, loads, now);
    const needed = takenBy(resource, { cost }, now);
    return needed > 0 ? Math.floor(left / needed) : Number.POSITIVE_INFINITY;
  });
  return Math.max(0, Math.min(...rooms));
}

/** How every resource stands. */
export function resourcesOf(
  budget: Budget,
  { loads, now }: Standing,
  used: MeasuredCost,
): readonly ResourceReport[] {
  const measured: Readonly<Record<Countable, number>> = {
    slots: loads.length,
    cpu: used.cpu,
    memory: used.memoryBytes,
    network: used.networkBytesPerSecond,
    'disk.bandwidth': used.diskBytesPerSecond,
    'disk.space': 0,
    descriptors: used.descriptors,
  };
  return COUNTABLE.map((resource) => ({
    resource,
    limit: budget[resource],
    used: measured[resource],
    expected: expectedOf(resource, loads, now),
  }));
}

const expectedOf = (resource: Countable, loads: readonly Load[], now: number): number =>
  loads.reduce((sum, load) => sum + takenBy(resource, load, now), 0);

function takenBy(resource: Countable, { cost, endsAt }: Load, now: number): number {
  switch (resource) {
    case 'slots':
      return 1;
    case 'cpu':
      return cost.cpu;
    case 'memory':
      return cost.memoryBytes;
    case 'network':
      return cost.networkBytesPerSecond;
    case 'disk.bandwidth':
      return cost.diskBytesPerSecond;
    case 'disk.space': {
      const leftMs = Math.min(
        DISK_HORIZON_MS,
        Math.max(0, (endsAt ?? Number.POSITIVE_INFINITY) - now),
      );
      return (cost.networkBytesPerSecond * leftMs) / 1_000;
    }
    case 'descriptors':
      return cost.descriptors;
  }
}

/** By how much a limit is exceeded, as a part of it. */
const excess = ({ limit, expected, needed }: Omit<Overload, 'explanation'>): number =>
  (expected + needed) / Math.max(limit, Number.MIN_VALUE);

/** When enough running jobs will have ended; undefined when not even the end of all that are known to end would do. */
function momentOfRoom(cost: MeasuredCost, budget: Budget, { loads, now }: Standing) {
  const ends = [...new Set(loads.flatMap(({ endsAt }) => endsAt ?? []))].sort((a, b) => a - b);
  return ends.find((end) => {
    const left = loads.filter(({ endsAt = Number.POSITIVE_INFINITY }) => endsAt > end);
    return COUNTABLE.every((resource) => {
      const taken = expectedOf(resource, left, Math.max(now, end));
      return taken + takenBy(resource, { cost }, end) <= budget[resource];
    });
  });
}

function pressureOverload({
  pressure,
  cpuPressureMax = PRESSURE_MAX.cpu,
}: Pick<Budget, 'pressure' | 'cpuPressureMax'>): Overload | undefined {
  if (pressure === undefined) return undefined;
  for (const name of ['memory', 'io', 'cpu'] as const) {
    const limit = name === 'cpu' ? cpuPressureMax : PRESSURE_MAX[name];
    const expected = pressure[name];
    if (expected <= limit) continue;
    const explanation = `The machine waits for ${name} in ${expected.toFixed(0)} % of the time; above ${limit} % nothing is added.`;
    return { resource: 'pressure', explanation, limit, expected, needed: 0 };
  }
  return undefined;
}

const NAMES: Readonly<Record<Countable, (amount: number) => string>> = {
  slots: (amount) => `${amount} jobs`,
  cpu: (amount) => `${amount.toFixed(2)} cores`,
  memory: (amount) => `${(amount / 1024 ** 2).toFixed(0)} MiB of memory`,
  network: (amount) => `${(amount / 1e6).toFixed(1)} MB/s of the network`,
  'disk.bandwidth': (amount) => `${(amount / 1e6).toFixed(1)} MB/s of the disk`,
  'disk.space': (amount) => `${(amount / 1e9).toFixed(1)} GB on the disk`,
  descriptors: (amount) => `${amount.toFixed(0)} open files`,
};

function explain({
  resource,
  limit,
  expected,
  needed,
}: {
  readonly resource: Countable;
  readonly limit: number;
  readonly expected: number;
  readonly needed: number;
}): string {
  const text = NAMES[resource];
  return `Of ${text(limit)}, running jobs are expected to take ${text(expected)}, and this one would take ${text(needed)}.`;
}
