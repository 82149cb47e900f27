import { REST_MS, type Soaked, type Station } from './perform.ts';
import type { Plan } from './plan.ts';
import { type Sample, type Trend, trendOf } from './samples.ts';

const MEGABYTE = 1024 ** 2;

/**
 * Megabytes of memory per stream and hour of media. With as much, the 64 streams of one host would take 12 hours to use
 * up half of the gigabyte after which it is replaced: a host would be replaced twice a day, which costs nothing. What really
 * grows (numbers of segments in memory) is well below.
 */
const SLOPE_MAX = 0.7;
/**
 * Below so many minutes of measured media a trend is not judged: a process that begins anew takes some 20 MB until its garbage
 * collector has found its pace.
 */
const JUDGED_FROM_MINUTES = 20;
/** A trend counts as one only beyond what chance explains: 95 % with the ten looks or so that a trend is made of. */
const ERRORS = 2.3;
/** Idle connections to the origin, which is still there, may be kept; each stream had several. */
const DESCRIPTORS_SPARE = 4;
/** The same for timers: the pool's own, of connections that are kept. */
const TIMERS_SPARE = 4;

export interface Verdict {
  readonly text: string;
  readonly isMet: boolean;
}

export interface ProcessTrend extends Trend {
  readonly pid: number;
  readonly role: Sample['role'];
  /** Resident memory, or the live heap: what a collection of garbage leaves. */
  readonly of: 'resident memory' | 'live heap';
  /** Media time that it was seen for, minutes. */
  readonly minutes: number;
}

interface Point extends Pick<Sample, 'pid' | 'role' | 'atMs'> {
  readonly bytes: number;
}

/** Over the second half, megabytes per hour of media, of each process that lived all through it. */
export function trendsOf(plan: Plan, { samples, stations }: Soaked): ProcessTrend[] {
  const resident = blocksOf(samples).map((one) => ({ ...one, bytes: one.rssBytes }));
  const heaps = stations.flatMap(({ inside, ...one }) =>
    inside === undefined ? [] : { ...one, bytes: inside.heapBytes },
  );
  return [...trends(plan, 'resident memory', resident), ...trends(plan, 'live heap', heaps)];
}

/**
 * Means of so many neighbours: memory goes up and down like a saw while garbage gathers, and looks half a second apart are no
 * independent ones.
 */
const BLOCK = 30;

function blocksOf(samples: readonly Sample[]): Sample[] {
  const ofPid = Map.groupBy(samples, ({ pid }) => pid);
  return [...ofPid.values()].flatMap((one) =>
    one.flatMap((first, index) => {
      const block = one.slice(index, index + BLOCK);
      if (index % BLOCK !== 0 || block.length < BLOCK) return [];
      const mean = (of: (sample: Sample) => number): number =>
        block.reduce((sum, sample) => sum + of(sample), 0) / BLOCK;
      return { ...first, atMs: mean(({ atMs }) => atMs), rssBytes: mean((each) => each.rssBytes) };
    }),
  );
}

function trends(plan: Plan, of: ProcessTrend['of'], points: readonly Point[]): ProcessTrend[] {
  const half = points.filter(
    ({ atMs }) => atMs >= (plan.lengthMs - REST_MS) / 2 && atMs <= plan.lengthMs,
  );
  const ofPid = Map.groupBy(half, ({ pid }) => pid);
  const most = Math.max(...[...ofPid.values()].map((one) => one.length));
  return [...ofPid].flatMap(([pid, one]) => {
    const [first] = one;
    if (first === undefined || one.length < most - 1) return [];
    const hours = (atMs: number): number => (atMs * plan.rate) / 3_600_000;
    const line = trendOf(one.map(({ atMs, bytes }) => [hours(atMs), bytes / MEGABYTE]));
    return { pid, of, role: first.role, minutes: plan.minutes / 2, ...line };
  });
}

export function verdictsOf(plan: Plan, soaked: Soaked): Verdict[] {
  const { accounts, stations } = soaked;
  const trends = trendsOf(plan, soaked).map((trend) => slopeVerdict(plan, trend));
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  const needless = accounts.flatMap(({ show, needless: lost }) =>
    lost.map((one) => `${show} ${one}`),
  );
  const flaws = accounts.flatMap(({ show, flaws: found }) => found.map((one) => `${show}: ${one}`));
  const numbers =
    `${sum(accounts.map(({ advertised }) => advertised))} advertised = ${sum(accounts.map(({ stored }) => stored))} stored + ` +
    `${sum(accounts.map(({ lost }) => lost))} lost`;
  return [
    { text: `every proof adds up: ${numbers}${listed(flaws)}`, isMet: flaws.length === 0 },
    {
      text: `nothing was lost that was to be had${listed(needless)}`,
      isMet: needless.length === 0,
    },
    ...trends,
    ...(['supervisor', 'host'] as const).flatMap((role) => baselineVerdicts(stations, role)),
  ];
}

const listed = (what: readonly string[]): string =>
  what.length === 0 ? '' : ` (${what.length}: ${what.slice(0, 12).join('; ')})`;

function slopeVerdict({ streams }: Plan, trend: ProcessTrend): Verdict {
  const { of, role, perHour, error, minutes } = trend;
  const [slope, doubt] = [perHour / streams, error / streams];
  const isJudged = minutes >= JUDGED_FROM_MINUTES;
  const figure = `${slope.toFixed(2)} ± ${(ERRORS * doubt).toFixed(2)} MB per stream and hour of media`;
  const not = isJudged ? '' : `; not judged, ${minutes} minutes of media are too few`;
  return {
    text: `${of} of the ${role} grows by at most ${SLOPE_MAX}: ${figure}${not}`,
    isMet: !isJudged || slope - ERRORS * doubt <= SLOPE_MAX,
  };
}

const timersOf = ({ inside }: Station): number | undefined =>
  inside?.resources['Timeout'] ?? (inside && 0);

function baselineVerdicts(stations: readonly Station[], role: Sample['role']): Verdict[] {
  const at = (when: Station['when']) =>
    stations.find((one) => one.when === when && one.role === role);
  const [before, after] = [at('before'), at('afterwards')];
  if (before === undefined || after === undefined)
    return [{ text: `the ${role} is there before and afterwards`, isMet: false }];
  const verdicts = [
    {
      text: `descriptors of the ${role} are back: ${before.descriptors} before, ${after.descriptors} afterwards`,
      isMet: after.descriptors <= before.descriptors + DESCRIPTORS_SPARE,
    },
  ];
  const [timersBefore, timersAfter] = [timersOf(before), timersOf(after)];
  const isKnown = timersBefore !== undefined && timersAfter !== undefined;
  const told = isKnown
    ? `${timersBefore} before, ${timersAfter} afterwards`
    : 'it could not be asked';
  const isMet = !isKnown || timersAfter <= timersBefore + TIMERS_SPARE;
  return [...verdicts, { text: `timers of the ${role} are back: ${told}`, isMet }];
}
