import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REGRESSIONS } from './regressions.ts';
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

describe('what once went wrong does not go wrong again', () => {
  test.each(Object.entries(REGRESSIONS))('%s', async (_, script) => {
    for (let seed = 1; seed <= 5; seed++)
      expect((await simulate(script, { seed })).violations).toEqual([]);
  });
});
