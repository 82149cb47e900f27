import fc from 'fast-check';
import { PROGRAMS, type ProgramKind } from './simProgram.ts';

/** What one run of a recorder does in the simulated world. */
export interface RecorderRun {
  readonly kind:
    | 'clean' // records until it is told to stop
    | 'endlist' // the source ends
    | 'crash' // dies by itself
    | 'fatal' // gives up, and says that trying again is pointless
    | 'hang' // gives no sign of life any more, and obeys no stop
    | 'stubborn' // records, but ignores a stop
    | ProgramKind;
  /** When the above happens, milliseconds after its start. */
  readonly afterMs: number;
  /** When the first playlist is accepted, or the first media comes out of a program. */
  readonly startMs: number;
  /** How long it takes to be gone once it is killed. */
  readonly dieMs: number;
}

export interface JobScript {
  readonly durationMs: number;
  /** One entry per recorder run; `clean` when they are used up. */
  readonly runs: readonly RecorderRun[];
  readonly muxFailures: number;
  readonly uploadFailures: number;
  /** How long an aborted run of the muxer or the upload takes to be gone. */
  readonly windDownMs: number;
  /** It waits in the queue at first, and this becomes of it. */
  readonly waits?: WaitScript | undefined;
}

export interface WaitScript {
  /** When the queue takes it out, milliseconds from the beginning. */
  readonly atMs: number;
  readonly fate: 'begin' | 'rejected' | 'expired' | 'job.stop' | 'job.kill';
}

/** What the world may answer with an order, told at the worst moment. */
export const INCIDENTS = ['start', 'kill', 'exit', 'adopt', 'retrying', 'muxing'] as const;
export type Incident = (typeof INCIDENTS)[number];

export interface CommitScript {
  readonly latencyMs: number;
  readonly fault: 'none' | 'refused' | 'lostAck';
}

/** Everything that goes wrong in one simulated run. Plain data: it can be printed, shrunk and replayed. */
export interface Script {
  readonly jobs: readonly JobScript[];
  /** One entry per attempt to commit, in order; 1 ms and no fault when they are used up. */
  readonly commits: readonly CommitScript[];
  readonly outages: readonly { readonly atMs: number; readonly forMs: number }[];
  /** The node dies at a time, or after a number of steps: between any two things that happen. */
  readonly nodeCrashes: readonly { readonly atMs?: number; readonly atStep?: number }[];
  readonly orders: readonly {
    readonly atMs: number;
    readonly job: number;
    readonly type: 'job.stop' | 'job.kill';
  }[];
  /** Other ends for jobs: so long in all, or until so long after that moment. */
  readonly extensions?: readonly {
    readonly atMs: number;
    readonly job: number;
    readonly by: 'duration' | 'end';
    readonly ms: number;
  }[];
  /** Orders that come just after the n-th incident of a kind, whichever job it befalls: chance alone seldom hits these. */
  readonly reactions: readonly {
    readonly to: Incident;
    readonly nth: number;
    readonly afterMs: number;
    readonly type: 'job.stop' | 'job.kill';
  }[];
  /** The table of recorders does not know that an adopted one has started before this life of the node. */
  readonly isLeashForgetful: boolean;
  /** A bug: something that this job's Big Dog (or the root) calls throws. */
  readonly bugs: readonly {
    readonly atMs: number;
    readonly job: number;
    readonly where: 'progress' | 'take' | 'strayFiles' | 'footage' | 'record' | 'root';
    readonly times: number;
  }[];
  readonly drainAtMs?: number;
}

const minutes = 60_000;
const run = fc.record({
  kind: fc.constantFrom<RecorderRun['kind']>(
    'clean',
    'endlist',
    'crash',
    'crash',
    'fatal',
    'hang',
    'stubborn',
    'jitter',
    ...PROGRAMS,
  ),
  afterMs: fc.integer({ min: 0, max: minutes }),
  startMs: fc.integer({ min: 0, max: 20_000 }),
  dieMs: fc.integer({ min: 0, max: 5_000 }),
});

/** A recorder that never lives long: what restart budgets are for. */
const shortRun = fc.record({
  kind: fc.constantFrom<RecorderRun['kind']>('crash', 'hang', 'freeze'),
  afterMs: fc.integer({ min: 0, max: 5_000 }),
  startMs: fc.integer({ min: 0, max: 5_000 }),
  dieMs: fc.integer({ min: 0, max: 5_000 }),
});

const waits: fc.Arbitrary<WaitScript> = fc.record({
  atMs: fc.integer({ min: 0, max: 3 * minutes }),
  fate: fc.constantFrom<WaitScript['fate']>(
    'begin',
    'begin',
    'rejected',
    'expired',
    'job.stop',
    'job.kill',
  ),
});

const job = fc.record({
  // Some last longer than any order may take to be obeyed: an order that got lost must show.
  durationMs: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1_000, max: 2 * minutes }) },
    { weight: 1, arbitrary: fc.integer({ min: 7 * minutes, max: 8 * minutes }) },
  ),
  runs: fc.oneof(
    { weight: 5, arbitrary: fc.array(run, { maxLength: 8 }) },
    { weight: 1, arbitrary: fc.array(shortRun, { minLength: 1, maxLength: 9 }) },
  ),
  muxFailures: fc.integer({ min: 0, max: 7 }),
  uploadFailures: fc.integer({ min: 0, max: 7 }),
  windDownMs: fc.integer({ min: 0, max: 5_000 }),
  waits: fc.option(waits, { nil: undefined, freq: 2 }),
});

const commit = fc.record({
  latencyMs: fc.integer({ min: 0, max: 3_000 }),
  fault: fc.constantFrom<CommitScript['fault']>('none', 'none', 'refused', 'lostAck'),
});

const when = fc.oneof(
  fc.integer({ min: 0, max: 3 * minutes }),
  // When most recorders have their first trouble.
  fc.integer({ min: 5_000, max: 25_000 }),
);
const which = fc.integer({ min: 0, max: 2 });

const order = fc.constantFrom<'job.stop' | 'job.kill'>('job.stop', 'job.stop', 'job.kill');

type Where = Script['bugs'][number]['where'];
/** What a Big Dog calls by itself. */
const PLACES: readonly Where[] = ['progress', 'take', 'strayFiles', 'footage'];

export const scripts: fc.Arbitrary<Script> = fc.record(
  {
    jobs: fc.array(job, { minLength: 1, maxLength: 3 }),
    commits: fc.array(commit, { maxLength: 30 }),
    outages: fc.array(
      fc.record({ atMs: when, forMs: fc.integer({ min: 1_000, max: 5 * minutes }) }),
      { maxLength: 2 },
    ),
    nodeCrashes: fc.array(
      fc.oneof(fc.record({ atMs: when }), fc.record({ atStep: fc.integer({ min: 0, max: 300 }) })),
      { maxLength: 3 },
    ),
    orders: fc.array(
      fc.record({
        atMs: when,
        job: which,
        type: order,
      }),
      { maxLength: 3 },
    ),
    extensions: fc.array(
      fc.record({
        atMs: when,
        job: which,
        by: fc.constantFrom('duration', 'end'),
        ms: fc.integer({ min: 1_000, max: 8 * minutes }),
      }),
      { maxLength: 2 },
    ),
    reactions: fc.array(
      fc.record({
        to: fc.constantFrom<Incident>(...INCIDENTS),
        nth: fc.integer({ min: 0, max: 4 }),
        afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000 })),
        type: order,
      }),
      { maxLength: 2 },
    ),
    isLeashForgetful: fc.boolean(),
    bugs: fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            atMs: when,
            job: which,
            where: fc.constantFrom<Where>(...PLACES, 'record', 'root'),
            times: fc.constantFrom(1, 1, 2, 9),
          }),
        },
        // One that never goes away: the job must end all the same.
        {
          weight: 1,
          arbitrary: fc.record({
            atMs: when,
            job: which,
            where: fc.constantFrom<Where>(...PLACES),
            times: fc.constant(1_000_000),
          }),
        },
      ),
      { maxLength: 3 },
    ),
    drainAtMs: when,
  },
  {
    requiredKeys: [
      'jobs',
      'commits',
      'outages',
      'nodeCrashes',
      'orders',
      'extensions',
      'reactions',
      'isLeashForgetful',
      'bugs',
    ],
  },
);
