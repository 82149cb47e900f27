import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Script, scripts } from './script.ts';
import { simulate } from './simulate.ts';

/** Enough to find most planted bugs; `npm run simulate -- --runs 5000` is the long form. */
const RUNS = 400;

const scriptOf = (seed: number): Script => fc.sample(scripts, { seed, numRuns: 1 })[0] as Script;

test(`every law holds in ${RUNS} simulated lives of the tree`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { violations } = await simulate(scriptOf(seed), { seed });
    expect(violations, `seed ${seed}: npm run simulate -- --runs 1 --seed ${seed} --trace`).toEqual(
      [],
    );
  }
});

test('the same seed gives the same run, bit for bit', async () => {
  for (const seed of [3, 5, 8]) {
    const [first, second] = [
      await simulate(scriptOf(seed), { seed }),
      await simulate(scriptOf(seed), { seed }),
    ];
    expect(second.digest).toBe(first.digest);
    expect((await simulate(scriptOf(seed + 1), { seed: seed + 1 })).digest).not.toBe(first.digest);
  }
});

/** Seeds that once broke a law, as they were shrunk. They stay here for good. */
describe('what once went wrong does not go wrong again', () => {
  const calm: Script = {
    jobs: [{ durationMs: 20_000, runs: [], muxFailures: 0, uploadFailures: 0, windDownMs: 0 }],
    commits: [],
    outages: [],
    nodeCrashes: [],
    orders: [],
    bugs: [],
    reactions: [],
    isLeashForgetful: false,
  };
  const regressions: Readonly<Record<string, Script>> = {
    'a dog that died during an outage takes ownership from its successor': {
      ...calm,
      jobs: [
        { durationMs: 1_000, runs: [], muxFailures: 0, uploadFailures: 0, windDownMs: 0 },
        {
          durationMs: 420_000,
          runs: [{ kind: 'crash', afterMs: 34_001, startMs: 16_710, dieMs: 50 }],
          muxFailures: 0,
          uploadFailures: 0,
          windDownMs: 0,
        },
        {
          durationMs: 420_000,
          runs: [{ kind: 'crash', afterMs: 0, startMs: 1, dieMs: 50 }],
          muxFailures: 0,
          uploadFailures: 0,
          windDownMs: 0,
        },
      ],
      outages: [{ atMs: 23_750, forMs: 209_761 }],
      bugs: [
        { atMs: 32_051, job: 1, where: 'strayFiles', times: 9 },
        { atMs: 39_299, job: 2, where: 'root', times: 2 },
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
  };
  test.each(Object.entries(regressions))('%s', async (_, script) => {
    for (let seed = 1; seed <= 5; seed++)
      expect((await simulate(script, { seed })).violations).toEqual([]);
  });
});
