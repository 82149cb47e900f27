import type { JobScript, Script } from './script.ts';

/** Nothing goes wrong but what is added. */
export const calm: Script = {
  jobs: [],
  commits: [],
  outages: [],
  nodeCrashes: [],
  orders: [],
  bugs: [],
  reactions: [],
  isLeashForgetful: false,
};
const long: JobScript = {
  durationMs: 420_000,
  runs: [],
  muxFailures: 0,
  uploadFailures: 0,
  windDownMs: 0,
};

/** Scripts that once broke a law, as they were shrunk. They stay here for good. */
export const REGRESSIONS: Readonly<Record<string, Script>> = {
  // The first dog falls and wakes again while the database is away; then the second one takes the root down with it.
  'a dog that died during an outage takes ownership from its successor': {
    ...calm,
    jobs: [long, long],
    // So that the late asker's next try comes after that of its successor.
    commits: [{ latencyMs: 50, fault: 'none' }],
    outages: [{ atMs: 23_750, forMs: 209_810 }],
    bugs: [
      { atMs: 32_051, job: 0, where: 'strayFiles', times: 1 },
      { atMs: 45_000, job: 1, where: 'root', times: 1 },
    ],
  },
  'a stop that finds the job retrying in the database moves it without a reason': {
    ...calm,
    jobs: [
      {
        durationMs: 420_000,
        runs: [{ kind: 'mux', afterMs: 12_001, startMs: 0, dieMs: 0 }],
        muxFailures: 0,
        uploadFailures: 0,
        windDownMs: 0,
      },
    ],
    outages: [{ atMs: 17_238, forMs: 102_774 }],
    nodeCrashes: [{ atStep: 111 }],
    drainAtMs: 95_703,
  },
  'a program that hangs is measured by the age of the one before it': {
    ...calm,
    jobs: [
      {
        ...long,
        runs: [
          { kind: 'mux', afterMs: 50_000, startMs: 0, dieMs: 0 },
          { kind: 'stall', afterMs: 1_000, startMs: 0, dieMs: 0 },
        ],
      },
    ],
  },
  'a program that fell between two looks, with all that was asked for, is started again': {
    ...calm,
    jobs: [
      {
        ...long,
        durationMs: 419_500,
        runs: [{ kind: 'break', afterMs: 21_290, startMs: 300, dieMs: 0 }],
      },
    ],
  },
  'a file that follows a native recorder is recorded for as long as it would play': {
    ...calm,
    jobs: [
      {
        ...long,
        runs: [
          { kind: 'crash', afterMs: 300, startMs: 0, dieMs: 0 },
          { kind: 'break', afterMs: 27_001, startMs: 0, dieMs: 0 },
        ],
      },
    ],
  },
  'a recorder that fell just before an end by the time of day is started again': {
    ...calm,
    jobs: [{ ...long, runs: [{ kind: 'crash', afterMs: 9_900, startMs: 0, dieMs: 0 }] }],
    extensions: [{ atMs: 1_000, job: 0, by: 'end', ms: 9_000 }],
  },
};
