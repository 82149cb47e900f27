import { parseArgs } from 'node:util';
import { type Campaign, scriptOf, shrink } from './campaign.ts';
import { engine } from './engine/engine.ts';
import { tree } from './tree.ts';

const USAGE = `npm run simulate -- [--world tree|engine] [--runs N] [--seed S] [--trace]
  Runs ${tree.of}, or ${engine.of}, N times (default 1000)
  in virtual time, with the faults of the seeds S, S+1, … (default: by the clock) and prints the digest of everything that
  happened. --runs 1 --seed S replays one run, bit for bit.`;

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: tree.name },
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** What once went wrong, first: it is quick, and no seed needs to find it again. */
async function replayRegressions<Script>(campaign: Campaign<Script>): Promise<boolean> {
  for (const [name, script] of Object.entries(campaign.regressions)) {
    const { violations } = await campaign.simulate(script, { seed: 1 });
    if (violations.length === 0) continue;
    print(`the regression "${name}" breaks a law again:`);
    print(violations.slice(0, 5).join('\n'));
    return false;
  }
  return true;
}

async function run<Script>(
  campaign: Campaign<Script>,
  { runs, first }: { runs: number; first: number },
): Promise<number> {
  if (!(await replayRegressions(campaign))) return 1;
  let steps = 0;
  let simulatedMs = 0;
  let last = '';
  const startedAt = performance.now();
  for (let seed = first; seed < first + runs; seed++) {
    const script = scriptOf(campaign, seed);
    const report = await campaign.simulate(script, { seed, trace: values.trace });
    if (values.trace) print(report.trace?.join('\n') ?? '');
    if (report.violations.length > 0) {
      print(`seed ${seed} breaks a law after ${seed - first + 1} runs (digest ${report.digest}):`);
      print(report.violations.slice(0, 5).join('\n'));
      print(await shrink(campaign, seed));
      print(`replay: npm run simulate -- --world ${campaign.name} --runs 1 --seed ${seed} --trace`);
      return 1;
    }
    steps += report.steps;
    simulatedMs += report.simulatedMs;
    last = report.digest;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  print(
    `${runs} runs of ${campaign.of} from seed ${first}: every law held. ${Math.round(steps / runs)} steps and ` +
      `${Math.round(simulatedMs / runs / 1000)} simulated s a run, ${Math.round(runs / seconds)} runs/s. ` +
      `Digest of the last run: ${last}`,
  );
  return 0;
}

async function main(): Promise<number> {
  const [runs, first] = [Number(values.runs), Number(values.seed)];
  const isKnown = values.world === tree.name || values.world === engine.name;
  if (values.help || !isKnown || !Number.isInteger(runs) || !Number.isInteger(first)) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  return values.world === engine.name
    ? await run(engine, { runs, first })
    : await run(tree, { runs, first });
}

process.exitCode = await main();
