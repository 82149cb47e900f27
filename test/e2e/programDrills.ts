import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { DRILL_KINDS, type DrillKind } from '../support/worlds/drills/drillKinds.ts';
import { type DrillRow, drillTable, rowOf } from '../support/worlds/drills/drillReport.ts';
import { type Drilled, FAULTS_MAX, runDrill } from '../support/worlds/drills/runDrill.ts';
import { findWorldTools, need } from '../support/worlds/worldTools.ts';

const USAGE = `node test/e2e/programDrills.ts [FAULTS] [--only WORD] [--sandbox auto|off] [--verbose]
  Programs are killed, stopped, and replaced by ones that misbehave, while they record: so many faults of each kind (default 50),
  ${FAULTS_MAX} to a recording. Prints for each kind how soon the next program started and the next media was stored after a fault, whether its reason
  was told, and what was left behind. Ends with 1 when a proof is untrue or anything is left.
    --only      kinds that have this in their names
    --sandbox   the cage around programs
    --verbose   also what was told, where something is wrong`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    sandbox: { type: 'string', default: 'auto' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const print = (text: string) => void process.stdout.write(`${text}\n`);

function isWrong({ orphans, strays, untruths, hasReason }: Drilled): boolean {
  return orphans.length > 0 || strays.length > 0 || untruths.length > 0 || !hasReason;
}

async function drill(kind: DrillKind, faults: number): Promise<Drilled[] | string> {
  const needed = need(await tools, ...kind.needs);
  if ('why' in needed) return needed.why;
  const drilled: Drilled[] = [];
  for (let left = faults; left > 0; left -= FAULTS_MAX) {
    const one = await runDrill(kind, {
      tools: needed.tools,
      faults: Math.min(left, FAULTS_MAX),
      environment: { KENNEL_SANDBOX: values.sandbox },
    });
    drilled.push(one);
    if (!isWrong(one)) continue;
    const { story, faults: _, ...facts } = one;
    print(`${kind.name}: ${JSON.stringify(facts)}${values.verbose ? `\n${story}` : ''}`);
  }
  return drilled;
}

const tools = findWorldTools();

async function main(): Promise<number> {
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const faults = Number(positionals[0] ?? 50);
  print(
    `node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}, ${faults} faults of each kind`,
  );
  const rows: DrillRow[] = [];
  let isBad = false;
  for (const kind of DRILL_KINDS.filter(({ name }) => name.includes(values.only))) {
    const drilled = await drill(kind, faults);
    if (typeof drilled === 'string') {
      print(`did not run: ${kind.name}, because ${drilled}`);
      continue;
    }
    isBad ||= drilled.some(isWrong);
    rows.push(rowOf(kind.name, drilled));
    print(drillTable(rows.slice(-1)));
  }
  print(`\n${drillTable(rows)}`);
  return isBad ? 1 : 0;
}

process.exitCode = await main();
