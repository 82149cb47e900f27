import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DRILL_KINDS, type DrillKind } from '../support/worlds/drills/drillKinds.ts';
import { drillTable, rowOf } from '../support/worlds/drills/drillReport.ts';
import { type Drilled, judgeDrill } from '../support/worlds/drills/judgeDrill.ts';
import { FAULTS_MAX, runDrill } from '../support/worlds/drills/runDrill.ts';
import { findWorldTools, need } from '../support/worlds/worldTools.ts';

const USAGE = `node test/worlds/programDrills.ts [FAULTS] [--only WORD,…] [--at-once N] [--into FILE] [--sandbox auto|off] [--verbose]
  Programs are killed, stopped, and replaced by ones that misbehave, while they record: so many faults of each kind (default 50), up to
  ${FAULTS_MAX} in a recording. Prints for each kind how soon the next program started and the next media was stored after a fault, whether its
  reason was told, and what was left behind. Times are p50 / p99 in seconds. Ends with 1 when anything is wrong; slow it may be.
    --only      kinds that have one of these in their names
    --at-once   recordings at a time (default 1)
    --into      what came of each recording is added to this file, and what stands there already counts: for runs in pieces
    --sandbox   the cage around programs
    --verbose   also what was told, where something is wrong`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    'at-once': { type: 'string', default: '1' },
    into: { type: 'string' },
    sandbox: { type: 'string', default: 'auto' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const print = (text: string) => void process.stdout.write(`${text}\n`);
/** Recordings do not all start in the same moment. */
const APART_MS = 4_000;

/** The drills of one kind, and how many faults of it are still to come. */
interface Course {
  readonly kind: DrillKind;
  readonly run: (faults: number) => Promise<Drilled>;
  readonly drilled: Drilled[];
  left: number;
  underway: number;
  /** Each may bring fewer faults than it was to, or none. */
  recordingsLeft: number;
}

async function courses(faults: number): Promise<Course[]> {
  const tools = await findWorldTools();
  const words = values.only.split(',');
  return DRILL_KINDS.filter(({ name }) => words.some((word) => name.includes(word))).flatMap(
    (kind) => {
      const needed = need(tools, ...kind.needs);
      if ('why' in needed) {
        print(`did not run: ${kind.name}, because ${needed.why}`);
        return [];
      }
      const environment = { KENNEL_SANDBOX: values.sandbox };
      const run = (count: number) =>
        runDrill(kind, { tools: needed.tools, faults: count, environment });
      const drilled = earlier(kind);
      const left = faults - drilled.reduce((sum, one) => sum + one.faults.length, 0);
      return [{ kind, run, drilled, left, underway: 0, recordingsLeft: 2 * faults }];
    },
  );
}

/** What earlier runs wrote. */
function earlier({ name }: DrillKind): Drilled[] {
  if (values.into === undefined || !existsSync(values.into)) return [];
  const lines = readFileSync(values.into, 'utf8').split('\n').filter(Boolean);
  // This very script wrote them.
  const all = lines.map((line) => JSON.parse(line) as Drilled);
  return all.filter(({ kind }) => kind === name);
}

function keep(one: Drilled): void {
  if (values.into === undefined) return;
  const facts = { ...one, story: '', loadAverage: loadavg()[0] };
  appendFileSync(values.into, `${JSON.stringify(facts)}\n`);
}

/** One recording after another, of the first kind that still lacks faults. */
async function work(all: readonly Course[]): Promise<void> {
  for (;;) {
    const course = all.find(({ left, recordingsLeft }) => left > 0 && recordingsLeft > 0);
    if (course === undefined) return;
    const { kind, drilled, run } = course;
    const faults = kind.leadsTo === 'stops' ? 1 : Math.min(course.left, FAULTS_MAX);
    course.left -= faults;
    course.underway++;
    course.recordingsLeft--;
    const one = await run(faults);
    course.underway--;
    course.left += faults - one.faults.length;
    drilled.push(one);
    keep(one);
    const wrong = judgeDrill(kind, one);
    for (const each of wrong) print(`${kind.name}: ${each}`);
    if (wrong.length > 0 && values.verbose) print(one.story);
    if (course.left <= 0 && course.underway === 0) {
      print(`load average ${loadavg()[0]?.toFixed(1)}\n${drillTable([rowOf(kind.name, drilled)])}`);
    }
  }
}

async function main(): Promise<number> {
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const faults = Number(positionals[0] ?? 50);
  const atOnce = Number(values['at-once']);
  const begun = `node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}`;
  print(`${begun}, ${faults} faults of each kind, ${atOnce} at once`);
  const delay = monitorEventLoopDelay();
  delay.enable();
  const all = await courses(faults);
  const workers = Array.from({ length: atOnce }, async (_, at) => {
    await sleep(at * APART_MS);
    return await work(all);
  });
  await Promise.all(workers);
  const isBad = all.some(({ kind, drilled }) =>
    drilled.some((one) => judgeDrill(kind, one).length > 0),
  );
  print(`\n${drillTable(all.map(({ kind, drilled }) => rowOf(kind.name, drilled)))}`);
  const [p99, worst] = [delay.percentile(99), delay.max].map((ns) => Math.round(ns / 1e6));
  print(
    `load average ${loadavg()[0]?.toFixed(1)}; these drills were late by ${p99} ms (p99), ${worst} ms (worst)`,
  );
  return isBad ? 1 : 0;
}

process.exitCode = await main();
