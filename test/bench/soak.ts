import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Soak, type Soaked } from './soak/perform.ts';
import { type Plan, planOf } from './soak/plan.ts';
import { accountsTable, stationsTable } from './soak/report.ts';
import { trendsOf, type Verdict, verdictsOf } from './soak/verdicts.ts';

const USAGE = `node test/bench/soak.ts [--minutes 60] [--rate 12] [--streams 20] [--seed 1] [--short] [--json FILE]
  Many streams on one Kennel for a long time in which everything goes wrong: random faults of every kind at the origin, the
  origin away, recorder hosts killed with SIGKILL. Resident memory, descriptors and timers of all processes are watched, and every
  recording is held against what the origin really offered. Ends with 1 when something was lost needlessly, or something grows.
    --minutes   how much of each stream is recorded, media time
    --rate      how many times faster than real time it goes: 60 minutes take 5 at 12
    --streams   how many
    --seed      which faults, and when
    --short     about a minute: 4 minutes of 20 streams at 8; too short to judge how memory grows
    --json      also writes all figures to a file
  With DATABASE_URL the database is that one; otherwise the embedded one.`;

const SHORT = { minutes: '4', rate: '8', streams: '20' };

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string' },
    rate: { type: 'string' },
    streams: { type: 'string' },
    seed: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const defaults = given.short ? SHORT : { minutes: '60', rate: '12', streams: '20' };
const values = { ...defaults, ...given };

const print = (text: string) => void process.stdout.write(`${text}\n`);

const head = ({ streams, minutes, rate, seed }: Plan): string =>
  `node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}. ${streams} streams, ` +
  `${minutes} minutes of each at ${rate} times real time, ${process.env['DATABASE_URL'] === undefined ? 'embedded database' : 'PostgreSQL'}, seed ${seed}.\n`;

/** All figures, as plain JSON. */
function figuresOf(plan: Plan, soaked: Soaked, verdicts: readonly Verdict[]) {
  const { weather } = soaked;
  return {
    machine: { node: process.version, cores: availableParallelism() },
    plan,
    verdicts,
    trends: trendsOf(plan, soaked),
    ...soaked,
    weather: {
      counts: Object.fromEntries(weather.counts),
      unavoidable: Object.fromEntries(
        [...weather.unavoidable].map(([show, indexes]) => [show, [...indexes]]),
      ),
    },
  };
}

async function main(): Promise<number> {
  const numbers = {
    minutes: Number(values.minutes),
    rate: Number(values.rate),
    streams: Number(values.streams),
    seed: Number(values.seed),
  };
  const isUsable = Object.values(numbers).every((one) => one > 0);
  if (values.help || !isUsable) {
    print(USAGE);
    return values.help ? 0 : 64;
  }
  if (process.platform !== 'linux') {
    print('did not run: all of it, because the figures come from /proc, which only Linux has');
    return 0;
  }
  const plan = planOf(numbers);
  print(head(plan));
  const soaked = await new Soak(plan, print).run();
  const verdicts = verdictsOf(plan, soaked);
  print(`\n${accountsTable(soaked)}\n\n${stationsTable(soaked)}\n`);
  for (const { text, isMet } of verdicts) print(`${isMet ? 'met   ' : 'MISSED'}  ${text}`);
  if (values.json) {
    const figures = figuresOf(plan, soaked, verdicts);
    await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  return verdicts.every(({ isMet }) => isMet) ? 0 : 1;
}

process.exitCode = await main();
