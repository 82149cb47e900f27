import type { JobState } from '../../machines/vocabulary.ts';
import { type Clock, pause } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** What happens to the recordings of a node that is told to end; `docs/guides/service.md` tells operators. */
export const DRAIN_POLICIES = ['checkpoint', 'finish'] as const;
export type DrainPolicy = (typeof DRAIN_POLICIES)[number];

export interface DrainOptions {
  /** Asked anew at every look: the policy may be changed while it is waited. */
  policy(): { readonly policy: DrainPolicy; readonly limitMs: number };
  /** The jobs on this node that have not ended, with the state of each. */
  jobs(): readonly JobState[];
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A file that is being made is worth a moment: made again by the next start, it costs the same once more. Longer than a short
 * recording takes, shorter than Kubernetes waits (30 s), with what comes after; milliseconds.
 */
const FINISHING_MS_MAX = 10_000;
const LOOK_EVERY_MS = 200;

const FINISHING: ReadonlySet<JobState> = new Set(['muxing', 'uploading']);

/** Waits for as long as the policy wants recordings to go on. What is left then stays resumable. */
export async function drained(options: DrainOptions): Promise<'idle' | 'limit' | 'at once'> {
  const { policy, jobs, signal, clock, log } = options;
  const begunAt = clock.elapsed();
  log('info', 'the service drains', { ...policy(), jobs: jobs().length });
  for (;;) {
    if (signal.aborted) return 'at once';
    const waitedMs = clock.elapsed() - begunAt;
    const { policy: word, limitMs } = policy();
    const states = jobs();
    const awaited = word === 'finish' ? states : states.filter((state) => FINISHING.has(state));
    if (awaited.length === 0) return states.length === 0 ? 'idle' : 'limit';
    const hasTime = word === 'finish' ? waitedMs < limitMs : waitedMs < FINISHING_MS_MAX;
    // Past the limit, `finish` is as `checkpoint`: a file that is being made has its moment still.
    const isFinishing = states.some((state) => FINISHING.has(state));
    if (!hasTime && !(word === 'finish' && isFinishing && waitedMs < limitMs + FINISHING_MS_MAX))
      return 'limit';
    await pause(clock, LOOK_EVERY_MS, signal);
  }
}
