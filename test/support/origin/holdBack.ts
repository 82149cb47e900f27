import { setTimeout as sleep } from 'node:timers/promises';
import type { WindowPlan } from './liveWindow.ts';
import type { NamedMedia } from './mediaFiles.ts';
import { openParts } from './parts.ts';

/** How often a held reload looks whether its time has come. */
const LOOK_MS = 10;
/** A reload is held for three target durations at most (RFC 8216bis §6.2.5.2). */
const TARGETS_MAX = 3;
/** Further ahead than that nobody may ask (the same). */
const AHEAD_MAX = 2;

/** Where a low-latency stream is now. */
export interface Moment {
  readonly plan: WindowPlan;
  readonly partMs: number;
  readonly head: number;
  /** Milliseconds after the stream's start. */
  readonly elapsedMs: number;
}

/** Whether a segment, or a part of one, is there, or will never be. */
export function isThere(
  { plan, partMs, head, elapsedMs }: Moment,
  { index, part }: NamedMedia,
): boolean {
  if (index <= head || head + 1 >= plan.endAfter) return true;
  return (
    part !== undefined && index === head + 1 && part < openParts(plan, partMs, { head, elapsedMs })
  );
}

/** Holds a blocking reload back. Resolves with the status of a refusal, if it is one. */
export async function holdBack(
  reload: Pick<Moment, 'plan'> & {
    /** How many segments after the newest it asks for. */
    readonly aheadBy: number;
    isThere(): boolean;
    /** Whether whoever asked has left. */
    isGone(): boolean;
  },
): Promise<number | undefined> {
  if (reload.aheadBy > AHEAD_MAX) return 400;
  const untilMs = performance.now() + TARGETS_MAX * reload.plan.segmentMs;
  while (!reload.isThere() && !reload.isGone()) {
    if (performance.now() > untilMs) return 503;
    await sleep(LOOK_MS);
  }
  return undefined;
}
