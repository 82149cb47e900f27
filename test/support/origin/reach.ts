import type { FaultBoard } from './faults.ts';
import { headAt, isKept, shownAt, type WindowPlan } from './liveWindow.ts';
import { type Era, eraAt } from './numbering.ts';

/**
 * What anybody could have fetched, computed from the schedule of a stream alone. A segment needs two moments: one in which a
 * sound playlist lists it, and a later one in which its own address gives it. Faults of so many answers (`times`) can be
 * outlasted and are no obstacle; faults for so long are one while they last.
 */
export interface Reach {
  /**
   * Indexes that every client which reloads once a target duration, as RFC 8216 §6.3.4 allows, finds and can fetch: listed in
   * sound playlists, and after that to be had, for one and a half target durations each.
   */
  readonly sure: readonly number[];
  /** Indexes that there was a chance to fetch, for a shorter time. */
  readonly lucky: readonly number[];
  /** Indexes that nobody could have fetched. */
  readonly never: readonly number[];
}

export interface ReachParts {
  readonly plan: WindowPlan;
  readonly eras: readonly Era[];
  readonly faults: FaultBoard;
  /** EXT-X-GAP. */
  readonly gaps: readonly number[];
  /** Whether the origin answers at all at that moment, milliseconds after the start. */
  isOpen(elapsedMs: number): boolean;
}

const STEP_MS = 50;
const TARGETS_SURE = 1.5;

/** Pure; of a stream with an end. Every moment is looked at, 50 ms apart, until a minute after the end. */
export function reachOf(parts: ReachParts): Reach {
  const { plan } = parts;
  const listedMs = new Map<number, number>();
  const fetchableMs = new Map<number, number>();
  const untilMs = ((plan.endAfter - plan.prefill) * plan.segmentMs) / plan.rate + 60_000;
  if (!Number.isFinite(untilMs)) throw new Error('a stream without an end has no last segment');
  for (let now = 0; now < untilMs; now += STEP_MS) {
    if (!parts.isOpen(now)) continue;
    for (const index of listedAt(parts, now)) add(listedMs, index);
    for (const index of listedMs.keys()) if (canFetch(parts, index, now)) add(fetchableMs, index);
  }
  const sureMs = (TARGETS_SURE * plan.segmentMs) / plan.rate;
  const reach = { sure: [] as number[], lucky: [] as number[], never: [] as number[] };
  for (let index = 0; index < plan.endAfter; index++) {
    const shortest = Math.min(listedMs.get(index) ?? 0, fetchableMs.get(index) ?? 0);
    reach[shortest >= sureMs ? 'sure' : shortest > 0 ? 'lucky' : 'never'].push(index);
  }
  return reach;
}

const add = (times: Map<number, number>, index: number): unknown =>
  times.set(index, (times.get(index) ?? 0) + STEP_MS);

function listedAt({ plan, eras, faults }: ReachParts, now: number): number[] {
  if (faults.blocks('playlist', now)) return [];
  const head = headAt(plan, faults.frozenSince(now) ?? now);
  const { first, last } = shownAt(plan, head, eraAt(eras, head).oldest);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => first + step);
}

function canFetch({ plan, faults, gaps }: ReachParts, index: number, now: number): boolean {
  if (gaps.includes(index) || !isKept(plan, index, headAt(plan, now))) return false;
  return (
    !faults.blocks('segment', now, index) &&
    !faults.blocks('init', now) &&
    !faults.blocks('key', now)
  );
}
