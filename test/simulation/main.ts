import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { REGRESSIONS } from './regressions.ts';
import { type Script, scripts } from './script.ts';
import { simulate } from './simulate.ts';

const USAGE = `npm run simulate -- [--runs N] [--seed S] [--trace]
  Runs the whole supervision tree N times (default 1000) in virtual time, with the faults of the seeds S, S+1, …
  (default: by the clock) and prints the digest of everything that happened. --runs 1 --seed S replays one run, bit for bit.`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

const scriptOf = (seed: number): Script => {
  const [script] = fc.sample(scripts, { seed, numRuns: 1 });
  if (!script) throw new Error('fast-check made no script');
  return script;
};

/** Looks for the smallest script that still breaks a law. */
async function shrink(seed: number): Promise<string> {
  const property = fc.asyncProperty(scripts, async (script) => {
    const { violations } = await simulate(script, { seed });
    if (violations.length > 0) throw new Error(violations.slice(0, 3).join('\n'));
  });
  const { counterexample, errorInstance, numShrinks } = await fc.check(property, {
    seed,
    numRuns: 1,
    interruptAfterTimeLimit: 20_000,
  });
  return `${numShrinks} shrinks\n${JSON.stringify(counterexample?.[0])}\n${errorInstance}`;
}

/** What once went wrong, first: it is quick, and no seed needs to find it again. */
async function replayRegressions(): Promise<boolean> {
  for (const [name, script] of Object.entries(REGRESSIONS)) {
    const { violations } = await simulate(script, { seed: 1 });
    if (violations.length === 0) continue;
    print(`the regression "${name}" breaks a law again:`);
    print(violations.slice(0, 5).join('\n'));
    return false;
  }
  return true;
}

async function main(): Promise<number> {
  const [runs, first] = [Number(values.runs), Number(values.seed)];
  if (values.help || !Number.isInteger(runs) || !Number.isInteger(first)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  if (!(await replayRegressions())) return 1;
  let steps = 0;
  let simulatedMs = 0;
  let last = '';
  const startedAt = performance.now();
  for (let seed = first; seed < first + runs; seed++) {
    const report = await simulate(scriptOf(seed), { seed, trace: values.trace });
    if (values.trace) print(report.trace?.join('\n') ?? '');
    if (report.violations.length > 0) {
      print(`seed ${seed} breaks a law after ${seed - first + 1} runs (digest ${report.digest}):`);
      print(report.violations.slice(0, 5).join('\n'));
      print(await shrink(seed));
      print(`replay: npm run simulate -- --runs 1 --seed ${seed} --trace`);
      return 1;
    }
    steps += report.steps;
    simulatedMs += report.simulatedMs;
    last = report.digest;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  print(
    `${runs} runs from seed ${first}: every law held. ${Math.round(steps / runs)} steps and ` +
      `${Math.round(simulatedMs / runs / 1000)} simulated s a run, ${Math.round(runs / seconds)} runs/s. ` +
      `Digest of the last run: ${last}`,
  );
  return 0;
}

process.exitCode = await main();
