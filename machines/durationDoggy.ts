import { assign, setup } from 'xstate';
import type { Leash, Ports } from './ports.ts';

/** `setTimeout` fires at once beyond 2^31 - 1 ms: a longer wait is taken in steps. */
const STEP_MS_MAX = 2 ** 31 - 1;

export interface DurationDoggyInput {
  readonly jobId: string;
  /** When the recording shall be over, on the monotonic clock, so that no step of the wall clock moves it; `Infinity` where nobody said. */
  readonly until: number;
  /** How much media was asked for, milliseconds; `Infinity` where nobody said. */
  readonly durationMs: number;
}

/** By which of the two the duration is over. */
export type DurationDoggyOutput =
  | { readonly by: 'clock'; readonly overdueMs: number }
  | { readonly by: 'media'; readonly recordedMs: number; readonly durationMs: number };

interface Context extends DurationDoggyInput {
  /** When it lay down, on the monotonic clock. */
  readonly since: number;
  readonly bark?: DurationDoggyOutput;
}

/** Media time that a program has brought for a job, milliseconds; 0 for recorders that are none, and while nothing is known. */
export const mediaOf = (leash: Pick<Leash, 'progress'>, jobId: string): number =>
  leash.progress(jobId).program?.recordedMs ?? 0;

/**
 * Barks when the requested duration is over: by the clock, or by the media time of a program, whichever comes first. A file
 * comes faster than it plays, and a live stream begins some segments back. Native recorders follow the live edge, so only the
 * clock counts for them.
 */
export const durationDoggy = ({
  elapsed,
  leash,
  policy,
}: Pick<Ports, 'elapsed' | 'leash' | 'policy'>) =>
  setup({
    types: {
      context: {} as Context,
      input: {} as DurationDoggyInput,
      output: {} as DurationDoggyOutput,
    },
    guards: {
      isOver: ({ context }) => elapsed() >= context.until,
      isFilled: ({ context }) => mediaOf(leash, context.jobId) >= context.durationMs,
    },
    actions: {
      barkByClock: assign({
        bark: ({ context }) => ({ by: 'clock' as const, overdueMs: elapsed() - context.until }),
      }),
      barkByMedia: assign({
        bark: ({ context: { jobId, durationMs } }) => ({
          by: 'media' as const,
          recordedMs: mediaOf(leash, jobId),
          durationMs,
        }),
      }),
    },
    delays: {
      remaining: ({ context }) =>
        Math.min(
          STEP_MS_MAX,
          Math.max(0, context.until - elapsed()),
          mediaLookMs(context, { leash, policy, elapsed }),
        ),
    },
  }).createMachine({
    id: 'durationDoggy',
    description: 'Barks when the requested duration is over.',
    context: ({ input }) => ({ ...input, since: elapsed() }),
    output: ({ context }) => context.bark ?? { by: 'clock', overdueMs: 0 },
    initial: 'waiting',
    states: {
      waiting: {
        description:
          'Lies beside the clock until the time is up; looks now and then how much media a program has brought.',
        always: [
          { guard: 'isOver', target: 'barking', actions: 'barkByClock' },
          { guard: 'isFilled', target: 'barking', actions: 'barkByMedia' },
        ],
        after: { remaining: { target: 'waiting', reenter: true } },
      },
      barking: { type: 'final', description: 'The requested duration is over.' },
    },
  });

/**
 * When to look at the media next, milliseconds: often for a program, soon while nobody has told which kind it is, and no more for
 * a recorder that was native for as long as one may be silent: until then the numbers may be those of the one before it.
 */
function mediaLookMs(
  { jobId, durationMs, since }: Context,
  { leash, policy, elapsed }: Pick<Ports, 'leash' | 'policy' | 'elapsed'>,
): number {
  const { programLookMs, heartbeat } = policy;
  if (durationMs === Number.POSITIVE_INFINITY) return durationMs;
  const { program, beats } = leash.progress(jobId);
  if (program !== undefined) return programLookMs;
  if (beats === 0) return heartbeat.everyMs;
  const lainMs = elapsed() - since;
  if (lainMs < heartbeat.everyMs) return heartbeat.everyMs;
  const sureMs = heartbeat.everyMs * heartbeat.patience;
  // Never at once: what is left of a span of time may be less than a clock can tell.
  return lainMs < sureMs ? Math.max(heartbeat.everyMs, sureMs - lainMs) : Number.POSITIVE_INFINITY;
}
