import type { BigDogKit } from './bigDogKit.ts';
import {
  bark,
  endWatchOf,
  exited,
  fallen,
  KILLED,
  RESTART,
  STOPPED,
  spent,
} from './bigDogReasons.ts';

/** The states in which a recorder runs, or is about to run again. */
export const recordingState = (kit: BigDogKit, graceMs: number) =>
  kit.createStateConfig({
    description: 'A recorder is on the leash. After a fall, it is looked whether it records again.',
    entry: 'lookLater',
    invoke: { id: 'recorder', src: 'recorder', input: ({ context }) => ({ job: context.job }) },
    initial: 'watched',
    states: {
      watched: watchedState(kit),
      leaving: {
        description: 'The recorder was asked to finish well.',
        entry: 'stopRecorder',
        after: {
          grace: {
            target: 'biting',
            actions: { type: 'record', params: bark('bigDog', 'grace', { graceMs }) },
          },
        },
      },
      biting: {
        description: 'The recorder is being killed; nobody goes on before it is gone.',
        entry: 'killRecorder',
        // A recorder that a doggy had killed would be started again: whoever asks to stop meanwhile must be heard.
        on: {
          'job.stop': {
            guard: 'wasBitten',
            actions: { type: 'sayFarewell', params: 'stopped' },
          },
        },
      },
    },
    on: {
      'recorder.started': { actions: { type: 'started', params: ({ event }) => event.at } },
      // That a recorder has started does not say that media comes.
      'recovery.look': [
        { guard: 'isRecordingAgain', actions: 'recovered' },
        { guard: 'isDown', actions: 'lookLater' },
      ],
      'job.kill': { target: '.biting', actions: { type: 'sayFarewell', params: 'killed' } },
      'job.abandon': { target: '.biting', actions: { type: 'sayFarewell', params: 'abandoned' } },
      'recorder.exited': [
        {
          guard: 'wasKilled',
          target: 'cancelled',
          actions: { type: 'because', params: KILLED },
        },
        {
          guard: 'wasAbandoned',
          target: 'failed',
          actions: 'abandon',
        },
        {
          guard: 'wasSentOff',
          target: 'gathering',
          actions: [
            {
              type: 'because',
              params: ({ event, context }) => ({
                ...exited(event.exit),
                cause: context.farewell ?? 'stopped',
              }),
            },
            { type: 'conclude', params: ({ context }) => context.farewell ?? 'stopped' },
          ],
        },
        {
          guard: ({ event }) => event.exit.kind === 'ended',
          target: 'gathering',
          actions: [
            { type: 'because', params: ({ event }) => exited(event.exit) },
            { type: 'conclude', params: ({ event }) => event.exit.why },
          ],
        },
        {
          guard: ({ event, context }) => !event.exit.retryable && context.farewell === undefined,
          target: 'gathering',
          actions: [
            { type: 'because', params: ({ event }) => exited(event.exit) },
            { type: 'conclude', params: ({ event }) => event.exit.why },
            { type: 'condemn', params: ({ event }) => event.exit.why },
          ],
        },
        {
          guard: 'isSpent',
          target: 'gathering',
          actions: [
            { type: 'because', params: ({ event, context }) => spent(context.crashes, event.exit) },
            { type: 'conclude', params: 'recorder.spent' },
            { type: 'condemn', params: 'recorder.spent' },
          ],
        },
        {
          target: 'retrying',
          actions: [
            {
              type: 'because',
              params: ({ event, context }) => fallen(context.farewell, event.exit),
            },
            {
              type: 'fell',
              params: ({ event, context }) => fallen(context.farewell, event.exit).cause,
            },
            'countCrash',
          ],
        },
      ],
    },
  });

const watchedState = (kit: BigDogKit) =>
  kit.createStateConfig({
    description:
      'The doggies watch the recorder; durationDoggy is told when another end is asked for.',
    invoke: [
      {
        id: 'tempFileDoggy',
        src: 'tempFileDoggy',
        input: ({ context }) => ({ jobId: context.job.id }),
        onDone: {
          target: 'biting',
          actions: [
            { type: 'sayFarewell', params: 'muxing' },
            { type: 'barked', params: 'tempFileDoggy' },
            {
              type: 'record',
              params: ({ event }) => bark('tempFileDoggy', 'muxing', event.output),
            },
          ],
        },
      },
      {
        id: 'heartbeatDoggy',
        src: 'heartbeatDoggy',
        input: ({ context: { job } }) => ({
          jobId: job.id,
          ...(job.spec.watch && { watch: job.spec.watch }),
        }),
        onDone: {
          target: 'biting',
          actions: [
            { type: 'sayFarewell', params: 'silent' },
            { type: 'barked', params: 'heartbeatDoggy' },
            {
              type: 'record',
              params: ({ event }) => bark('heartbeatDoggy', 'silent', event.output),
            },
          ],
        },
      },
      {
        id: 'durationDoggy',
        src: 'durationDoggy',
        input: ({ context }) => ({ jobId: context.job.id, ...endWatchOf(context) }),
        onDone: {
          target: 'leaving',
          actions: [
            { type: 'sayFarewell', params: 'over' },
            { type: 'barked', params: 'durationDoggy' },
            {
              type: 'record',
              params: ({ event }) => bark('durationDoggy', 'over', event.output),
            },
          ],
        },
      },
    ],
    on: {
      'job.extend': {
        actions: [{ type: 'extend', params: ({ event }) => event }, 'tellEnd'],
      },
      'job.stop': { target: 'leaving', actions: { type: 'sayFarewell', params: 'stopped' } },
    },
    initial: 'starting',
    states: {
      starting: {
        description:
          'No playlist has been accepted yet: the duration does not count, only an end by the time of day.',
        always: { guard: 'hasStarted', target: 'running' },
      },
      running: { description: 'The duration counts.', entry: 'tellEnd' },
    },
  });

export const retryingState = (kit: BigDogKit) =>
  kit.createStateConfig({
    description: 'The recorder fell; the next attempt waits for its backoff.',
    always: {
      guard: 'wasStopped',
      target: 'gathering',
      actions: [
        { type: 'because', params: STOPPED },
        { type: 'conclude', params: 'stopped' },
      ],
    },
    on: { 'job.stop': { actions: { type: 'sayFarewell', params: 'stopped' } } },
    after: {
      backoff: [
        {
          guard: 'isOver',
          target: 'gathering',
          actions: [
            { type: 'because', params: { cause: 'over', evidence: {} } },
            { type: 'conclude', params: 'over' },
          ],
        },
        { target: 'recording', actions: ['begin', { type: 'because', params: RESTART }] },
      ],
    },
  });
