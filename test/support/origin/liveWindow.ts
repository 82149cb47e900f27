/** How the window slides: plain arithmetic over time, without clock, network or media. */
export interface WindowPlan {
  readonly segmentMs: number;
  /** How many times faster than real time segments appear. EXTINF stays the media's own duration. */
  readonly rate: number;
  /** Segments in the playlist; Infinity keeps all (EVENT, DVR). */
  readonly window: number;
  /** Segments that are there already when the stream starts. */
  readonly prefill: number;
  /** The stream ends (ENDLIST) after so many segments; Infinity never. */
  readonly endAfter: number;
}

/** The segments of one playlist: `first` to `last`, both included; `last < first` when there is none yet. */
export interface Shown {
  readonly first: number;
  readonly last: number;
  /** Whether the stream is over and the playlist says so. */
  readonly ended: boolean;
}

/** The index of the newest complete segment at that moment, −1 before the first. */
export function headAt(plan: WindowPlan, elapsedMs: number): number {
  const made = plan.prefill + Math.floor((elapsedMs * plan.rate) / plan.segmentMs);
  return Math.min(made, plan.endAfter) - 1;
}

/** When a segment becomes available, milliseconds after the start; not above 0 for the prefilled ones. */
export const availableAtMs = (plan: WindowPlan, index: number): number =>
  ((index + 1 - plan.prefill) * plan.segmentMs) / plan.rate;

/** What a playlist shows when `head` is the newest segment and nothing before `oldest` may be shown. */
export function shownAt(plan: WindowPlan, head: number, oldest: number): Shown {
  return {
    first: Math.max(0, oldest, head - plan.window + 1),
    last: head,
    ended: head >= plan.endAfter - 1,
  };
}

/** Whether a segment can be fetched: it exists, and left the playlist less than one window ago (RFC 8216 §6.2.2). */
export const isKept = (plan: WindowPlan, index: number, head: number): boolean =>
  index >= 0 && index <= head && index > head - 2 * plan.window;
