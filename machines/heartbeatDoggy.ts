import { assign, setup } from 'xstate';
import type { Ports } from './ports.ts';

export interface HeartbeatDoggyOutput {
  /** Looks in a row that saw no sign of life. */
  readonly misses: number;
  readonly silentMs: number;
  readonly beats: number;
}

/**
 * Barks when the recorder gives no sign of life. It samples rather than being told, so that a thousand recorders cost a
 * thousand look-ups and not a flood of events. A silent source is not a silent recorder: the recorder decides about its
 * source, with evidence, and goes on beating while it waits.
 */
export const heartbeatDoggy = ({ leash, policy }: Pick<Ports, 'leash' | 'policy'>) =>
  setup({
    types: {
      context: {} as { jobId: string; seen: number; misses: number },
      input: {} as { jobId: string },
      output: {} as HeartbeatDoggyOutput,
    },
    guards: {
      // Not `>`: a new recorder counts from nought again.
      hasBeaten: ({ context }) => leash.progress(context.jobId).beats !== context.seen,
      isPatient: ({ context }) => context.misses + 1 < policy.heartbeat.patience,
    },
    actions: {
      hear: assign(({ context }) => ({ seen: leash.progress(context.jobId).beats, misses: 0 })),
      miss: assign({ misses: ({ context }) => context.misses + 1 }),
    },
    delays: { beat: policy.heartbeat.everyMs },
  }).createMachine({
    id: 'heartbeatDoggy',
    description: 'Barks when the recorder has given no sign of life for several looks in a row.',
    context: ({ input }) => ({
      jobId: input.jobId,
      seen: leash.progress(input.jobId).beats,
      misses: 0,
    }),
    output: ({ context }) => ({
      misses: context.misses,
      silentMs: context.misses * policy.heartbeat.everyMs,
      beats: context.seen,
    }),
    initial: 'listening',
    states: {
      listening: {
        description: 'Looks at the signs of life once a beat and counts the looks without one.',
        after: {
          beat: [
            { guard: 'hasBeaten', target: 'listening', reenter: true, actions: 'hear' },
            { guard: 'isPatient', target: 'listening', reenter: true, actions: 'miss' },
            { target: 'barking', actions: 'miss' },
          ],
        },
      },
      barking: { type: 'final', description: 'The recorder is silent.' },
    },
  });
