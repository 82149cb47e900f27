import type { BigDogKit } from './bigDogKit.ts';
import { again, broken, isFinal } from './bigDogReasons.ts';

/** The states after the last byte: is there anything to finish, make it one file, bring it home. */
export const gatheringState = (kit: BigDogKit) =>
  kit.createStateConfig({
    description: 'The recording is at its end: looks whether there is anything to finish.',
    invoke: {
      id: 'survey',
      src: 'survey',
      input: ({ context }) => ({ jobId: context.job.id }),
      onDone: [
        {
          guard: ({ event }) => event.output.segments > 0,
          target: 'muxing',
          actions: 'forgetCrashes',
        },
        { guard: 'hasVerdict', target: 'failed' },
        { guard: 'wasStopped', target: 'cancelled' },
        { target: 'failed', actions: { type: 'condemn', params: 'recording.empty' } },
      ],
    },
  });

export const muxingState = (kit: BigDogKit) =>
  kit.createStateConfig({
    description: 'Segments become a file that plays, and the file is verified.',
    initial: 'working',
    states: {
      working: {
        description: 'The muxer runs.',
        invoke: {
          id: 'mux',
          src: 'mux',
          input: ({ context }) => context.job,
          onDone: {
            target: '#bigDog.uploading',
            actions: [
              'forgetCrashes',
              { type: 'because', params: { cause: 'mux.done', evidence: {} } },
            ],
          },
          onError: [
            {
              guard: ({ event }) => isFinal(event.error),
              target: '#bigDog.failed',
              actions: [
                { type: 'because', params: ({ event }) => broken('mux.failed', event.error) },
                { type: 'condemn', params: 'mux.failed' },
              ],
            },
            {
              guard: 'isFinishSpent',
              target: '#bigDog.failed',
              actions: [
                { type: 'because', params: ({ event }) => broken('mux.spent', event.error) },
                { type: 'condemn', params: 'mux.spent' },
              ],
            },
            {
              target: 'waiting',
              actions: [
                'countFinishCrash',
                { type: 'record', params: ({ event }) => again('mux.retry', event.error) },
              ],
            },
          ],
        },
      },
      waiting: {
        description: 'The muxer failed; the next try waits for its backoff.',
        after: { finishBackoff: 'working' },
      },
    },
  });

export const uploadingState = (kit: BigDogKit) =>
  kit.createStateConfig({
    description: 'Files go to their destination, the manifest last.',
    initial: 'working',
    states: {
      working: {
        description: 'The upload runs.',
        invoke: {
          id: 'upload',
          src: 'upload',
          input: ({ context }) => context.job,
          onDone: [
            {
              guard: 'hasVerdict',
              target: '#bigDog.failed',
              actions: [
                { type: 'judge', params: ({ event }) => event.output.outcome },
                {
                  type: 'because',
                  params: ({ context }) => ({
                    cause: context.job.verdict ?? 'failed',
                    evidence: { finished: true },
                  }),
                },
              ],
            },
            {
              target: '#bigDog.done',
              actions: [
                { type: 'judge', params: ({ event }) => event.output.outcome },
                { type: 'because', params: { cause: 'upload.done', evidence: {} } },
              ],
            },
          ],
          onError: [
            {
              guard: ({ event }) => isFinal(event.error),
              target: '#bigDog.failed',
              actions: [
                { type: 'because', params: ({ event }) => broken('upload.failed', event.error) },
                { type: 'condemn', params: 'upload.failed' },
              ],
            },
            {
              guard: 'isFinishSpent',
              target: '#bigDog.failed',
              actions: [
                { type: 'because', params: ({ event }) => broken('upload.spent', event.error) },
                { type: 'condemn', params: 'upload.spent' },
              ],
            },
            {
              target: 'waiting',
              actions: [
                'countFinishCrash',
                { type: 'record', params: ({ event }) => again('upload.retry', event.error) },
              ],
            },
          ],
        },
      },
      waiting: {
        description: 'The upload failed; the next try waits for its backoff.',
        after: { finishBackoff: 'working' },
      },
    },
  });
