import type { EndWatch } from './durationDoggy.ts';
import type { Job, RecorderExit } from './ports.ts';
import type { JobEnd } from './vocabulary.ts';

/** Why a job moved, and the facts it was decided on: stored with the move. */
export interface Because {
  readonly cause: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** A decision that is no move of the job. */
export interface Note {
  readonly dog: string;
  readonly decision: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Why a job is never begun: what whoever decided that has measured. */
export interface Refusal {
  readonly to: 'rejected' | 'expired';
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Why the recorder has been told to go. After `silent` and `muxing`, which are faults, it is started again. */
export type Farewell = 'over' | 'stopped' | 'killed' | 'abandoned' | 'silent' | 'muxing';

export const KILLED: Because = { cause: 'job.kill', evidence: {} };
export const STOPPED: Because = { cause: 'job.stop', evidence: {} };
export const ABANDONED: Because = { cause: 'bigDog.spent', evidence: {} };
export const BEGIN: Because = { cause: 'job.begin', evidence: {} };
export const RESTART: Because = { cause: 'recorder.restart', evidence: {} };
export const ADOPT: Because = { cause: 'recorder.adopt', evidence: {} };
export const MISSING: Because = { cause: 'recorder.missing', evidence: {} };
export const ADOPTED: Note = {
  dog: 'bigDog',
  decision: 'recorder.adopt',
  why: 'alive',
  evidence: {},
};

/** When the requested duration is over, on the monotonic clock; `Infinity` while nobody can tell. */
export const endOf = (dog: { readonly begunAt?: number; readonly job: Job }): number => {
  const { durationMs } = dog.job.spec;
  return dog.begunAt === undefined || durationMs === undefined
    ? Number.POSITIVE_INFINITY
    : dog.begunAt + durationMs;
};

/** What durationDoggy has to know: nothing but an end by the wall clock counts before the recording has begun. */
export const endWatchOf = (dog: { readonly begunAt?: number; readonly job: Job }): EndWatch => {
  const { startedAt, spec } = dog.job;
  const durationMs = startedAt === undefined ? undefined : spec.durationMs;
  return {
    until: endOf(dog),
    durationMs: durationMs ?? Number.POSITIVE_INFINITY,
    endAt: spec.endAt ?? Number.POSITIVE_INFINITY,
  };
};

/** Whether it is the time of day at which the job ends at the latest. */
export const isPastEnd = ({ spec: { endAt } }: Job, now: number): boolean =>
  endAt !== undefined && now >= endAt;

/** The job with another end than the one it had. */
export const withEnd = (job: Job, { durationMs, endAt }: JobEnd): Job => {
  const { durationMs: _, endAt: __, ...spec } = job.spec;
  return {
    ...job,
    spec: {
      ...spec,
      ...(durationMs !== undefined && { durationMs }),
      ...(endAt !== undefined && { endAt }),
    },
  };
};

export const exited = ({ kind, why, evidence }: RecorderExit): Because => ({
  cause: why,
  evidence: { ...evidence, exit: kind },
});

/** The recorder fell: by itself, or because a doggy barked. */
export const fallen = (farewell: Farewell | undefined, exit: RecorderExit): Because => ({
  cause: farewell ? `recorder.${farewell}` : `recorder.${exit.kind}`,
  evidence: { ...exit.evidence, exit: exit.kind, why: exit.why },
});

export const spent = (crashes: readonly number[], exit: RecorderExit): Because => ({
  cause: 'recorder.spent',
  evidence: { ...exit.evidence, crashes: crashes.length + 1, exit: exit.kind, why: exit.why },
});

/** Big Dog heard a doggy's bark, or the end of its own patience, and acts on it. */
export const bark = (dog: string, why: string, evidence: object): Note => ({
  dog,
  decision: why === 'over' ? 'recorder.stop' : 'recorder.kill',
  why,
  evidence: { ...evidence },
});

export const broken = (cause: string, error: unknown): Because => ({
  cause,
  evidence: { error: textOf(error) },
});

export const again = (decision: string, error: unknown): Note => ({
  dog: 'bigDog',
  decision,
  why: 'failed',
  evidence: { error: textOf(error) },
});

/** Errors say so when trying again cannot help; whatever says nothing may be tried again. */
export const isFinal = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
