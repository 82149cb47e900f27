import type { RecordingEnd } from '../../recording/recorder.ts';
import type { PlannedRecord } from './planLines.ts';
import type { FetchOrder } from './queue.ts';
import type { PlannerResume } from './resume.ts';

export interface PlannerOptions {
  readonly track: string;
  readonly patienceMs: number;
  readonly resume?: PlannerResume | undefined;
  /** Monotonic milliseconds, as every `now` here. */
  readonly now: number;
}

/** How a source is to be polled next. */
export interface PollOrder {
  /** When; not finite when it is not to be polled (now). */
  readonly at: number;
  readonly timeoutMs: number;
  /** The origin may be asked to hold its answer back (`_HLS_msn`) until this number, its own, is listed. */
  readonly blockUntilMsn?: number;
}

export interface Plan {
  /** To be durable, in this order, before any of `fetch` is. */
  readonly records: readonly PlannedRecord[];
  /** To begin now. Each counts as under way until it is reported. */
  readonly fetch: readonly FetchOrder[];
  /** Whether answers to polls still count. */
  readonly polling: boolean;
  /** When the next poll is to be sent, to whichever source `mayPoll`; not finite when none is wanted. */
  readonly pollAt: number;
  readonly pollTimeoutMs: number;
  /** That poll may ask the origin to hold its answer back; see `PollOrder`. Its time is long enough for that. */
  readonly blocking: boolean;
  /** When to ask for a plan again if nothing happens before. */
  readonly wakeAt: number;
  /** Everything advertised is settled, and this is why it is over. */
  readonly end?: RecordingEnd;
}
