import { assign, setup } from 'xstate';
import type { Leash, Ports } from './ports.ts';

/** `setTimeout` fires at once beyond 2^31 - 1 ms: a longer wait is taken in steps. */
const STEP_MS_MAX = 2 ** 31 - 1;

/**
 * How long a stepped wall clock may go unnoticed, milliseconds: a recording with an end by the wall clock is that much too long at
 * most. A look costs nothing but a timer.
 */
const WALL_LOOK_MS = 10_000;

/** When a recording shall be over: by what comes first. */
export interface EndWatch {
  /** When the recording shall be over, on the monotonic clock, so that no step of the wall clock moves it; `Infinity` where nobody said. */
  readonly until: number;
  /** How much media was asked for, milliseconds; `Infinity` where nobody said. */
  readonly durationMs: number;
  /** The end by the wall clock, milliseconds since the epoch; `Infinity` where nobody said. */
  readonly endAt: number;
}

export interface DurationDoggyInput extends EndWatch {
  readonly jobId: string;
}

/** By which of them it is over. */
export type DurationDoggyOutput =
  | { readonly by: 'clock' | 'endAt'; readonly overdueMs: number }
  | { readonly by: 'media'; readonly recordedMs: number; readonly durationMs: number };

interface Context extends DurationDoggyInput {
  /** When it lay down, or was told of another end, on the monotonic clock. */
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
 *
 * It barks at the requested end too, whatever is left of the duration. That is a time of day: what is left until then counts on the
 * monotonic clock, and the wall clock is looked at again every few seconds. So the recording ends when the operator's clock says
 * so: a clock that is set forward beyond the end ends it within seconds, one that is set back makes it longer by as much. A
 * duration is not moved by either.
 */
export const durationDoggy = ({
  now,
  elapsed,
  leash,
  policy,
}: Pick<Ports, 'now' | 'elapsed' | 'leash' | 'policy'>) =>
  setup({
    types: {
      context: {} as Context,
      events: {} as { readonly type: 'end.set' } & EndWatch,
      input: {} as DurationDoggyInput,
      output: {} as DurationDoggyOutput,
    },
    guards: {
      isOver: ({ context }) => elapsed() >= context.until,
      isLate: ({ context }) => now() >= context.endAt,
      isFilled: ({ context }) => mediaOf(leash, context.jobId) >= context.durationMs,
    },
    actions: {
      barkByClock: assign({
        bark: ({ context }) => ({ by: 'clock' as const, overdueMs: elapsed() - context.until }),
      }),
      barkByEnd: assign({
        bark: ({ context }) => ({ by: 'endAt' as const, overdueMs: now() - context.endAt }),
      }),
      setEnd: assign((_, { until, durationMs, endAt }: EndWatch) => ({
        until,
        durationMs,
        endAt,
        since: elapsed(),
      })),
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
          Math.max(0, context.endAt - now()),
          context.endAt === Number.POSITIVE_INFINITY ? STEP_MS_MAX : WALL_LOOK_MS,
          mediaLookMs(context, { leash, policy, elapsed }),
        ),
    },
  }).createMachine({
    id: 'durationDoggy',
    description: 'Barks when the requested duration is over, or at the requested end.',
    context: ({ input }) => ({ ...input, since: elapsed() }),
    output: ({ context }) => context.bark ?? { by: 'clock', overdueMs: 0 },
    initial: 'waiting',
    states: {
      waiting: {
        description:
          'Lies beside the clock until the time is up; looks now and then how much media a program has brought, and what the wall clock says.',
        always: [
          { guard: 'isOver', target: 'barking', actions: 'barkByClock' },
          { guard: 'isLate', target: 'barking', actions: 'barkByEnd' },
          { guard: 'isFilled', target: 'barking', actions: 'barkByMedia' },
        ],
        on: {
          'end.set': {
            target: 'waiting',
            reenter: true,
            actions: { type: 'setEnd', params: ({ event }) => event },
          },
        },
        after: { remaining: { target: 'waiting', reenter: true } },
      },
      barking: { type: 'final', description: 'The time is up.' },
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
