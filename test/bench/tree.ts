import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { COMMITS, type Configuration, WATCHERS } from './tree/configuration.ts';
import { judge } from './tree/goals.ts';
import type { Measurement } from './tree/measurement.ts';
import { table, verdictLine } from './tree/report.ts';
import { runChild } from './tree/runChild.ts';

const USAGE = `node test/bench/tree.ts [--jobs 1000,10000] [--heartbeats 1,5] [--seconds 10] [--warm-up 0]
                        [--commits atOnce|nextTurn] [--json FILE] [--profile DIRECTORY]
  What the supervision tree costs, without any real recorder: five actors a job (Big Dog, recorder, three doggies) over ports
  in memory, beside the same watching in plain callbacks. Every line is measured in a child process of its own.
    --seconds   how long each steady state is watched
    --warm-up   jobs that live and end before anything is measured; 0 is a node that has just booted, its code uncompiled
    --commits   atOnce: a commit resolves in a microtask, so a storm's stall is all of its computing; nextTurn: after the
                event loop has come round, as an answer from a database does
    --json      also writes all figures to a file
    --profile   also writes a CPU profile of every child; do not quote the figures of such a run`;

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000,10000' },
    heartbeats: { type: 'string', default: '1,5' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '0' },
    commits: { type: 'string', default: 'atOnce' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (text: string) => void process.stdout.write(`${text}\n`);

const isCount = (number: number): boolean => Number.isInteger(number) && number >= 0;

const numbers = (list: string): number[] => list.split(',').map(Number);

/** All configurations that were asked for, tree and floor side by side; undefined when the question makes no sense. */
function configurations(): readonly Configuration[] | undefined {
  const [counts, heartbeats] = [numbers(values.jobs), numbers(values.heartbeats)];
  const seconds = Number(values.seconds);
  const warmUpJobs = Number(values['warm-up']);
  const commits = COMMITS.find((name) => name === values.commits);
  const areSound = [...counts, ...heartbeats, seconds].every((number) => number > 0);
  if (!commits || !areSound) return undefined;
  if (![...counts, warmUpJobs].every(isCount)) return undefined;
  return counts.flatMap((jobs) =>
    heartbeats.flatMap((heartbeat) =>
      WATCHERS.map((watcher) => ({
        watcher,
        jobs,
        warmUpJobs,
        heartbeatMs: heartbeat * 1000,
        steadyMs: seconds * 1000,
        commits,
      })),
    ),
  );
}

async function main(): Promise<number> {
  const asked = configurations();
  if (values.help || !asked) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  const measurements: Measurement[] = [];
  for (const configuration of asked)
    measurements.push(await runChild(configuration, { profileDirectory: values.profile }));
  const verdicts = judge(measurements);
  print(
    `node ${process.version}, ${availableParallelism()} cores, commits ${values.commits}, warm-up ${values['warm-up']} jobs\n`,
  );
  print(table(measurements));
  print(`\n${verdicts.map(verdictLine).join('\n')}`);
  if (values.json) {
    const machine = { node: process.version, cores: availableParallelism() };
    await writeFile(
      values.json,
      `${JSON.stringify({ machine, measurements, verdicts }, null, 2)}\n`,
    );
  }
  return 0;
}

process.exitCode = await main();
