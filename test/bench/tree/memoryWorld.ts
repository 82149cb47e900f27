import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Finish,
  Job,
  Leash,
  Ports,
  RecorderExit,
  RecorderNews,
  Store,
} from '../../../machines/ports.ts';
import type { Decision, JobState } from '../../../machines/vocabulary.ts';
import { POLICY } from '../../../src/jobs/policy.ts';
import type { Configuration } from './configuration.ts';

/** Long enough that no recording is over while it is measured; every durationDoggy still has a timer to mind. */
const DURATION_MS = 3_600_000;

const ENDED: RecorderExit = { kind: 'ended', why: 'endlist', retryable: false, evidence: {} };

/** What the ports cost is the same for every watcher, and next to nothing: what is measured is the watching. */
export interface MemoryWorld {
  readonly ports: Ports;
  readonly jobIds: readonly string[];
  /** Every recorder runs and its first playlist has been accepted. */
  readonly allStarted: Promise<void>;
  /** Every job has been committed as `done`. */
  readonly allDone: Promise<void>;
  /** How often anybody has looked so far: proof that the watching goes on. */
  readonly looks: { beats: number; files: number };
  /** What the watcher decided by itself. In this world nothing goes wrong, so anything here spoils the measurement. */
  readonly decisions: readonly Decision[];
  /** Every recorder comes to its end in the same instant. */
  endAll(): void;
}

/** Database, recorders and finishing for many jobs, in memory. */
export function memoryWorld(configuration: Configuration): MemoryWorld {
  const { jobs, heartbeatMs } = configuration;
  const jobIds = Array.from({ length: jobs }, (_, index) => `job-${index}`);
  const started = countdown(jobs);
  const done = countdown(jobs);
  const looks = { beats: 0, files: 0 };
  const decisions: Decision[] = [];
  const recorders = new Map<string, (news: RecorderNews) => void>();
  const ports: Ports = {
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    leash: leashOf({ recorders, looks, onStarted: started.count }),
    store: storeOf({ jobIds, decisions, onDone: done.count, commits: configuration.commits }),
    finish: FINISH,
    policy: { ...POLICY, capacity: jobs, heartbeat: { ...POLICY.heartbeat, everyMs: heartbeatMs } },
  };
  const endAll = () => {
    for (const hear of recorders.values()) hear({ type: 'recorder.exited', exit: ENDED });
  };
  const { reached: allStarted } = started;
  const { reached: allDone } = done;
  return { ports, jobIds, allStarted, allDone, looks, decisions, endAll };
}

/** A promise that is kept once `count` has been called so many times. */
function countdown(from: number): { readonly reached: Promise<void>; readonly count: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = from;
  return {
    reached: promise,
    count: () => {
      left -= 1;
      if (left === 0) resolve();
    },
  };
}

interface LeashParts {
  readonly recorders: Map<string, (news: RecorderNews) => void>;
  readonly looks: MemoryWorld['looks'];
  readonly onStarted: () => void;
}

function leashOf({ recorders, looks, onStarted }: LeashParts): Leash {
  return {
    take: ({ id }, hear) => {
      recorders.set(id, hear);
      queueMicrotask(() => {
        hear({ type: 'recorder.started', at: Date.now() });
        onStarted();
      });
      const exit = () => hear({ type: 'recorder.exited', exit: { ...ENDED, kind: 'stopped' } });
      return { stop: exit, kill: exit, release: () => void recorders.delete(id) };
    },
    holds: (jobId) => recorders.has(jobId),
    clear: async () => {},
    end: async () => {},
    progress: () => ({ beats: ++looks.beats, bytes: 0, advertised: 0, settled: 0 }),
    strayFiles: () => {
      looks.files += 1;
      return undefined;
    },
  };
}

interface StoreParts {
  readonly jobIds: readonly string[];
  readonly decisions: Decision[];
  readonly onDone: () => void;
  readonly commits: Configuration['commits'];
}

function storeOf({ jobIds, decisions, onDone, commits }: StoreParts): Store {
  const states = new Map<string, JobState>(jobIds.map((id) => [id, 'pending']));
  const commit = async (jobId: string, { from, to }: { from: JobState; to: JobState }) => {
    if (states.get(jobId) !== from) throw new Error(`${jobId} would move from ${from} to ${to}`);
    if (commits === 'nextTurn') await nextTurn();
    states.set(jobId, to);
    if (to === 'done') onDone();
  };
  return {
    open: async (jobId) => ({
      job: jobOf(jobId),
      log: { commit: async (move) => await commit(jobId, move) },
    }),
    record: (decision) => void decisions.push(decision),
  };
}

const jobOf = (id: string): Job => ({
  id,
  state: 'pending',
  attempt: 0,
  spec: {
    url: 'https://origin.example/live.m3u8',
    quality: ['best'],
    durationMs: DURATION_MS,
    waitMs: 0,
    patienceMs: 60_000,
    output: './',
    keepSegments: false,
  },
});

const FINISH: Finish = {
  footage: async () => ({ segments: 1 }),
  mux: async () => {},
  upload: async () => ({ outcome: 'complete' }),
};
