import { assign, fromPromise, raise, sendTo, setup } from 'xstate';
import {
  ABANDONED,
  type Because,
  endOf,
  endWatchOf,
  type Farewell,
  isPastEnd,
  type Note,
  type Refusal,
  withEnd,
} from './bigDogReasons.ts';
import { hasGrown, recoveryActions } from './bigDogRecoveries.ts';
import { durationDoggy, mediaOf } from './durationDoggy.ts';
import { heartbeatDoggy } from './heartbeatDoggy.ts';
import type { Footage, Job, JobLog, Leash, Ports, RecorderNews } from './ports.ts';
import { recorder } from './recorder.ts';
import type { Recoveries } from './recoveries.ts';
import { backoffMs, isSpent, withCrash } from './supervision/backoff.ts';
import { tempFileDoggy } from './tempFileDoggy.ts';
import type { JobEnd, JobState, Outcome } from './vocabulary.ts';

export type JobOrder =
  /** Finish well. */
  | { readonly type: 'job.stop' }
  /** Now. Keep what is on disk, finish nothing. */
  | { readonly type: 'job.kill' }
  /** Big Dog Dog has given this job up: its restart budget is spent. */
  | { readonly type: 'job.abandon' }
  /** Never begin. Void once the job has begun. */
  | ({ readonly type: 'job.refuse' } & Refusal);

/** Another end for the job: it counts instead of what its spec said, and is in its row already. */
export type JobExtension = { readonly type: 'job.extend' } & JobEnd;

/** Big Dog looks whether a recorder that fell records again. */
interface RecoveryLook {
  readonly type: 'recovery.look';
}

export interface BigDogInput {
  readonly jobId: string;
  /**
   * Its restart budget is spent: this life only ends the job. Whatever the earlier ones fell over (the recorder's news, the
   * journal) it leaves alone.
   */
  readonly isLastLife?: boolean;
}

export interface BigDogContext {
  readonly isLastLife: boolean;
  readonly job: Job;
  readonly log?: JobLog;
  /** When its recording began, on the monotonic clock: the duration counts from here, whatever the wall clock does. */
  readonly begunAt?: number;
  /** The job's state as it was read from the database at waking. */
  readonly woken?: JobState;
  /** Whether a recorder of this job was alive at waking. */
  readonly live: boolean;
  readonly crashes: readonly number[];
  readonly farewell?: Farewell | undefined;
  readonly refusal?: Refusal;
  /** Another end that came while the row was being read. */
  readonly keptEnd?: JobEnd;
  readonly because?: Because;
  readonly outcome?: Outcome;
}

/** What Big Dog's chart is made of: its actors, guards, delays and actions, closed over the ports. */
export function bigDogKit(ports: Ports, recoveries: Recoveries) {
  const { now, elapsed, random, policy, store, finish, leash } = ports;
  const crashesNow = (context: BigDogContext, budget = policy.recorder) =>
    withCrash(context.crashes, elapsed(), budget);

  return setup({
    types: {
      context: {} as BigDogContext,
      events: {} as JobOrder | JobExtension | RecoveryLook | RecorderNews,
      input: {} as BigDogInput,
      output: {} as { jobId: string },
    },
    actors: {
      wake: wake(ports),
      recorder: recorder(ports),
      durationDoggy: durationDoggy(ports),
      tempFileDoggy: tempFileDoggy(ports),
      heartbeatDoggy: heartbeatDoggy(ports),
      survey: fromPromise<Footage, { jobId: string }>(({ input }) => finish.footage(input.jobId)),
      mux: fromPromise<void, Job>(({ input, signal }) => finish.mux(input, signal)),
      upload: fromPromise<{ outcome: Outcome }, Job>(({ input, signal }) =>
        finish.upload(input, signal),
      ),
    },
    delays: {
      backoff: ({ context }) => backoffMs(context.crashes, policy.recorder, random),
      finishBackoff: ({ context }) => backoffMs(context.crashes, policy.finish, random),
      grace: policy.graceMs,
    },
    guards: {
      wasKilled: ({ context }) => context.farewell === 'killed',
      wasAbandoned: ({ context }) => context.farewell === 'abandoned',
      wasStopped: ({ context }) => context.farewell === 'stopped',
      wasSentOff: ({ context }) => context.farewell === 'over' || context.farewell === 'stopped',
      wasBitten: ({ context }) => context.farewell === 'silent' || context.farewell === 'muxing',
      isLive: ({ context }) => context.live,
      hasStarted: ({ context }) => context.job.startedAt !== undefined,
      isOver: ({ context }) =>
        elapsed() >= endOf(context) ||
        isPastEnd(context.job, now()) ||
        isFilled(leash, context.job),
      wasRefused: ({ context }, to: Refusal['to']) => context.refusal?.to === to,
      isDown: ({ context: { job } }) => recoveries.openFall(job.id, 'recorder') !== undefined,
      isRecordingAgain: ({ context: { job } }) => {
        const seen = recoveries.openFall(job.id, 'recorder')?.seen;
        return seen !== undefined && hasGrown(leash.progress(job.id), seen);
      },
      isSpent: ({ context }) => isSpent(crashesNow(context), policy.recorder),
      isFinishSpent: ({ context }) => isSpent(crashesNow(context, policy.finish), policy.finish),
      wasRead: ({ context }, state: JobState) => context.woken === state,
      hasVerdict: ({ context }) => context.job.verdict !== undefined,
    },
    actions: {
      begin: assign({
        job: ({ context: { job } }) => ({ ...job, attempt: job.attempt + 1 }),
        farewell: undefined,
      }),
      started: assign({
        job: ({ context: { job } }, at: number) => ({ ...job, startedAt: job.startedAt ?? at }),
        begunAt: ({ context: { begunAt } }, at: number) => begunAt ?? monotonic(ports, at),
      }),
      countCrash: assign({ crashes: ({ context }) => crashesNow(context), farewell: undefined }),
      countFinishCrash: assign({ crashes: ({ context }) => crashesNow(context, policy.finish) }),
      forgetCrashes: assign({ crashes: [] }),
      sayFarewell: assign({ farewell: (_, farewell: Farewell) => farewell }),
      because: assign({ because: (_, because: Because) => because }),
      conclude: assign({
        job: ({ context: { job } }, ending: string) => ({ ...job, ending }),
      }),
      condemn: assign({
        job: ({ context: { job } }, verdict: string) => ({ ...job, verdict }),
      }),
      /** Big Dog Dog's budget for this job is spent: it ends as failed, whatever it was doing. */
      abandon: assign({
        because: ABANDONED,
        job: ({ context: { job } }) => ({ ...job, verdict: ABANDONED.cause }),
      }),
      takeRefusal: assign({
        refusal: (_, { to, why, evidence }: Refusal) => ({ to, why, evidence }),
      }),
      refuse: assign({
        because: ({ context: { refusal, because } }) =>
          refusal ? { cause: refusal.why, evidence: refusal.evidence } : because,
      }),
      extend: assign({ job: ({ context: { job } }, end: JobEnd) => withEnd(job, end) }),
      keepEnd: assign({
        keptEnd: (_, { durationMs, endAt }: JobEnd) => ({
          ...(durationMs !== undefined && { durationMs }),
          ...(endAt !== undefined && { endAt }),
        }),
      }),
      takeKeptEnd: assign({
        job: ({ context: { job, keptEnd } }) => (keptEnd ? withEnd(job, keptEnd) : job),
      }),
      judge: assign({ outcome: (_, outcome: Outcome) => outcome }),
      tellEnd: sendTo('durationDoggy', ({ context }) => ({
        type: 'end.set' as const,
        ...endWatchOf(context),
      })),
      stopRecorder: sendTo('recorder', ({ context }) => ({
        type: 'recorder.stop' as const,
        why: context.farewell ?? 'stopped',
      })),
      killRecorder: sendTo('recorder', ({ context }) => ({
        type: 'recorder.kill' as const,
        why: context.farewell ?? 'grace',
      })),
      /** Leaves word of a decision that is no move of the job: it is stored and served. */
      record: ({ context }, note: Note) => store.record({ jobId: context.job.id, ...note }),
      ...recoveryActions(ports, recoveries),
      lookLater: raise({ type: 'recovery.look' }, { id: 'recovery', delay: policy.programLookMs }),
    },
  });
}

export type BigDogKit = ReturnType<typeof bigDogKit>;

/** A date in the past on the monotonic clock. One that lies in the future, because the clock was set back since, counts as now. */
const monotonic = ({ now, elapsed }: Ports, at: number): number =>
  elapsed() - Math.max(0, now() - at);

/** A program has brought as much media as was asked for: it may come faster than it plays. */
const isFilled = (leash: Leash, { id, spec: { durationMs } }: Job): boolean =>
  durationMs !== undefined && mediaOf(leash, id) >= durationMs;

/** Every life of a Big Dog begins so: clear what another life left behind, then take ownership and read the truth. */
const wake = (ports: Ports) =>
  fromPromise(async ({ input, signal }: { input: BigDogInput; signal: AbortSignal }) => {
    const { jobId, isLastLife } = input;
    const { store, leash, finish } = ports;
    if (isLastLife) await leash.end(jobId, 'abandoned');
    else await leash.clear(jobId);
    const { job, log } = await store.open(jobId, signal);
    const footage: Partial<Footage> = isLastLife ? job : await finish.footage(jobId);
    const { startedAt, agoMs } = footage;
    return {
      job: startedAt === undefined ? job : { ...job, startedAt },
      ...(startedAt !== undefined && {
        begunAt: agoMs === undefined ? monotonic(ports, startedAt) : ports.elapsed() - agoMs,
      }),
      log,
      woken: job.state,
      live: leash.holds(jobId),
    };
  });
