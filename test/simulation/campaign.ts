import fc from 'fast-check';

/** What one run came to. */
export interface Report {
  readonly violations: readonly string[];
  /** Of the log of everything that happened: equal digests, equal runs. */
  readonly digest: string;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly trace?: readonly string[] | undefined;
}

/** A world that can be simulated: the supervision tree, or the recording engine. */
export interface Campaign<Script> {
  readonly name: string;
  /** What a run of it is, for people. */
  readonly of: string;
  readonly scripts: fc.Arbitrary<Script>;
  /** Scripts that once broke a law, as they were shrunk. */
  readonly regressions: Readonly<Record<string, Script>>;
  simulate(script: Script, run: { seed: number; trace?: boolean }): Promise<Report>;
}

/** The script of a seed: always the same one. */
export function scriptOf<Script>({ scripts }: Campaign<Script>, seed: number): Script {
  const [script] = fc.sample(scripts, { seed, numRuns: 1 });
  if (script === undefined) throw new Error('fast-check made no script');
  return script;
}

/** Looks for the smallest script that still breaks a law, and says so in text. */
export async function shrink<Script>(campaign: Campaign<Script>, seed: number): Promise<string> {
  const property = fc.asyncProperty(campaign.scripts, async (script) => {
    const { violations } = await campaign.simulate(script, { seed });
    if (violations.length > 0) throw new Error(violations.slice(0, 3).join('\n'));
  });
  const { counterexample, errorInstance, numShrinks } = await fc.check(property, {
    seed,
    numRuns: 1,
    interruptAfterTimeLimit: 20_000,
  });
  return `${numShrinks} shrinks\n${JSON.stringify(counterexample?.[0])}\n${errorInstance}`;
}
