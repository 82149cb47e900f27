import { assign, type SnapshotFrom } from 'xstate';
import { gatheringState, muxingState, uploadingState } from './bigDogFinishing.ts';
import { type BigDogContext, bigDogKit } from './bigDogKit.ts';
import { ADOPT, ADOPTED, BEGIN, KILLED, MISSING, STOPPED } from './bigDogReasons.ts';
import { recordingState, retryingState } from './bigDogRecording.ts';
import type { Ports } from './ports.ts';
import { Recoveries } from './recoveries.ts';
import { type Change, durable } from './supervision/durable.ts';
import { linked } from './supervision/linked.ts';
import { isJobState, type JobSpec, type JobState } from './vocabulary.ts';

type Chart = ReturnType<typeof bigDogChart>;

/** Supervises one job: its recorder, and the three doggies that watch it. Its statechart is the job's life. */
export const bigDog = (ports: Ports, recoveries = new Recoveries()) =>
  linked(
    durable<Chart, JobState>(bigDogChart(ports, recoveries), {
      fact: jobStateOf,
      isGated,
      commit,
    }),
  );

/** Stands in until the row is read: a Big Dog knows nothing but its job's id. */
const UNREAD: JobSpec = {
  url: '',
  quality: [],
  waitMs: 0,
  patienceMs: 0,
  output: '',
  keepSegments: true,
};

/** The chart alone, without the wrappers that make it durable: for pictures, legal moves and path tests. */
export function bigDogChart(ports: Ports, recoveries = new Recoveries()) {
  const kit = bigDogKit(ports, recoveries);
  return kit.createMachine({
    id: 'bigDog',
    description: 'One job: from the order to record until the file that can be trusted.',
    context: ({ input }) => ({
      job: { id: input.jobId, state: 'pending', attempt: 0, spec: UNREAD },
      isLastLife: input.isLastLife ?? false,
      live: false,
      crashes: [],
    }),
    output: ({ context }) => ({ jobId: context.job.id }),
    on: {
      'job.kill': { target: '.cancelled', actions: { type: 'because', params: KILLED } },
      'job.abandon': {
        target: '.failed',
        actions: 'abandon',
      },
      'job.extend': { actions: { type: 'extend', params: ({ event }) => event } },
    },
    initial: 'waking',
    states: {
      waking: {
        description: 'Clears what an earlier life left behind, takes ownership, reads the row.',
        on: {
          'job.kill': { actions: { type: 'sayFarewell', params: 'killed' } },
          'job.stop': { actions: { type: 'sayFarewell', params: 'stopped' } },
          'job.abandon': { actions: { type: 'sayFarewell', params: 'abandoned' } },
          'job.refuse': { actions: { type: 'takeRefusal', params: ({ event }) => event } },
          // The row may have been read before it was changed.
          'job.extend': { actions: { type: 'keepEnd', params: ({ event }) => event } },
        },
        invoke: {
          id: 'wake',
          src: 'wake',
          input: ({ context }) => ({ jobId: context.job.id, isLastLife: context.isLastLife }),
          onDone: {
            target: 'awake',
            actions: [assign(({ event }) => event.output), 'takeKeptEnd', 'awoke'],
          },
        },
      },
      awake: {
        description: 'Goes on where the row says that the job stands.',
        always: [
          { guard: { type: 'wasRead', params: 'done' }, target: 'done' },
          { guard: { type: 'wasRead', params: 'failed' }, target: 'failed' },
          { guard: { type: 'wasRead', params: 'cancelled' }, target: 'cancelled' },
          { guard: { type: 'wasRead', params: 'rejected' }, target: 'rejected' },
          { guard: { type: 'wasRead', params: 'expired' }, target: 'expired' },
          {
            guard: ({ context }) => context.live && mustDie(context),
            target: 'recording.biting',
            actions: { type: 'because', params: ADOPT },
          },
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
          { guard: { type: 'wasRead', params: 'muxing' }, target: 'muxing' },
          { guard: { type: 'wasRead', params: 'uploading' }, target: 'uploading' },
          {
            guard: ({ context }) => context.live && context.farewell === 'stopped',
            target: 'recording.leaving',
            actions: { type: 'because', params: ADOPT },
          },
          {
            guard: 'isLive',
            target: 'recording',
            actions: [
              { type: 'record', params: ADOPTED },
              { type: 'because', params: ADOPT },
            ],
          },
          { guard: { type: 'wasRead', params: 'pending' }, target: 'pending' },
          {
            target: 'retrying',
            actions: [
              { type: 'because', params: MISSING },
              { type: 'fell', params: MISSING.cause },
            ],
          },
        ],
      },
      pending: {
        description:
          'Accepted; nothing has been recorded yet. An order to refuse it counts only here: later the job goes on.',
        always: [
          {
            guard: 'wasStopped',
            target: 'cancelled',
            actions: { type: 'because', params: STOPPED },
          },
          {
            guard: { type: 'wasRefused', params: 'rejected' },
            target: 'rejected',
            actions: 'refuse',
          },
          {
            guard: { type: 'wasRefused', params: 'expired' },
            target: 'expired',
            actions: 'refuse',
          },
          { target: 'recording', actions: ['begin', { type: 'because', params: BEGIN }] },
        ],
      },
      recording: recordingState(kit, ports.policy.graceMs),
      retrying: retryingState(kit),
      gathering: gatheringState(kit),
      muxing: muxingState(kit),
      uploading: uploadingState(kit),
      done: { type: 'final', description: 'The recording is finished, stored and verified.' },
      failed: { type: 'final', description: 'It ended for a reason that is stored with it.' },
      cancelled: { type: 'final', description: 'It was called off; what is on disk stays.' },
      rejected: {
        type: 'final',
        description:
          'It was never begun: it did not fit, and the measured reason is stored with it.',
      },
      expired: {
        type: 'final',
        description: 'It was never begun: it waited for longer than it was allowed to.',
      },
    },
  });
}

const mustDie = ({ farewell }: BigDogContext): boolean =>
  farewell === 'killed' || farewell === 'abandoned';

/** The durable state that a snapshot stands in; undefined where the chart only passes through. */
function jobStateOf({ value }: SnapshotFrom<Chart>): JobState | undefined {
  const name = typeof value === 'string' ? value : Object.keys(value)[0];
  return isJobState(name) ? name : undefined;
}

/**
 * Every move waits for its commit, but for a recorder's restart: that one is written behind, in order, so that no outage of
 * the database stops a recording.
 */
const isGated = ({ fact: to, previous: from }: Change<Chart, JobState>): boolean =>
  !(from === 'recording' && to === 'retrying') && !(from === 'retrying' && to === 'recording');

async function commit({ next, previous, fact: to, event }: Change<Chart, JobState>): Promise<void> {
  const { log, job, woken, because, outcome } = next.context;
  const from = previous ?? woken;
  if (!log || !from) throw new Error(`Big Dog would move to ${to} before it read its row`);
  if (from === to) return;
  await log.commit({
    from,
    to,
    cause: because?.cause ?? event.type,
    evidence: because?.evidence ?? {},
    attempt: job.attempt,
    ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
    ...(job.ending !== undefined && { ending: job.ending }),
    ...(job.verdict !== undefined && { verdict: job.verdict }),
    ...(outcome !== undefined && { outcome }),
  });
}
