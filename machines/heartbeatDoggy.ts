import { assign, setup } from 'xstate';
import type { Policy, Ports, Progress } from './ports.ts';
import { isOldNews, observe, type Silence, silenceOf, type VitalSigns } from './vitalSigns.ts';
import type { WatchLimits } from './vocabulary.ts';

export interface HeartbeatDoggyInput {
  readonly jobId: string;
  /** What counts as silence of a program in this job. Absent: what its source's pieces suggest. */
  readonly watch?: WatchLimits;
}

export interface HeartbeatDoggyOutput {
  /** Looks in a row that saw no sign of life; of a program: looks in a row at which nothing new was known of it. */
  readonly misses: number;
  readonly silentMs: number;
  readonly beats: number;
  /** Of a program: what stood still, and for how long. Absent when nothing was told of it any more. */
  readonly program?: Silence;
}

interface Context extends HeartbeatDoggyInput {
  readonly seen: number;
  readonly misses: number;
  /** When something was last seen to move, on the monotonic clock; at first, when it lay down. */
  readonly movedAt: number;
  /** Of a recorder that is a program. */
  readonly vitals?: VitalSigns | undefined;
  readonly silence?: Silence;
}

/**
 * Barks when the recorder gives no sign of life. It samples rather than being told, so that a thousand recorders cost a
 * thousand look-ups and not a flood of events. A silent source is not a silent recorder: the recorder decides about its
 * source, with evidence, and goes on beating while it waits.
 *
 * A program cannot be trusted to beat, so it is judged by what can be seen of it (`vitalSigns.ts`); its recorder in the host
 * only tells these signs, and when not even that happens for as long as a native recorder may be silent, it is bitten too.
 */
export const heartbeatDoggy = ({
  elapsed,
  leash,
  policy,
}: Pick<Ports, 'elapsed' | 'leash' | 'policy'>) =>
  setup({
    types: {
      context: {} as Context,
      input: {} as HeartbeatDoggyInput,
      output: {} as HeartbeatDoggyOutput,
    },
    guards: {
      isAlive: ({ context }) => isAlive(listen(context, leash.progress(context.jobId)), policy),
    },
    actions: {
      listen: assign(({ context }) => {
        const heard = listen(context, leash.progress(context.jobId));
        return { ...heard, movedAt: hasMoved(context, heard) ? elapsed() : context.movedAt };
      }),
    },
    delays: { beat: ({ context }) => beatMs(context, policy) },
  }).createMachine({
    id: 'heartbeatDoggy',
    description: 'Barks when the recorder has given no sign of life for too long.',
    context: ({ input }) => {
      const { beats, program } = leash.progress(input.jobId);
      return {
        ...input,
        seen: beats,
        misses: 0,
        movedAt: elapsed(),
        ...(program && { vitals: observe(undefined, program) }),
      };
    },
    output: ({ context }) => ({
      misses: context.misses,
      silentMs: context.misses * beatMs(context, policy),
      beats: context.seen,
      ...(context.silence && { program: context.silence }),
    }),
    initial: 'listening',
    states: {
      listening: {
        description:
          'Looks at the signs of life once a beat: a native recorder has to beat, a program has to move bytes and media.',
        after: {
          beat: [
            { guard: 'isAlive', target: 'listening', reenter: true, actions: 'listen' },
            { target: 'barking', actions: 'listen' },
          ],
        },
      },
      barking: { type: 'final', description: 'The recorder is silent.' },
    },
  });

/** A native recorder has done something; bytes or media of a program have moved, or another one has taken its place. */
const hasMoved = (before: Context, { vitals, misses }: Context): boolean =>
  vitals === undefined ? misses === 0 : lastMove(vitals) !== lastMove(before.vitals);

/** The age at which bytes or media of a program moved last. CPU time alone is no progress. */
const lastMove = (vitals: VitalSigns | undefined): number =>
  vitals === undefined
    ? -1
    : Math.max(vitals.movedAt.egress, vitals.movedAt.output, vitals.movedAt.media);

const beatMs = ({ vitals }: Context, { heartbeat, programLookMs }: Policy): number =>
  vitals ? programLookMs : heartbeat.everyMs;

const isAlive = (context: Context, policy: Policy): boolean =>
  context.silence === undefined &&
  context.misses * beatMs(context, policy) < policy.heartbeat.patience * policy.heartbeat.everyMs;

/** One look. */
function listen(context: Context, { beats, program }: Progress): Context {
  if (program === undefined) {
    // Not `>`: a new recorder counts from nought again.
    const misses = beats !== context.seen ? 0 : context.misses + 1;
    return { ...context, seen: beats, misses, vitals: undefined };
  }
  const { vitals: before, watch } = context;
  const isNews = before === undefined || !isOldNews(before, program) || program.isExcused;
  const vitals = observe(before, program);
  const silence = silenceOf(vitals, watch);
  const misses = isNews ? 0 : context.misses + 1;
  return { ...context, seen: beats, misses, vitals, ...(silence && { silence }) };
}
