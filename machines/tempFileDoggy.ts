import { assign, setup } from 'xstate';
import type { Ports } from './ports.ts';

export interface StrayFile {
  readonly sign: string;
  readonly file: string;
}

/** Barks when the recorder begins to mux, which is Kennel's own work, or when a temporary file lingers. */
export const tempFileDoggy = ({ leash, policy }: Pick<Ports, 'leash' | 'policy'>) =>
  setup({
    types: {
      context: {} as { jobId: string; stray?: StrayFile },
      input: {} as { jobId: string },
      output: {} as Partial<StrayFile>,
    },
    guards: { smells: ({ context }) => leash.strayFiles(context.jobId) !== undefined },
    delays: {
      look: ({ context }) => {
        const { program, beats } = leash.progress(context.jobId);
        // Before its first numbers nobody knows which kind of recorder it is.
        const slowMs =
          beats === 0 ? Math.min(policy.heartbeat.everyMs, policy.lookMs) : policy.lookMs;
        return program ? policy.programLookMs : slowMs;
      },
    },
  }).createMachine({
    id: 'tempFileDoggy',
    description: 'Barks when the recorder muxes by itself, or leaves a temporary file lying about.',
    context: ({ input }) => ({ jobId: input.jobId }),
    output: ({ context }) => ({ ...context.stray }),
    initial: 'sniffing',
    states: {
      sniffing: {
        description:
          'Asks again and again whether the recorder has seen such a file, or a muxer, in its work directory.',
        always: {
          guard: 'smells',
          target: 'barking',
          actions: assign(({ context }) => {
            const stray = leash.strayFiles(context.jobId);
            return stray ? { stray } : {};
          }),
        },
        after: { look: { target: 'sniffing', reenter: true } },
      },
      barking: { type: 'final', description: 'The recorder muxes, or a file is astray.' },
    },
  });
