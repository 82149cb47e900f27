import { describe, expect, test } from 'vitest';
import { type Campaign, scriptOf } from './campaign.ts';
import { engine } from './engine/engine.ts';
import { calm } from './regressions.ts';
import { tree } from './tree.ts';

/** Enough to find most planted bugs; `npm run simulate -- --runs 10000` is the long form. */
const RUNS = { tree: 400, engine: 300 };

function holds<Script>(campaign: Campaign<Script>, runs: number) {
  const replay = `npm run simulate -- --world ${campaign.name} --runs 1 --trace --seed`;

  test(`every law holds in ${runs} simulated lives`, async () => {
    for (let seed = 1; seed <= runs; seed++) {
      const { violations } = await campaign.simulate(scriptOf(campaign, seed), { seed });
      expect(violations, `${replay} ${seed}`).toEqual([]);
    }
  });

  test('the same seed gives the same run, bit for bit', async () => {
    const digestOf = async (seed: number) =>
      (await campaign.simulate(scriptOf(campaign, seed), { seed })).digest;
    for (const seed of [3, 5, 8]) {
      const first = await digestOf(seed);
      expect(await digestOf(seed)).toBe(first);
      expect(await digestOf(seed + 1)).not.toBe(first);
    }
  });

  describe('what once went wrong does not go wrong again', () => {
    for (const [name, script] of Object.entries(campaign.regressions))
      test(`${name}`, async () => {
        for (let seed = 1; seed <= 5; seed++)
          expect((await campaign.simulate(script, { seed })).violations).toEqual([]);
      });
  });
}

describe(tree.of, () => holds(tree, RUNS.tree));
test('an hour of healthy programs that come in fits and starts raises no false alarm', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const job = {
      durationMs: 3_600_000,
      runs: [
        { kind: 'jitter', afterMs: seed * 600_001, startMs: seed * 6_000, dieMs: seed } as const,
      ],
      muxFailures: 0,
      uploadFailures: 0,
      windDownMs: 0,
    };
    const script = { ...calm, jobs: [job] };
    const { violations, trace } = await tree.simulate(script, { seed, trace: true });
    expect(violations).toEqual([]);
    expect(trace?.filter((line) => line.includes(' kill '))).toEqual([]);
    expect(trace?.filter((line) => line.includes(' start '))).toHaveLength(1);
  }
});

describe(engine.of, () => holds(engine, RUNS.engine));
