import { setup } from 'xstate';
import type { Ports } from './ports.ts';

/** `setTimeout` fires at once beyond 2^31 - 1 ms: a longer wait is taken in steps. */
const STEP_MS_MAX = 2 ** 31 - 1;

export interface DurationDoggyInput {
  /** When the recording shall be over, on the monotonic clock, so that no step of the wall clock moves it; `Infinity` where nobody said. */
  readonly until: number;
}

/** Barks when the requested duration is over. */
export const durationDoggy = ({ elapsed }: Pick<Ports, 'elapsed'>) =>
  setup({
    types: {
      context: {} as DurationDoggyInput,
      input: {} as DurationDoggyInput,
      output: {} as { overdueMs: number },
    },
    guards: { isOver: ({ context }) => elapsed() >= context.until },
    delays: {
      remaining: ({ context }) => Math.min(STEP_MS_MAX, Math.max(0, context.until - elapsed())),
    },
  }).createMachine({
    id: 'durationDoggy',
    description: 'Barks when the requested duration is over.',
    context: ({ input }) => input,
    output: ({ context }) => ({ overdueMs: elapsed() - context.until }),
    initial: 'waiting',
    states: {
      waiting: {
        description: 'Lies beside the clock until the time is up.',
        always: { guard: 'isOver', target: 'barking' },
        after: { remaining: { target: 'waiting', reenter: true } },
      },
      barking: { type: 'final', description: 'The requested duration is over.' },
    },
  });
