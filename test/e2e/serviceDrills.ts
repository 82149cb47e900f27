import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { serviceDrill } from '../support/serviceDrills/serviceDrill.ts';

const USAGE = `node test/e2e/serviceDrills.ts [--kills N] [--outages N] [--outage-seconds N] [--seconds N] [--jobs N] [--database pglite|postgres] [--seed N]
  Jobs are submitted to a real service over HTTP while it is killed with SIGKILL at random moments (now and then with all of its
  recorders) and its database is taken away. At the end every accepted job must be there once, have ended, and have all that the
  origin offered; nothing may be left. Prints figures, and ends with 1 when anything is wrong.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    outages: { type: 'string', default: '0' },
    'outage-seconds': { type: 'string', default: '60' },
    seconds: { type: 'string', default: '600' },
    jobs: { type: 'string', default: '12' },
    database: { type: 'string', default: 'pglite' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const print = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const begun = performance.now();
  const report = await serviceDrill({
    kills: Number(values.kills),
    outages: Number(values.outages),
    outageSeconds: Number(values['outage-seconds']),
    seconds: Number(values.seconds),
    jobs: Number(values.jobs),
    database: values.database === 'postgres' ? 'postgres' : 'pglite',
    seed: Number(values.seed),
    say: (text) => print(`${Math.round((performance.now() - begun) / 1_000)} s  ${text}`),
  });
  if ('missing' in report) {
    print(`did not run: ${report.missing}`);
    return 1;
  }
  const { faults, jobs, states, media, killed, sentAgain, lives } = report;
  const ready = killed.map(({ readyAfterMs }) => readyAfterMs).toSorted((a, b) => a - b);
  const at = (share: number) =>
    `${((ready[Math.floor(ready.length * share)] ?? 0) / 1_000).toFixed(1)} s`;
  print(`jobs accepted ${jobs}, sent more than once ${sentAgain}; ended ${JSON.stringify(states)}`);
  print(`lives ${lives}; ready again after a kill: median ${at(0.5)}, longest ${at(0.999)}`);
  print(
    `segments offered ${media.advertised}, stored ${media.stored}, lost ${media.lost.length} gaps`,
  );
  print(
    `load average ${loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}; faults ${faults.length}`,
  );
  for (const one of faults) print(`  ${one}`);
  return faults.length === 0 ? 0 : 1;
}

if (values.help) print(USAGE);
else process.exitCode = await main();
